"""What every answer of the office carries, its apologies, its vendored parts."""

import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

import admin_web.messages
from tests.admin_web.conftest import Browser

STATIC = Path(admin_web.messages.__file__).parent / "static"
TEMPLATES = Path(admin_web.messages.__file__).parent / "templates"


def test_pages_allow_nothing_from_elsewhere(browser: Browser) -> None:
    answer = browser.get("/login")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]


def test_templates_have_no_script_or_style_of_their_own() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|js:", text), file
        assert not re.search(r"https?://", text), file
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), file
        assert "|safe" not in text, file


def test_vendored_parts_are_what_they_were() -> None:
    parts = sorted(path for path in (STATIC / "vendor").iterdir() if path.is_dir())
    assert [part.name for part in parts] == ["htmx", "pico"]
    for part in parts:
        lines = (part / "SHA256").read_text().splitlines()
        kept = {name: digest for digest, name in (line.split() for line in lines)}
        files = {file.name for file in part.iterdir()} - {"SHA256", "VERSION"}
        assert files == set(kept)
        assert "LICENSE" in kept
        for name, digest in kept.items():
            assert hashlib.sha256((part / name).read_bytes()).hexdigest() == digest, name
        assert (part / "VERSION").read_text().strip() in Path("docs/third-party.md").read_text()


def test_every_icon_that_pages_use_exists() -> None:
    there = set(re.findall(r'symbol id="(\w+)"', (STATIC / "icons.svg").read_text()))
    used = {name for file in TEMPLATES.rglob("*.html") for name in re.findall(r'ui\.icon\("(\w+)"', file.read_text())}
    assert used <= there


def test_unknown_addresses_get_the_offices_own_page(clerk: Browser, browser: Browser) -> None:
    for who in (clerk, browser):
        answer = who.get("/no/such/page")
        assert answer.status_code == 404
        assert "There is no such page" in answer.text


def test_a_fault_is_told_with_its_number_and_no_trace(
    app: Flask, clerk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(admin_web.messages, "listed", broken)
    answer = clerk.get("/messages")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_static_files_are_kept_by_browsers(browser: Browser) -> None:
    answer = browser.get("/static/app.css")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
