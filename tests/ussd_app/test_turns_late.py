"""A turn that takes too long: an END within the gateway's patience, and the answer by SMS once there is one."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from time import monotonic

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import select, text

from core.database import transaction
from core.messages import Message
from tests.ussd_app.handset import Dial, Handset
from tests.ussd_app.town import Household
from tests.ussd_app.walking import WALKS, effects, typed, walk
from ussd_app import late, take
from ussd_app.queues import PROMPT, queue
from ussd_app.stores import patient
from ussd_app.turn_books import TurnBooks

PROMISE = "END This takes longer than usual. We will SMS you the answer."


@contextmanager
def locked(home: Household) -> Iterator[None]:
    """Somebody else holds the connection's row, as a long transaction of the office might."""
    with transaction() as session:
        session.execute(text("SELECT FROM connection WHERE id = :id FOR UPDATE"), {"id": home.connection_id})
        yield


@contextmanager
def stopped_server() -> Iterator[None]:
    """PostgreSQL does not run any more and yet holds its connections: nobody answers, not even with an error."""
    with transaction() as session:
        one = session.scalar(text("SELECT pg_backend_pid()"))
        pids = list(session.scalars(text("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'mita%'")))
    stat = Path(f"/proc/{one}/stat").read_text()
    pids.append(int(stat.rpartition(")")[2].split()[1]))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def answered(phone: Handset, said: str) -> tuple[str, float]:
    began = monotonic()
    return phone.say(said), monotonic() - began


def answers(phone: Handset) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Message.body).where(Message.phone == phone.phone)))


def work() -> None:
    """What the clock and a worker do."""
    late.hand_over()
    SimpleWorker([queue(PROMPT)], connection=patient(), serializer=JSONSerializer).work(burst=True)


def test_a_lock_held_too_long_is_answered_by_sms(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    phone = handset(homes[0].phone)
    walk(phone, WALKS["reading"][:-1])
    with locked(homes[0]):
        screen, seconds = answered(phone, "117")
        assert screen == PROMISE
        assert seconds < 5
        assert phone.again() == PROMISE, "the gateway's second try is told the same"
    assert phone.say("1") == PROMISE, "and the session is over"
    assert effects(phone) == []
    work()
    [body] = answers(phone)
    assert "117" in body
    assert effects(phone) == [("3.0", "submit_reading")]
    work()
    assert answers(phone) == [body]
    assert redis.keys("mita:late*") == []


def test_a_server_that_hangs_is_answered_by_sms(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    phone = handset(homes[0].phone)
    first = phone.dial()
    said = typed(first, ("Balance",))
    with stopped_server():
        screen, seconds = answered(phone, said)
    assert screen == PROMISE
    assert seconds < 7
    work()
    [body] = answers(phone)
    assert "1,250" in body
    assert body.endswith("Dial *384*7# to go on.")
    assert "1. " not in body, "options of a screen that is gone are no use in an SMS"


def test_a_short_lock_is_waited_out(homes: list[Household], handset: Dial) -> None:
    phone = handset(homes[0].phone)
    walk(phone, WALKS["reading"][:-1])
    session = transaction()
    with session as holding:
        holding.execute(text("SELECT FROM connection WHERE id = :id FOR UPDATE"), {"id": homes[0].connection_id})
        release = Timer(0.5, holding.rollback)
        release.start()
        assert "117" in phone.say("117")
        release.join()


def test_the_answer_waits_for_as_long_as_the_lock(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    phone = handset(homes[0].phone)
    walk(phone, WALKS["reading"][:-1])
    with locked(homes[0]):
        phone.say("117")
        work()
        assert answers(phone) == []
    [name] = redis.zrange(late.LATE, 0, -1)
    late.finish(name.decode())
    assert len(answers(phone)) == 1


def test_what_was_asked_long_ago_is_not_done_any_more(
    homes: list[Household], handset: Dial, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = handset(homes[0].phone)
    walk(phone, WALKS["reading"][:-1])
    with locked(homes[0]):
        phone.say("117")
    monkeypatch.setattr(late, "TOO_LATE_S", -1)
    work()
    assert effects(phone) == []
    assert [body[:5] for body in answers(phone)] == ["Sorry"]


def test_nothing_that_was_typed_can_be_read_in_the_store(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    phone = handset(homes[0].phone)
    walk(phone, WALKS["reading"][:-1])
    with locked(homes[0]):
        phone.say("117")
    [name] = redis.zrange(late.LATE, 0, -1)
    kept = redis.get(f"mita:late:{name.decode()}")
    assert isinstance(kept, bytes)
    assert b"117" not in kept
    assert phone.phone.encode() not in kept


def test_without_the_store_nothing_is_promised(
    homes: list[Household], handset: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(take, "quick", lambda: nowhere)
    phone = handset(homes[0].phone)
    with locked(homes[0]):
        phone.inputs = ["1"]
        screen, seconds = answered(phone, "117")
    assert screen.startswith("END Sorry")
    assert seconds < 5


def test_the_twin_that_was_answered_in_time_is_believed(
    homes: list[Household], handset: Dial, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = handset(homes[0].phone)
    first = phone.dial()
    said = typed(first, ("Balance",))
    reading = TurnBooks.reading
    seen: list[str] = []

    def overtaken(books: TurnBooks) -> object:
        if not seen:
            seen.append("")
            seen.append(phone.again([said]))
            raise take.Late
        return reading(books)

    monkeypatch.setattr(TurnBooks, "reading", overtaken)
    assert phone.again([said]) == seen[1]
    assert redis.keys("mita:late*") == []
