"""The edge: what is not a lawful request changes nothing and never shows a trace."""

import random
import re

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.config import Settings
from core.messages import Message
from core.outbox import Outbox
from tests.ussd_app.handset import Dial
from ussd_app.effects import Effect
from ussd_app.gateways.africastalking import inputs_of

LAWFUL = {
    "sessionId": "ATUid_1", "phoneNumber": "+254700000001", "networkCode": "63902", "serviceCode": "*384*7#",
    "text": "",
}  # fmt: skip
TRACES = re.compile(rb"Traceback|File \"|sqlalchemy|psycopg|redis\.|KeyError", re.IGNORECASE)


@pytest.fixture
def ussd(settings: Settings) -> str:
    return f"/ussd/{settings.gateway_secret}/africastalking"


def test_a_dial_is_answered_as_the_gateway_wants_it(client: FlaskClient, ussd: str) -> None:
    answer = client.post(ussd, data=LAWFUL)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.get_data(as_text=True).startswith("CON ")


@pytest.mark.parametrize("secret", ["wrong", "test-gateway-secre", "TEST-GATEWAY-SECRET", "ü" * 8, "%00", "x" * 500])
@pytest.mark.parametrize(
    "path",
    [
        "/ussd/{}/africastalking", "/ussd/{}/africastalking/events", "/sms/{}/africastalking/inbound",
        "/sms/{}/africastalking/delivery",
    ],
)  # fmt: skip
def test_who_does_not_know_the_secret_finds_nothing(
    client: FlaskClient, redis: "Redis", path: str, secret: str
) -> None:
    answer = client.post(path.format(secret), data=LAWFUL)
    assert answer.status_code == 404
    assert redis.dbsize() == 0


@pytest.mark.parametrize("missing", ["sessionId", "phoneNumber", "serviceCode", "text"])
def test_a_missing_field_is_refused(client: FlaskClient, ussd: str, redis: "Redis", missing: str) -> None:
    answer = client.post(ussd, data={name: value for name, value in LAWFUL.items() if name != missing})
    assert answer.status_code == 400
    assert answer.content_type == "text/plain; charset=utf-8"
    assert redis.dbsize() == 0


@pytest.mark.parametrize(
    "garbage",
    [
        {"sessionId": ""}, {"sessionId": "a b"}, {"sessionId": "x" * 200}, {"sessionId": "a\0b"},
        {"phoneNumber": "hello"}, {"phoneNumber": ""}, {"phoneNumber": "+0"}, {"phoneNumber": "1" * 400},
        {"serviceCode": "384"}, {"serviceCode": "*384*7#; DROP TABLE"}, {"networkCode": "safaricom"},
        {"text": "1" * 10_000},
    ],
)  # fmt: skip
def test_garbage_is_refused(client: FlaskClient, ussd: str, redis: "Redis", garbage: dict[str, str]) -> None:
    answer = client.post(ussd, data={**LAWFUL, **garbage})
    assert answer.status_code == 400
    assert redis.dbsize() == 0


def test_a_body_that_is_too_large_is_refused(client: FlaskClient, ussd: str) -> None:
    assert client.post(ussd, data={**LAWFUL, "more": "x" * 17_000}).status_code == 413


def test_other_methods_and_types_are_refused(client: FlaskClient, ussd: str) -> None:
    assert client.get(ussd).status_code == 405
    assert client.post(ussd, json=LAWFUL).status_code == 400


@pytest.mark.parametrize(
    "typed",
    [b"%FF%FE", b"%00", b"%C3%28", b"%F0%9F%92%A7", b"%ED%A0%80", b"%E2%80%A8", b"%0A%0D", b"%2A%2A%2A", b"+" * 900],
)
def test_any_bytes_she_types_get_a_screen(client: FlaskClient, ussd: str, typed: bytes) -> None:
    body = b"sessionId=ATUid_1&phoneNumber=%2B254700000001&networkCode=63902&serviceCode=%2A384%2A7%23&text=" + typed
    answer = client.post(ussd, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert answer.get_data(as_text=True)[:4] in ("CON ", "END ")


def test_a_session_that_is_far_too_long_ends_politely(handset: Dial) -> None:
    assert handset().dial(*["9"] * 200).startswith("END This has become too long")


@pytest.mark.parametrize(
    ("text", "code", "inputs"),
    [
        ("", "*384*7#", ()),
        ("1", "*384*7#", ("1",)),
        ("1*", "*384*7#", ("1", "")),
        ("1*0*2", "*384*7#", ("1", "0", "2")),
        ("2*500", "*384*7*2*500#", ("2", "500")),
        ("2*500*1", "*384*7*2*500#", ("2", "500", "1")),
        ("", "*384*7*2*500#", ("2", "500")),
        ("1", "*384*7*2*500#", ("2", "500", "1")),
        ("", "*384*77#", ()),
    ],
)
def test_what_was_dialled_behind_the_code_is_typed_already(text: str, code: str, inputs: tuple[str, ...]) -> None:
    assert inputs_of(text, code) == inputs


def test_two_thousand_strange_requests_and_never_a_500(
    client: FlaskClient, settings: Settings, session: Session
) -> None:
    dice = random.Random(20261121)
    paths = [
        f"/{channel}/{settings.gateway_secret}/africastalking{rest}"
        for channel, rest in (
            ("ussd", ""),
            ("ussd", ""),
            ("ussd", "/events"),
            ("sms", "/inbound"),
            ("sms", "/delivery"),
        )
    ]
    seen = set()
    for number in range(2000):
        path, body, content_type = dice.choice(paths), strange_body(dice), strange_type(dice)
        answer = client.post(path, data=body, content_type=content_type)
        seen.add(answer.status_code)
        assert answer.status_code < 500, (number, path, content_type, body[:300], answer.data)
        assert not TRACES.search(answer.data), (number, body[:300], answer.data)
        if path.startswith("/ussd") and not path.endswith("/events") and answer.status_code == 200:
            assert answer.data[:4] in (b"CON ", b"END "), answer.data
    assert {200, 400, 413} <= seen
    writes = session.scalar(select(func.count()).select_from(Effect))
    inbound = session.scalar(select(func.count()).select_from(Message))
    assert writes == 0
    assert session.scalar(select(func.count()).select_from(Outbox)) <= (inbound or 0)


NAMES = [
    *LAWFUL, "id", "from", "to", "date", "linkId", "status", "failureReason", "errorMessage", "cost",
    "durationInMillis", "hopsCount", "input", "lastAppResponse", "x", "", "text[]",
]  # fmt: skip
VALUES = [
    b"", b"1", b"%2B254700000002", b"+254700000003", b"0700000004", b"*384*7%23", b"%2A384%2A7%23", b"63902",
    b"Success", b"Failed", b"1*2*3", b"BAL", b"READ 1234", b"%00", b"%FF", b"%ED%A0%80", b"%F0%9F%92%A7",
    b"' OR 1=1 --", b"{{7*7}}", b"../../etc/passwd", b"%0d%0aX: y", b"-1", b"1e309", b"NaN", b"%E2%80%AE",
    b"9" * 5000, b"None",
]  # fmt: skip


def strange_body(dice: random.Random) -> bytes:
    kind = dice.random()
    if kind < 0.1:
        return dice.randbytes(dice.choice([0, 1, 100, 2000]))
    if kind < 0.15:
        return b"text=" + b"1*" * dice.choice([50, 3000, 9000])
    names = list(LAWFUL) if kind < 0.6 else dice.sample(NAMES, dice.randint(0, len(NAMES)))
    pairs = []
    for name in names:
        value = LAWFUL.get(name, "1").replace("+", "%2B").encode()
        if dice.random() < 0.35:
            value = dice.choice(VALUES) if dice.random() < 0.7 else dice.randbytes(dice.randint(0, 60))
        pairs.append(name.encode() + b"=" + value)
    pairs.append(b"id=" + str(dice.randrange(10**6)).encode())
    return b"&".join(pairs)


def strange_type(dice: random.Random) -> str:
    usual = "application/x-www-form-urlencoded"
    return dice.choice(
        [usual] * 12
        + [usual + "; charset=utf-16", usual + "; charset=nonsense", "application/json", "text/plain", "", "garbage",
           "multipart/form-data", "multipart/form-data; boundary=x"]
    )  # fmt: skip
