"""The edge: what is not a lawful request changes nothing and never shows a trace."""

import pytest
from flask.testing import FlaskClient
from redis import Redis

from core.config import Settings
from tests.ussd_app.handset import Dial
from tests.ussd_app.town import Household
from ussd_app.gateways.africastalking import LABEL_HEADER, inputs_of
from ussd_app.gateways.dialect import caller, our_code

LAWFUL = {
    "sessionId": "ATUid_1", "phoneNumber": "+254700000001", "networkCode": "63902", "serviceCode": "*384*7#",
    "text": "",
}  # fmt: skip


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


def test_the_label_of_the_step_goes_back_in_the_header(homes: list[Household], client: FlaskClient, ussd: str) -> None:
    dialled = [client.post(ussd, data={**LAWFUL, "phoneNumber": homes[0].phone}) for _ in range(2)]
    labels = {answer.headers[LABEL_HEADER] for answer in dialled}
    assert len(labels) == 1, "the same for the same step"
    [label] = labels
    assert label.startswith("choose:read,pay,")
    assert len(label) <= 99
    assert LABEL_HEADER not in client.post(ussd, data={**LAWFUL, "serviceCode": "*384*9#"}).headers, "a mere regret"


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("*384*7#", "*384*7#"),
        ("384*7", "*384*7#"),
        ("*384*7*5*7391#", "*384*7#"),
        ("*384*77#", "*384#"),
        ("*483*7*5*7391#", "*483#"),
        ("", ""),
        ("***#", ""),
    ],
)
def test_of_a_code_nothing_is_kept_that_may_be_a_pin(database: str, code: str, kept: str) -> None:
    assert our_code(code) == kept


def test_a_number_is_read_as_gateways_write_it() -> None:
    for raw in ("+254700000001", " 254700000001", "254700000001", "0700000001", "0700 000 001"):
        assert caller(raw, "KE") == "+254700000001"
    assert caller("233200585542", "KE") == "+233200585542"
    for raw in ("", "+0", "hello", "1" * 400, "*384*7#"):
        assert caller(raw, "KE") is None
