"""One contract for every SMS gateway, over real HTTP: what each answer, and each missing answer, says of a message."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from threading import Event
from urllib.parse import parse_qs

import pytest

from core.config import Settings
from core.phone import Phone
from tests.ussd_app.fake_gateway import FakeGateway, serving
from ussd_app.gateways import africastalking_sms, infobip_sms
from ussd_app.gateways.any_sms import Accepted, NotSent, Outcome, Refused, SmsGateway, Unclear

PHONES = [Phone(f"+25470000000{n}") for n in range(1, 4)]
TEXT = "Maji: no water on 3 Dec, 8-12. {é}"


@dataclass(frozen=True)
class Dialect:
    """How a gateway writes what the tests mean: an answer naming each phone's fate, and what a request holds."""

    make: Callable[[Settings, int], SmsGateway]
    answer: Callable[[list[tuple[str, str]]], str]
    asked: Callable[[FakeGateway], tuple[list[str], str]]


def africastalking_answer(fates: list[tuple[str, str]]) -> str:
    codes = {"ok": (101, "Success"), "number": (403, "InvalidPhoneNumber"), "credit": (405, "InsufficientBalance"),
             "later": (501, "GatewayError")}  # fmt: skip
    rows = [
        {"statusCode": codes[fate][0], "number": phone, "status": codes[fate][1], "cost": "KES 0.8000",
         "messageId": f"id-{phone[-1]}" if fate == "ok" else "None", "messageParts": 1}
        for phone, fate in fates
    ]  # fmt: skip
    return json.dumps({"SMSMessageData": {"Message": f"Sent to {len(rows)}", "Recipients": rows}})


def africastalking_asked(fake: FakeGateway) -> tuple[list[str], str]:
    form = parse_qs(fake.bodies[-1])
    assert {name.lower(): value for name, value in fake.headers[-1].items()}["apikey"] == "test-api-key"
    return form["to"][0].split(","), form["message"][0]


def infobip_answer(fates: list[tuple[str, str]]) -> str:
    # As in Infobip's reference: "Send SMS message", response 200.
    states = {
        "ok": (1, "PENDING", 26, "PENDING_ACCEPTED"),
        "number": (5, "REJECTED", 52, "REJECTED_DESTINATION"),
        "credit": (5, "REJECTED", 12, "REJECTED_NOT_ENOUGH_CREDITS"),
        "later": (5, "REJECTED", 10, "REJECTED_SYSTEM_ERROR"),
    }
    rows = []
    for phone, fate in fates:
        group, group_name, number, name = states[fate]
        status = {"groupId": group, "groupName": group_name, "id": number, "name": name, "description": "As it says"}
        rows.append({"messageId": f"id-{phone[-1]}", "status": status, "to": phone.removeprefix("+")})
    return json.dumps({"bulkId": "4479960028603570", "messages": rows})


def infobip_asked(fake: FakeGateway) -> tuple[list[str], str]:
    message = json.loads(fake.bodies[-1])["messages"][0]
    assert fake.headers[-1]["Authorization"] == "App test-infobip-key"
    assert fake.asked[-1]["path"] == "/sms/2/text/advanced"
    assert [d["messageId"] for d in message["destinations"]] == [f"mita-{d['to'][-1]}" for d in message["destinations"]]
    return ["+" + destination["to"] for destination in message["destinations"]], message["text"]


DIALECTS = {
    "africastalking": Dialect(
        lambda settings, port: africastalking_sms.AfricasTalkingSms(
            replace(settings, at_base_url=f"http://127.0.0.1:{port}/version1")
        ),
        africastalking_answer,
        africastalking_asked,
    ),
    "infobip": Dialect(
        lambda settings, port: infobip_sms.InfobipSms(
            replace(settings, infobip_base_url=f"http://127.0.0.1:{port}", infobip_api_key="test-infobip-key")
        ),
        infobip_answer,
        infobip_asked,
    ),
}


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with serving() as told:
        yield told


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return DIALECTS[request.param]


@pytest.fixture
def gateway(dialect: Dialect, fake: FakeGateway, settings: Settings) -> SmsGateway:
    return dialect.make(settings, fake.port)


def send(gateway: SmsGateway, phones: list[Phone], body: str = TEXT) -> dict[Phone, Outcome]:
    return gateway.send({phone: f"mita-{phone[-1]}" for phone in phones}, body)


def own_id(gateway: SmsGateway, phone: Phone) -> str:
    """The id under which an unclear message may be reported: ours, where the gateway takes it."""
    return f"mita-{phone[-1]}" if gateway.takes_references else ""


def test_accepted(gateway: SmsGateway, dialect: Dialect, fake: FakeGateway) -> None:
    fake.body = dialect.answer([(PHONES[0], "ok")])
    assert send(gateway, PHONES[:1]) == {PHONES[0]: Accepted("id-1")}
    assert dialect.asked(fake) == ([PHONES[0]], TEXT)


def test_one_call_carries_many_and_each_has_its_own_fate(
    gateway: SmsGateway, dialect: Dialect, fake: FakeGateway
) -> None:
    fake.body = dialect.answer([(PHONES[2], "ok"), (PHONES[0], "ok"), (PHONES[1], "number")])
    outcomes = send(gateway, PHONES)
    assert (outcomes[PHONES[0]], outcomes[PHONES[2]]) == (Accepted("id-1"), Accepted("id-3"))
    assert isinstance(outcomes[PHONES[1]], Refused)
    assert len(fake.bodies) == 1
    assert dialect.asked(fake) == (PHONES, TEXT)


def test_a_number_that_the_answer_leaves_out_is_unclear(
    gateway: SmsGateway, dialect: Dialect, fake: FakeGateway
) -> None:
    fake.body = dialect.answer([(PHONES[0], "ok"), (PHONES[2], "ok")])
    assert send(gateway, PHONES)[PHONES[1]] == Unclear("unreadable", own_id(gateway, PHONES[1]))


@pytest.mark.parametrize(("fate", "fault"), [("later", "message"), ("credit", "account")])
def test_refused_for_now(gateway: SmsGateway, dialect: Dialect, fake: FakeGateway, fate: str, fault: str) -> None:
    fake.body = dialect.answer([(PHONES[0], fate)])
    outcome = send(gateway, PHONES[:1])[PHONES[0]]
    assert isinstance(outcome, NotSent)
    assert outcome.fault == fault


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [(400, Refused, ""), (401, NotSent, "account"), (403, NotSent, "account"), (404, Refused, ""),
     (429, NotSent, "gateway"), (500, Unclear, ""), (502, Unclear, ""), (503, Unclear, "")],
)  # fmt: skip
def test_http_errors(gateway: SmsGateway, fake: FakeGateway, status: int, kind: type, fault: str) -> None:
    fake.status, fake.body = status, '{"requestError":{"serviceException":{"messageId":"X","text":"no"}}}'
    outcome = send(gateway, PHONES[:1])[PHONES[0]]
    assert isinstance(outcome, kind)
    assert getattr(outcome, "fault", "") == fault


def test_a_lost_answer_leaves_all_unclear(gateway: SmsGateway, fake: FakeGateway) -> None:
    fake.hang_up = True
    assert send(gateway, PHONES) == {phone: Unclear("lost", own_id(gateway, phone)) for phone in PHONES}
    assert len(fake.bodies) == 1, "it is not sent again by itself"


@pytest.mark.parametrize("module", [africastalking_sms, infobip_sms], ids=["africastalking", "infobip"])
def test_a_slow_answer_is_a_lost_one(settings: Settings, module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", (1, 0.2))
    with serving() as fake:
        fake.hold = Event()
        gateway = DIALECTS["infobip" if module is infobip_sms else "africastalking"].make(settings, fake.port)
        outcome = send(gateway, PHONES[:1])[PHONES[0]]
        fake.hold.set()
    assert outcome == Unclear("lost", own_id(gateway, PHONES[0]))


def test_no_connection_means_not_sent(dialect: Dialect, settings: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert send(dialect.make(settings, port), PHONES) == {phone: NotSent("unreachable", "gateway") for phone in PHONES}


@pytest.mark.parametrize(
    "body",
    ["", "ok", "[]", "null", "{}", '"SMSMessageData"', "[" * 50_000, '{"messages": 3}', '{"SMSMessageData": null}',
     '{"messages": [{"status": {}}]}', '{"SMSMessageData": {"Recipients": [{"statusCode": "x"}]}}', "\x00\ud7ff"],
)  # fmt: skip
def test_garbage_is_unclear(gateway: SmsGateway, fake: FakeGateway, body: str) -> None:
    fake.body = body
    assert send(gateway, PHONES) == {phone: Unclear("unreadable", own_id(gateway, phone)) for phone in PHONES}


def test_a_redirect_is_not_followed_with_our_key(gateway: SmsGateway, fake: FakeGateway) -> None:
    fake.status, fake.body = 302, ""
    assert not isinstance(send(gateway, PHONES[:1])[PHONES[0]], Accepted)
    assert len(fake.bodies) == 1


def test_many_recipients(gateway: SmsGateway, dialect: Dialect, fake: FakeGateway) -> None:
    phones = [Phone(f"+2547001{n:05d}") for n in range(gateway.most)]
    fake.reply = lambda _body: dialect.answer([(phone, "ok") for phone in phones])
    outcomes = gateway.send(dict.fromkeys(phones, ""), TEXT)
    assert len(outcomes) == gateway.most
    assert all(isinstance(outcome, Accepted) for outcome in outcomes.values())
    assert len(fake.bodies) == 1
