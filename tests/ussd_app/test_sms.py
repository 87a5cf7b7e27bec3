"""Sending: what the gateway says, what it does not say, and what reports say later."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import frozen, now
from core.config import Settings
from core.database import transaction
from core.message_failures import FailingNumber
from core.message_hold import SmsHold, hold
from core.messages import DRAIN, Message, queue_message
from core.outbox import Outbox
from core.phone import Phone
from tests.ussd_app.fake_gateway import FakeGateway, recipients, serving
from ussd_app import sms
from ussd_app.delivery import report
from ussd_app.gateways.africastalking_sms import AfricasTalkingSms, read_answer
from ussd_app.gateways.any_sms import Accepted, NotSent, Outcome, Refused, Unclear
from ussd_app.sms_outcomes import MOST_TRIES, settle

PHONE = Phone("+254700000001")


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with serving() as told:
        yield told


@pytest.fixture
def gateway(
    fake: FakeGateway, settings: Settings, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> AfricasTalkingSms:
    made = AfricasTalkingSms(replace(settings, at_base_url=f"http://127.0.0.1:{fake.port}/version1"))
    monkeypatch.setattr(sms, "gateway", lambda: made)
    return made


def queued(kind: str = "receipt") -> int:
    with transaction() as session:
        message = queue_message(session, PHONE, "You owe KES 1,250", kind)
        assert message
        return message.id


def message(message_id: int) -> Message:
    with transaction() as session:
        return session.get_one(Message, message_id)


def sent_alone(gateway: AfricasTalkingSms) -> Outcome:
    return gateway.send({PHONE: ""}, "Hello")[PHONE]


def test_a_message_is_sent_as_the_package_sends_it(gateway: AfricasTalkingSms, fake: FakeGateway) -> None:
    message_id = queued()
    sms.send(message_id)
    assert (message(message_id).status, message(message_id).gateway_id) == ("sent", "ATXid_1")
    assert fake.asked == [
        {"username": "sandbox", "to": PHONE, "message": "You owe KES 1,250", "bulkSMSMode": "1",
         "path": "/version1/messaging"}
    ]  # fmt: skip
    sms.send(message_id)
    sms.drain(0)
    assert len(fake.asked) == 1, "a message that was sent is not sent again"


@pytest.mark.parametrize("content_type", ["application/json", "text/html", "application/json; charset=utf-8"])
def test_any_content_type_is_read(gateway: AfricasTalkingSms, fake: FakeGateway, content_type: str) -> None:
    fake.content_type = content_type
    assert sent_alone(gateway) == Accepted("ATXid_1")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (recipients(100), Accepted("ATXid_1")),
        (recipients(101), Accepted("ATXid_1")),
        (recipients(102), Accepted("ATXid_1")),
        (recipients(403, "InvalidPhoneNumber", "None"), Refused("InvalidPhoneNumber")),
        (recipients(406, "UserInBlacklist", "None"), Refused("UserInBlacklist")),
        (recipients(405, "InsufficientBalance", "None"), NotSent("InsufficientBalance", "account")),
        (recipients(502, "RejectedByGateway", "None"), NotSent("RejectedByGateway")),
        ('{"SMSMessageData":{"Message":"InvalidSenderId","Recipients":[]}}', Refused("InvalidSenderId")),
        ('{"SMSMessageData":{"Message":"InsufficientBalance","Recipients":[]}}',
         NotSent("InsufficientBalance", "account")),
        ("<html>ok</html>", Unclear("unreadable")),
        ("", Unclear("unreadable")),
        ("[]", Unclear("unreadable")),
        ("[" * 100_000, Unclear("unreadable")),
    ],
)  # fmt: skip
def test_every_answer_has_a_meaning(body: str, outcome: object) -> None:
    assert read_answer(body, [PHONE]) == {PHONE: outcome}


@pytest.mark.parametrize(("status", "kind"), [(401, NotSent), (429, NotSent), (400, Refused), (500, Unclear)])
def test_an_http_error_has_a_meaning(gateway: AfricasTalkingSms, fake: FakeGateway, status: int, kind: type) -> None:
    fake.status, fake.body = status, "The supplied authentication is invalid"
    assert isinstance(sent_alone(gateway), kind)


def test_a_lost_answer_is_unknown_and_not_sent_again(gateway: AfricasTalkingSms, fake: FakeGateway) -> None:
    fake.hang_up = True
    message_id = queued()
    sms.send(message_id)
    sms.send(message_id)
    sms.drain(0)
    assert message(message_id).status == "unknown"
    assert len(fake.asked) == 1


def test_a_gateway_out_of_reach_holds_the_queue_and_is_tried_again(
    gateway: AfricasTalkingSms, fake: FakeGateway, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/version1"
    monkeypatch.setattr(sms, "gateway", lambda: AfricasTalkingSms(replace(settings, at_base_url=nowhere)))
    first, second = queued(), queued()
    sms.send(first)
    assert (message(first).status, message(first).tries) == ("queued", 1)
    monkeypatch.setattr(sms, "gateway", lambda: gateway)
    sms.send(second)
    sms.drain(0)
    assert fake.asked == [], "while it is held nothing is sent"
    with frozen(now() + timedelta(seconds=6)):
        sms.drain(0)
    assert (message(first).status, message(second).status) == ("sent", "sent")
    with transaction() as session:
        assert session.scalars(select(SmsHold)).all() == []


def test_refused_for_now_is_tried_less_and_less_often_and_then_given_up(
    gateway: AfricasTalkingSms, fake: FakeGateway
) -> None:
    fake.body = recipients(501, "GatewayError", "None")
    message_id, start = queued(), now()
    sms.send(message_id)
    waits = []
    for _ in range(MOST_TRIES["message"] - 1):
        one = message(message_id)
        waits.append((one.send_after - start).total_seconds())
        with transaction() as session:
            assert session.scalar(select(Outbox.id).where(Outbox.job == DRAIN, Outbox.done_at.is_(None)))
        start = one.send_after
        with frozen(start - timedelta(seconds=1)):
            sms.drain(0)
        with frozen(start):
            sms.drain(0)
    assert [round(wait) for wait in waits] == [5, 10, 20, 40, 80, 160, 320]
    assert (message(message_id).status, message(message_id).failure_reason) == ("failed", "gave up: GatewayError")
    assert len(fake.asked) == MOST_TRIES["message"]


def test_no_credit_holds_everything_and_counts_no_try(gateway: AfricasTalkingSms, fake: FakeGateway) -> None:
    fake.body = recipients(405, "InsufficientBalance", "None")
    first, second = queued(), queued()
    sms.send(first)
    sms.send(second)
    assert len(fake.asked) == 1
    with transaction() as session:
        one = session.scalars(select(SmsHold)).one()
        assert (one.fault, one.reason, one.checks) == ("account", "InsufficientBalance", 1)
        due = one.next_try_at
    with frozen(due):
        sms.drain(0)
    assert len(fake.asked) == 2, "one message tries, not all of them"
    with transaction() as session:
        due = session.scalars(select(SmsHold)).one().next_try_at
    fake.body = recipients()
    with frozen(due):
        sms.drain(0)
    assert [(message(one).status, message(one).tries) for one in (first, second)] == [("sent", 0), ("sent", 0)]


def test_while_it_is_held_nothing_goes_and_then_one_goes_ahead(gateway: AfricasTalkingSms, fake: FakeGateway) -> None:
    fake.body = recipients(405, "InsufficientBalance", "None")
    with transaction() as session:
        due = hold(session, "africastalking", "account", "InsufficientBalance")
    bills = [queued("bill") for _ in range(5)]
    sms.drain(0)
    assert fake.asked == []
    with frozen(due):
        sms.drain(0)
    assert len(fake.asked) == 1
    assert {message(bill).status for bill in bills} == {"queued"}


def test_a_crash_between_the_call_and_its_answer_leaves_it_unknown(
    gateway: AfricasTalkingSms, fake: FakeGateway
) -> None:
    alone, batched = queued(), queued()
    with transaction() as session:
        session.get_one(Message, alone).status = "sending"
        session.get_one(Message, batched).status = "sending"
        session.get_one(Message, batched).batched = True
    sms.send(alone)
    sms.send(batched)
    assert (message(alone).status, message(batched).status) == ("unknown", "sending")
    sms.drain(0)
    assert message(batched).status == "unknown"
    assert fake.asked == []


Reported = Callable[..., str]


@pytest.fixture
def reported(session: Session) -> Reported:
    """The state of a message in `before` after the reports in this order."""

    def after(*statuses: str, before: str = "sent", gateway_id: str | None = "ATXid_1") -> str:
        sent = queue_message(session, PHONE, "Hello", "bill")
        assert sent
        sent.status, sent.gateway_id, sent.sent_at = before, gateway_id, now()
        session.flush()
        for status in statuses:
            assert report(session, "ATXid_1", PHONE, status, "AbsentSubscriber" if status == "Failed" else "")
        return sent.status

    return after


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (["Sent", "Submitted", "Buffered"], "sent"),
        (["Success"], "delivered"),
        (["Success", "Sent", "Failed", "Success"], "delivered"),
        (["Failed", "Sent"], "failed"),
        (["Rejected"], "failed"),
        (["Failed", "Success"], "delivered"),
        (["Unheard"], "sent"),
    ],
)
def test_reports_come_in_any_order(reported: Reported, statuses: list[str], state: str) -> None:
    assert reported(*statuses) == state


def test_a_report_names_a_message_whose_answer_was_lost(reported: Reported) -> None:
    assert reported("Success", before="unknown", gateway_id=None) == "delivered"


def test_a_report_that_could_mean_two_messages_means_none(session: Session) -> None:
    for _ in range(2):
        lost = queue_message(session, PHONE, "Hello", "bill")
        assert lost
        lost.status, lost.sent_at = "unknown", now()
    session.flush()
    assert not report(session, "ATXid_1", PHONE, "Success", "")


def test_a_report_before_the_answer_is_not_undone_by_it(gateway: AfricasTalkingSms) -> None:
    message_id = queued()
    assert sms._begun(message_id)
    with transaction() as session:
        assert report(session, "ATXid_1", PHONE, "Success", "")
    with transaction() as session:
        settle(session, "africastalking", session.get_one(Message, message_id), Accepted("ATXid_1"))
    assert message(message_id).status == "delivered"


def test_a_number_that_fails_three_times_in_a_row_is_flagged(session: Session) -> None:
    def fails(reason: str, times: int = 1) -> None:
        for _ in range(times):
            one = queue_message(session, PHONE, "Hello", "receipt")
            assert one
            one.status, one.gateway_id = "sent", f"ATXid_{one.id}"
            session.flush()
            for _doubled in range(2):
                assert report(session, one.gateway_id, PHONE, "Success" if not reason else "Failed", reason)

    def flagged() -> bool:
        return session.scalar(select(FailingNumber.flagged_at)) is not None

    fails("UserDoesNotExist", 2)
    assert not flagged(), "a report that comes twice counts once"
    fails("")
    fails("UserDoesNotExist", 2)
    fails("AbsentSubscriber", 5)
    assert not flagged(), "a phone that is switched off is no dead number, and one that was reached begins anew"
    fails("UserDoesNotExist")
    assert flagged()
