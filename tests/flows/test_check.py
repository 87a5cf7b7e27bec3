"""The walk over every path finds nothing, and would find what it is there for."""

from dataclasses import replace

import pytest

from core import i18n
from flows import check, sample_world
from flows.menu import ussd_menu
from flows.pages import Budget
from flows.sample_world import KINDS


def test_every_path_of_every_flow_keeps_its_promises() -> None:
    report = check.check().as_json()
    assert report["violations"] == []
    assert report["languages"] == ["en", "sw", "fr", "rw", "id"]
    assert 0 < int(str(report["max_septets"])) <= 178
    assert int(str(report["paths"])) > 20_000


def walked(kind: str = "one connection", language: str = "en", budget: int = 156) -> list[str]:
    report = check.CheckReport()
    check.Walk("here", ussd_menu, kind, language, Budget(budget), report).start()
    return report.violations


def test_a_missing_translation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = {msgid: said for msgid, said in i18n.catalog("sw").items() if msgid != "Nothing was paid."}
    monkeypatch.setattr(check, "catalog", lambda _language: lacking)
    assert any("not translated: 'Nothing was paid.'" in told for told in walked(language="sw"))


def test_a_page_that_is_too_wide_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "septets", lambda text: len(text) + 100)
    assert any("septets" in told for told in walked())


def test_an_exception_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_world.SampleWorld, "balance", lambda *_: 1 / 0)
    assert any("ZeroDivisionError" in told for told in walked())


def test_a_world_that_changes_between_step_and_replay_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(range(10**9))
    told = lambda self: replace(KINDS["one connection"], name=f"N{next(names)}")  # noqa: E731
    monkeypatch.setattr(sample_world.SampleWorld, "identify", told)
    assert any("differs when dialled through" in told for told in walked())
