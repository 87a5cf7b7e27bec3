"""Every route says who may use it, and every role is held to it, with real objects behind the addresses."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

import billing.demo
from admin_web import access
from admin_web.access import EVERYONE, PUBLIC, ROLES_OF
from admin_web.models import ROLES, OfficeUser
from core.clock import today
from core.database import transaction
from tests.admin_web.conftest import Browser
from ussd_app.cli import users as users_cli

NAMED = {value for name, value in vars(access).items() if name.isupper() and isinstance(value, frozenset)}
OWN = {"switch_keys", "login", "login_code", "logout", "own_password", "theme", "end_session", "end_other_sessions",
       "set_up_second_step", "renew_recovery_codes", "drop_second_step"}  # fmt: skip
"""What everybody does with her own login."""
HARMLESS = {"calculate"}
"""Changes nothing."""
VALUES = {
    "kind": "domestic", "name": "bill", "language": "sw", "rest": "nowhere", "deed": "allocate", "day": "2026-11-01",
}  # fmt: skip
TEMPLATES = Path(access.__file__).parent / "templates"


@pytest.fixture
def town(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small utility, so that an address with a number in it leads to something."""
    monkeypatch.setattr(billing.demo, "MONTHS", 2)
    with transaction() as own:
        billing.demo.seed_demo(own, today("Africa/Nairobi"))


def routes(app: Flask) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    """(endpoint, method, path with some id, roles) of every route of the office."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("office.") and rule.endpoint != "office.static":
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule.endpoint.removeprefix("office."), method, path_of(rule), ROLES_OF[rule.endpoint]


def path_of(rule: Rule) -> str:
    built = rule.build({name: VALUES.get(name, "1") for name in rule.arguments})
    assert built is not None
    return built[1].removeprefix("/office") or "/"


def test_every_route_is_declared_by_a_named_set(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static", "office.static"}
    assert endpoints == set(ROLES_OF)
    assert {endpoint: roles for endpoint, roles in ROLES_OF.items() if roles not in NAMED} == {}


def test_changes_are_never_for_auditors_and_what_is_to_be_seen_always_is(app: Flask) -> None:
    changing = {endpoint for endpoint, method, _, _ in routes(app) if method == "POST"}
    for endpoint, method, path, roles in routes(app):
        if method == "POST":
            assert "auditor" not in roles or endpoint in OWN | HARMLESS, path
            assert "administrator" in roles | (PUBLIC and {"administrator"}), path
        elif endpoint not in changing and not any(
            other in changing_paths(app) for other in (path, path.removesuffix("/new"))
        ):
            assert "auditor" in roles or roles == PUBLIC or path in FORMS, path


FORMS = {"/readings/judge"}
"""Pages that only help to fill in a form."""


def changing_paths(app: Flask) -> set[str]:
    return {path for _, method, path, _ in routes(app) if method == "POST"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_is_its_own_and_nothing_else(
    app: Flask, town: None, enter: Callable[[str], Browser], role: str
) -> None:
    browser = enter(role)
    for endpoint, method, path, roles in routes(app):
        if endpoint in ("logout", "end_session", "end_other_sessions"):
            continue
        answer = browser.get(path) if method == "GET" else browser.post(path, form_on="/password")
        if roles != PUBLIC and role not in roles:
            assert answer.status_code == 403, f"{role} {method} {path}: {answer.status_code}"
        else:
            assert answer.status_code not in (403, 500), f"{role} {method} {path}: {answer.status_code}"


@pytest.mark.parametrize("role", ROLES)
def test_a_page_offers_only_what_one_may_use(
    app: Flask, town: None, enter: Callable[[str], Browser], role: str
) -> None:
    """Follow every link and form of every page that the role may see; none may lead to a refusal."""
    browser, adapter = enter(role), app.url_map.bind("localhost")
    seen, refused = 0, set()
    for _endpoint, method, path, roles in routes(app):
        if method == "GET" and role in roles:
            answer = browser.get(path)
            if answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            for way, asked in offers(answer.text):
                endpoint, _ = adapter.match(way, method=asked)
                allowed = ROLES_OF.get(endpoint, EVERYONE)
                seen += 1
                if allowed != PUBLIC and role not in allowed:
                    refused.add(f"{asked} {way} on {path}")
    assert refused == set()
    assert seen > 300


def offers(text: str) -> Iterator[tuple[str, str]]:
    """Address and method of each link and form of a page, without queries."""
    for address in re.findall(r'(?:href|hx-get)="(/office/[^"#?]*)', text):
        yield address, "GET"
    for attributes in re.findall(r"<form([^>]*)>", text):
        if found := re.search(r'action="(/office/[^"#?]*)', attributes):
            yield found[1], "POST" if 'method="post"' in attributes else "GET"


def test_templates_ask_about_pages_that_are_there() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text()
        for endpoint in re.findall(r'\bcan\("(\w+)"\)', text):
            assert f"office.{endpoint}" in ROLES_OF, f"{file.name}: {endpoint}"
        assert not re.search(r"\bmay_(work|administer)\b", text), f"{file.name}: ask can(endpoint)"


def test_nobody_sees_anything_before_the_login(app: Flask, browser: Browser) -> None:
    tokens = browser.tokens("/login")
    for _endpoint, method, path, roles in routes(app):
        if roles == PUBLIC:
            continue
        answer = browser.get(path) if method == "GET" else browser.client.post(f"/office{path}", data=tokens)
        assert answer.status_code == 303, path
        assert answer.location.startswith("/office/login"), path


def test_a_part_of_a_page_sends_the_whole_page_to_the_login(browser: Browser) -> None:
    answer = browser.get("/now", **{"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"].startswith("/office/login")


def test_a_form_without_its_token_is_refused(app: Flask, clerk: Browser) -> None:
    for _endpoint, method, path, _roles in routes(app):
        if method == "POST":
            answer = clerk.client.post(f"/office{path}", data={"name": "x"})
            assert answer.status_code == 400, path
            assert "too old" in answer.text


def test_the_command_knows_the_same_roles(office_user: Callable[[str, str], OfficeUser]) -> None:
    assert users_cli.ROLES == ROLES
    for role in ROLES:
        assert office_user(f"one-{role}", role).role == role
