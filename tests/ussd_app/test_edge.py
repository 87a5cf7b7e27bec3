"""The short way for the steps of sessions: it answers as Flask does, and leaves to Flask what is no lawful step."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from redis import Redis
from werkzeug.test import Client
from werkzeug.wrappers import Response

from core.config import Settings
from tests.ussd_app.town import Household
from ussd_app import edge
from ussd_app.edge import Edge
from ussd_app.gateways.dialect import Latest
from ussd_app.gateways.web import DIALECTS
from ussd_app.turn import Answer, Turn

FORM = "application/x-www-form-urlencoded"


def behind(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """What stands for Flask: it says that it was asked, and what it could read."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("299 Flask", [])
    return [body]


@pytest.fixture
def client() -> Client:
    return Client(Edge(behind, DIALECTS), Response)


def hop(settings: Settings, **changed: str) -> tuple[str, str]:
    form = {
        "sessionId": "ATUid_1", "phoneNumber": "+254700000001", "networkCode": "63902", "serviceCode": "*384*7#",
        "text": "", **changed,
    }  # fmt: skip
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in form.items())
    return f"/ussd/{settings.gateway_secret}/africastalking", body


def test_a_step_is_answered_and_labelled(
    homes: list[Household], redis: "Redis", client: Client, settings: Settings
) -> None:
    path, body = hop(settings, phoneNumber=homes[0].phone)
    answer = client.post(path, data=body, content_type=FORM)
    assert answer.status_code == 200
    assert answer.get_data(as_text=True).startswith("CON Maji Safi Water\nAmina Otieno")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    again = client.post(path, data=body, content_type=FORM)
    assert (again.data, dict(again.headers)) == (answer.data, dict(answer.headers)), "a repeat differs in no byte"


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/office", "", ""),
        ("/ussd/wrong/africastalking", "text=", FORM),
        ("/ussd/{secret}/nobody", "text=", FORM),
        ("/ussd/{secret}/africastalking", "text=1", FORM),
        ("/ussd/{secret}/africastalking", "text=%2A&sessionId=" + "x" * 200, FORM),
        ("/ussd/{secret}/africastalking", "x" * 20_000, FORM),
        ("/ussd/{secret}/africastalking", "text=1", "text/plain"),
        ("/ussd/{secret}/africastalking/events", "text=1", FORM),
        ("/ussd/{secret}/hubtel", "[1]", "application/json"),
    ],
)
def test_all_else_is_flasks_with_its_body(
    client: Client, settings: Settings, path: str, body: str, content_type: str
) -> None:
    answer = client.post(path.format(secret=settings.gateway_secret), data=body, content_type=content_type)
    assert answer.status_code == 299
    assert answer.get_data(as_text=True) == body


def test_a_wrong_method_is_flasks(client: Client, settings: Settings) -> None:
    path, _body = hop(settings)
    for answer in (client.get(path), client.put(path), client.head(path)):
        assert answer.status_code == 299


FIELDS = ("sessionId", "phoneNumber", "networkCode", "serviceCode", "text", "other")
VALUES = st.one_of(st.sampled_from(("ATUid_1", "+254700000001", "63902", "*384*7#", "1*2", "")), st.text(max_size=20))


@hypothesis(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=8), st.binary(max_size=6))
def test_a_form_is_read_as_flask_reads_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, pairs: list[tuple[str, str]], garbage: bytes
) -> None:
    """The same step, or none, for any bytes."""
    seen: list[Turn | Latest] = []

    def taken(step: Turn | Latest) -> Answer:
        seen.append(step)
        return Answer("", ends=True)

    monkeypatch.setattr(edge, "take_step", taken)
    path, _ = hop(settings)
    body = "&".join(f"{name}={quote_plus(value, errors='surrogatepass')}" for name, value in pairs).encode() + garbage
    answer = Client(Edge(behind, DIALECTS), Response).post(path, data=body, content_type=FORM)
    request_form = _as_flask_reads(body)
    expected = DIALECTS[0].read(request_form)
    assert (answer.status_code == 200) == isinstance(expected, Turn)
    assert seen == ([expected] if isinstance(expected, Turn) else [])


def _as_flask_reads(body: bytes) -> dict[str, object]:
    from flask import Flask, request

    with Flask("reader").test_request_context("/", method="POST", data=body, content_type=FORM):
        return dict(request.form.to_dict())


def test_json_takes_the_short_way_too(
    homes: list[Household], redis: "Redis", client: Client, settings: Settings
) -> None:
    told = {
        "SessionId": "s1", "Mobile": homes[0].phone, "ServiceCode": "*384*7#", "Type": "Initiation",
        "Message": "*384*7#", "Operator": "63902", "Sequence": 1,
    }  # fmt: skip
    answer = client.post(f"/ussd/{settings.gateway_secret}/hubtel", json=told)
    assert answer.status_code == 200
    assert "Amina Otieno" in json.loads(answer.data)["Message"]
