"""Each dialect's bytes: what a gateway sends is read as it is meant, and what it is answered is what it understands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.config import Settings
from core.gates import GATEWAYS
from ussd_app.gateways import dialect
from ussd_app.gateways.africastalking import LONGEST_LABEL, label_of
from ussd_app.gateways.dialect import Dialect, without_numbers
from ussd_app.gateways.web import DIALECTS, fields_of
from ussd_app.turn import Answer, Turn

WIRE = Path(__file__).parent / "wire"
CASES = sorted(WIRE.glob("*/*.json"))


@pytest.fixture(params=CASES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"gateway": request.param.parent.name, **json.loads(request.param.read_text())}


def named(name: str) -> Dialect:
    return next(each for each in DIALECTS if each.name == name)


@contextmanager
def at(app: Flask, case: dict[str, Any]) -> Iterator[None]:
    asked = case["request"]
    with app.test_request_context(
        f"/ussd/secret/{case['gateway']}", method=asked["method"], query_string=asked.get("query"),
        data=asked.get("body"), content_type=asked.get("type"),
    ):  # fmt: skip
        yield


def test_a_request_is_read_as_it_is_meant(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, case: dict[str, Any]
) -> None:
    there = replace(settings, service_code=case["service_code"], region=case.get("region", "KE"))
    monkeypatch.setattr(dialect, "settings", lambda: there)
    speaks = named(case["gateway"])
    read = speaks.read_end if case.get("events") else speaks.read
    assert read is not None
    with at(app, case):
        found = read(fields_of(speaks))
    told = {"is": type(found).__name__, **(found._asdict() if isinstance(found, Turn) else asdict(found))}
    assert {name: value for name, value in json.loads(json.dumps(told)).items() if name in case["read"]} == case["read"]
    assert "7391" not in repr(found)


def test_an_answer_is_written_as_it_is_understood(case: dict[str, Any]) -> None:
    if "answer" not in case:
        return
    wire = named(case["gateway"]).write(case["read"]["session_id"], Answer(**case["answer"]))
    assert wire.body == case["response"]["body"].encode()
    assert wire.content_type == case["response"]["type"]
    assert dict(wire.headers) == case["response"]["headers"]


def test_every_dialect_has_its_bytes_written_down_and_a_name_in_the_settings() -> None:
    for each in DIALECTS:
        assert [file for file in CASES if file.parent.name == each.name], each.name
        assert each.name in GATEWAYS


@pytest.mark.parametrize(
    ("screen", "label"),
    [
        ("choose:read|pay|balance", "choose:read,pay,balance"),
        ("ask:amount", "ask:amount"),
        ("end", "end"),
        ("", ""),
        ("choose:1000017|1000025", ""),
        ("choose:+254700000001", ""),
        ("ask:\r\nX-Other: 1", ""),
    ],
)
def test_a_label_holds_our_own_words_alone(screen: str, label: str) -> None:
    assert label_of(screen) == label


def test_a_long_label_is_cut() -> None:
    label = label_of("choose:" + "|".join(["report"] * 40))
    assert len(label) <= LONGEST_LABEL
    assert "|" not in label


def test_a_gateways_remark_loses_its_numbers() -> None:
    assert without_numbers("HTTP 500 after 7391, then 12345678") == "HTTP 500 after ****, then ****"
