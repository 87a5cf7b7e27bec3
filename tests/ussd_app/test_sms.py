"""Sending: what the gateway says, what it does not say, and what reports say later."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from core.clock import now
from core.config import Settings
from core.database import transaction
from core.messages import Message, queue_message
from core.phone import Phone
from tests.ussd_app.fake_gateway import FakeGateway, recipients, serving
from ussd_app import sms
from ussd_app.delivery import report
from ussd_app.gateways.africastalking_sms import Accepted, NotSent, Refused, SmsGateway, Unclear, read_answer
from ussd_app.jobs import TryLater

PHONE = Phone("+254700000001")


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with serving() as told:
        yield told


@pytest.fixture
def gateway(fake: FakeGateway, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SmsGateway:
    made = SmsGateway(replace(settings, at_base_url=f"http://127.0.0.1:{fake.port}/version1"))
    monkeypatch.setattr(sms, "gateway", lambda: made)
    return made


def queued() -> int:
    with transaction() as session:
        message = queue_message(session, PHONE, "You owe KES 1,250", "bill")
        assert message
        return message.id


def message(message_id: int) -> Message:
    with transaction() as session:
        return session.get_one(Message, message_id)


def test_a_message_is_sent_as_the_package_sends_it(gateway: SmsGateway, fake: FakeGateway) -> None:
    message_id = queued()
    sms.send(message_id)
    assert (message(message_id).status, message(message_id).gateway_id) == ("sent", "ATXid_1")
    assert fake.asked == [
        {"username": "sandbox", "to": PHONE, "message": "You owe KES 1,250", "bulkSMSMode": "1",
         "path": "/version1/messaging"}
    ]  # fmt: skip
    sms.send(message_id)
    assert len(fake.asked) == 1, "a message that was sent is not sent again"


@pytest.mark.parametrize("content_type", ["application/json", "text/html", "application/json; charset=utf-8"])
def test_any_content_type_is_read(gateway: SmsGateway, fake: FakeGateway, content_type: str) -> None:
    fake.content_type = content_type
    assert gateway.send(PHONE, "Hello") == Accepted("ATXid_1")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (recipients(100), Accepted("ATXid_1")),
        (recipients(101), Accepted("ATXid_1")),
        (recipients(102), Accepted("ATXid_1")),
        (recipients(403, "InvalidPhoneNumber", "None"), Refused("InvalidPhoneNumber")),
        (recipients(406, "UserInBlacklist", "None"), Refused("UserInBlacklist")),
        (recipients(405, "InsufficientBalance", "None"), NotSent("InsufficientBalance")),
        (recipients(502, "RejectedByGateway", "None"), NotSent("RejectedByGateway")),
        ('{"SMSMessageData":{"Message":"InvalidSenderId","Recipients":[]}}', Refused("InvalidSenderId")),
        ("<html>ok</html>", Unclear("the answer could not be read")),
        ("", Unclear("the answer could not be read")),
        ("[]", Unclear("the answer could not be read")),
    ],
)
def test_every_answer_has_a_meaning(body: str, outcome: object) -> None:
    assert read_answer(body) == outcome


@pytest.mark.parametrize(("status", "kind"), [(401, NotSent), (429, NotSent), (400, Refused), (500, Unclear)])
def test_an_http_error_has_a_meaning(gateway: SmsGateway, fake: FakeGateway, status: int, kind: type) -> None:
    fake.status, fake.body = status, "The supplied authentication is invalid"
    assert isinstance(gateway.send(PHONE, "Hello"), kind)


def test_a_lost_answer_is_unknown_and_not_sent_again(gateway: SmsGateway, fake: FakeGateway) -> None:
    fake.hang_up = True
    message_id = queued()
    sms.send(message_id)
    sms.send(message_id)
    assert message(message_id).status == "unknown"
    assert len(fake.asked) == 1


def test_a_gateway_out_of_reach_is_tried_again(
    gateway: SmsGateway, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/version1"
    monkeypatch.setattr(sms, "gateway", lambda: SmsGateway(replace(settings, at_base_url=nowhere)))
    message_id = queued()
    with pytest.raises(TryLater):
        sms.send(message_id)
    assert message(message_id).status == "queued"
    monkeypatch.setattr(sms, "gateway", lambda: gateway)
    sms.send(message_id)
    assert message(message_id).status == "sent"


def test_a_crash_between_the_call_and_its_answer_leaves_it_unknown(gateway: SmsGateway, fake: FakeGateway) -> None:
    message_id = queued()
    with transaction() as session:
        session.get_one(Message, message_id).status = "sending"
    sms.send(message_id)
    assert message(message_id).status == "unknown"
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


def test_a_report_before_the_answer_is_not_undone_by_it(gateway: SmsGateway) -> None:
    message_id = queued()
    begun = sms._begun(message_id)
    assert begun
    with transaction() as session:
        assert report(session, "ATXid_1", PHONE, "Success", "")
    with transaction() as session:
        sms._settle(session.get_one(Message, message_id), Accepted("ATXid_1"), now())
    assert message(message_id).status == "delivered"
