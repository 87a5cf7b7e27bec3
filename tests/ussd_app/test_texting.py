"""SMS from customers: each is kept once, answered once, and a question finds its answer for a while."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.models import Customer, Reading
from core import opt_outs
from core.clock import frozen
from core.config import Settings
from core.conversations import Conversation, ConversationHop
from core.database import transaction
from core.messages import Message
from core.outbox import Outbox
from tests.ussd_app.town import Household, settle_town
from ussd_app import inbound, limits
from ussd_app.effects import Effect

Text = Callable[..., int]


@pytest.fixture
def home(session: Session) -> Household:
    return settle_town(session, 1)[0]


@pytest.fixture
def text(client: FlaskClient, settings: Settings) -> Text:
    """Deliver an SMS as the gateway does; the number of times it was answered 200."""

    def deliver(body: str, *, sender: str = "+254700000001", gateway_id: str = "id-1") -> int:
        form = {
            "date": "2026-11-21 06:04:45", "from": sender, "id": gateway_id, "linkId": "", "text": body, "to": "20880",
            "networkCode": "63902",
        }  # fmt: skip
        return client.post(f"/sms/{settings.gateway_secret}/africastalking/inbound", data=form).status_code

    return deliver


def received() -> list[Message]:
    with transaction() as session:
        return list(session.scalars(select(Message).where(Message.direction == "in").order_by(Message.id)))


def answered() -> list[str]:
    """Do the waiting inbound jobs, and give all answers so far."""
    with transaction() as session:
        waiting = list(session.scalars(select(Outbox).where(Outbox.job == "inbound.answer").order_by(Outbox.id)))
    for row in waiting:
        inbound.answer_message(row.subject_id)
    with transaction() as session:
        return list(session.scalars(select(Message.body).where(Message.direction == "out").order_by(Message.id)))


def count(session: Session, model: type[Effect] | type[Outbox] | type[Reading]) -> int:
    session.rollback()
    return len(list(session.scalars(select(model))))


def test_a_message_is_kept_and_answered_once_however_often_it_comes(text: Text, home: Household) -> None:
    for _ in range(3):
        assert text("BAL") == 200
    assert len(received()) == 1
    assert len(answered()) == 1
    [answer] = answered()
    assert home.account_no in answer
    assert "KES 1,250" in answer


def test_many_deliveries_at_once_keep_one(text: Text, home: Household) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(text, ["BAL"] * 8)) == {200}
    assert len(received()) == 1


def test_unknown_text_is_kept_for_the_office_and_answered_with_help(text: Text, home: Household) -> None:
    text("my meter is running backwards")
    [answer] = answered()
    assert "BAL" in answer
    assert received()[0].body == "my meter is running backwards"


def test_a_name_for_a_sender_is_kept_and_not_answered(text: Text) -> None:
    assert text("Your bundle expires", sender="Safaricom") == 200
    assert answered() == []
    assert received()[0].phone == "Safaricom"


def test_characters_that_no_table_takes_do_no_harm(text: Text, home: Household) -> None:
    assert text("BAL\0 \x01") == 200
    assert text("é💧" * 2000, gateway_id="id-2") in (200, 413)
    assert len(answered()) >= 1


def test_a_reading_by_sms_is_entered_once_though_the_job_runs_again(
    text: Text, home: Household, session: Session, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    text("READ 117")

    def crash(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt("the worker is killed before it queues the answer")

    with monkeypatch.context() as patched:
        patched.setattr(inbound, "queue_message", crash)
        with pytest.raises(KeyboardInterrupt):
            answered()
    redis.flushall()
    [answer] = answered()
    assert "117" in answer
    assert count(session, Effect) == 1
    assert len(answered()) == 1


def test_a_question_by_sms_finds_its_answer(text: Text, home: Household, session: Session) -> None:
    text("READ 900", gateway_id="id-1")
    [question] = answered()
    [yes] = re.findall(r"(\d)\. Yes", question)
    assert count(session, Effect) == 0
    text(yes, gateway_id="id-2")
    assert len(answered()) == 2
    assert count(session, Effect) == 1
    text(yes, gateway_id="id-3")
    assert "BAL" in answered()[-1], "the conversation is over, so a bare number means nothing"


def test_a_message_worked_on_again_after_later_ones_moves_nothing(
    text: Text, home: Household, session: Session
) -> None:
    text("READ 900", gateway_id="id-1")
    answered()
    text("1", gateway_id="id-2")
    replies = answered()
    with transaction() as books:
        books.query(Message).filter(Message.direction == "out").delete()
    assert answered() == replies
    assert count(session, Effect) == 1


def test_another_keyword_opens_another_conversation(text: Text, home: Household) -> None:
    text("READ 900", gateway_id="id-1")
    text("BAL", gateway_id="id-2")
    assert "KES 1,250" in answered()[-1]


def test_two_phones_have_two_conversations(text: Text, home: Household, session: Session) -> None:
    [other] = settle_town(session, 1, first=2)
    text("READ 900", gateway_id="id-1")
    answered()
    text("1", gateway_id="id-2", sender=other.phone)
    assert "BAL" in answered()[-1], "nobody asked her"
    assert count(session, Effect) == 0


def test_without_memory_a_late_answer_gets_help(text: Text, home: Household, redis: "Redis") -> None:
    text("READ 900", gateway_id="id-1")
    answered()
    redis.flushall()
    text("1", gateway_id="id-2")
    assert "BAL" in answered()[-1]


def test_who_is_not_registered_is_told_how(text: Text) -> None:
    text("BAL", sender="+254722000009")
    [answer] = answered()
    assert "*384*7#" in answer


def test_an_answer_to_a_question_of_long_ago_is_told_so(text: Text, home: Household, session: Session) -> None:
    with frozen(datetime(2026, 11, 21, 10, 0, tzinfo=UTC)):
        text("READ 900", gateway_id="id-1")
        answered()
    with frozen(datetime(2026, 11, 21, 10, 16, tzinfo=UTC)):
        text("1", gateway_id="id-2")
        assert answered()[-1] == "That question is no longer open. Text READ to begin again."
    assert count(session, Effect) == 0


def test_a_question_waits_beneath_another_conversation(text: Text, home: Household, session: Session) -> None:
    text("READ 900", gateway_id="id-1")
    text("BAL", gateway_id="id-2")
    assert answered()[-1].endswith("We still wait for your answer to READ.")
    text("1", gateway_id="id-3")
    assert "900" in answered()[-1]
    assert count(session, Effect) == 1


def test_stop_ends_what_was_begun_and_start_undoes_it(text: Text, home: Household, session: Session) -> None:
    text("READ 900", gateway_id="id-1")
    text("Stop.", gateway_id="id-2")
    assert "START" in answered()[-1]
    assert opt_outs.stopped(session, home.phone)
    text("1", gateway_id="id-3")
    answered()
    assert "review" not in readings(session), "the question about 900 is gone"
    text("START", gateway_id="id-4")
    answered()
    session.rollback()
    assert not opt_outs.stopped(session, home.phone)


def test_a_slip_of_the_thumb_is_asked_about_before_anything_is_done(
    text: Text, home: Household, session: Session
) -> None:
    text("RAED 117", gateway_id="id-1")
    assert "READ" in answered()[-1]
    assert count(session, Effect) == 0
    text("1", gateway_id="id-2")
    assert "117" in answered()[-1]
    assert count(session, Effect) == 1


def test_a_pin_is_never_asked_for_by_sms(text: Text, home: Household, session: Session) -> None:
    session.execute(update(Customer).values(pin_hash="set"))
    session.commit()
    text("PAY", gateway_id="id-1")
    [phone] = re.findall(r"(\d)\. From another phone", answered()[-1])
    text(phone, gateway_id="id-2")
    assert answered()[-1] == "A PIN is never sent by SMS. Please dial *384*7# for this."


def test_a_conversation_is_archived_as_it_was_seen(text: Text, home: Household, session: Session) -> None:
    text("READ 900", gateway_id="id-1")
    answered()
    text("1", gateway_id="id-2")
    replies = answered()
    kept = session.scalars(select(Conversation)).one()
    assert (kept.channel, kept.outcome, kept.hops) == ("sms", "completed", 2)
    hops = session.scalars(select(ConversationHop).order_by(ConversationHop.position)).all()
    assert [(hop.said, hop.reply) for hop in hops] == [("READ 900", replies[0]), ("1", replies[1])]


def test_who_texts_too_often_is_told_once_and_stop_is_heard_all_the_same(
    text: Text, home: Household, session: Session, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    few = replace(settings, limit_messages=2, demo=False)
    monkeypatch.setattr(limits, "settings", lambda: few)
    for at in range(5):
        text("BAL", gateway_id=f"id-{at}")
    text("STOP", gateway_id="id-stop")
    told = answered()
    assert [answer for answer in told if "too often" in answer] == told[2:3]
    assert len(told) == 4
    assert opt_outs.stopped(session, home.phone)


def test_a_number_that_blocked_our_sender_gets_no_bulk(
    client: FlaskClient, settings: Settings, session: Session, home: Household
) -> None:
    address = f"/sms/{settings.gateway_secret}/africastalking/opt-out"
    for _ in range(2):
        assert client.post(address, data={"senderId": "MAJI", "phoneNumber": home.phone}).status_code == 200
    assert opt_outs.stopped(session, home.phone)
    assert client.post(address, data={"senderId": "MAJI", "phoneNumber": "nobody"}).status_code == 400


def readings(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Reading.status)))
