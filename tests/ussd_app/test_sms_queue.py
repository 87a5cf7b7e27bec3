"""The queue of messages: order, sending hours, pace, STOP, dead numbers."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from redis import Redis
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core import config
from core.clock import frozen, now
from core.config import Settings
from core.database import transaction
from core.message_failures import FailingNumber
from core.messages import DRAIN, Message, queue_message, wake
from core.opt_outs import start, stop, stopped
from core.outbox import Outbox
from tests.ussd_app.fake_gateway import FakeGateway, serving
from tests.ussd_app.sending import phone, queue, status, taking_everything
from ussd_app import sms
from ussd_app.delivery import report
from ussd_app.gateways.infobip_sms import InfobipSms
from ussd_app.sms_pace import Pace

NOON = datetime(2026, 11, 21, 9, tzinfo=UTC)  # 12:00 in Nairobi
NIGHT = datetime(2026, 11, 21, 0, tzinfo=UTC)  # 03:00 in Nairobi


@pytest.fixture
def fake(settings: Settings, redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    with taking_everything(settings, monkeypatch) as told:
        yield told


@pytest.fixture
def daytime(monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[None]:
    """The service with the sending hours that it has by default."""
    monkeypatch.setenv("SMS_WINDOW", "08:00-20:00")
    config.settings.cache_clear()
    yield
    monkeypatch.undo()
    config.settings.cache_clear()


def drains() -> list[datetime]:
    """When the drain is called next."""
    with transaction() as session:
        return list(session.scalars(select(Outbox.run_after).where(Outbox.job == DRAIN, Outbox.done_at.is_(None))))


def handed_over() -> None:
    """The relay has handed what there was to the workers."""
    with transaction() as session:
        session.execute(update(Outbox).values(handed_at=now()))


def test_answers_and_receipts_go_before_bills_and_bills_before_bulk(
    fake: FakeGateway, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms, "CALLS", 1)
    order = ["bulk", "bill", "alert", "receipt", "answer", "reply", "notice"]
    for number, kind in enumerate(order):
        queue(number, kind, kind)
    for _ in range(4):
        sms.drain(0)
    said = [parse_qs(body)["message"][0] for body in fake.bodies]
    assert sorted(said[:2]) == ["answer", "reply"]
    assert sorted(said[2:4]) == ["notice", "receipt"]
    assert said[4:] == ["alert", "bill", "bulk"]


def test_nobody_is_woken_for_a_bill(fake: FakeGateway, daytime: None) -> None:
    with frozen(NIGHT):
        bill, receipt = queue(1, "bill"), queue(2, "receipt")
        handed_over()
        sms.drain(0)
        assert (status(bill)[0], status(receipt)[0]) == ("queued", "sent")
        with transaction() as session:
            assert session.get_one(Message, bill).send_after == NIGHT.replace(hour=5), "08:00 in Nairobi"
        assert NIGHT.replace(hour=5) in drains()
    with frozen(NOON):
        sms.drain(0)
    assert status(bill)[0] == "sent"


def test_what_the_day_did_not_carry_waits_for_the_next(fake: FakeGateway, daytime: None) -> None:
    with frozen(NOON):
        bill = queue(1, "bill")
    with frozen(NOON.replace(hour=17)):  # 20:00 sharp: closed
        handed_over()
        sms.drain(0)
        assert status(bill)[0] == "queued"
        assert NOON + timedelta(hours=20) in drains()
    with frozen(NOON + timedelta(hours=20)):
        sms.drain(0)
    assert status(bill)[0] == "sent"


@pytest.mark.parametrize(
    ("window", "at", "opening"),
    [
        ("08:00-20:00", "2026-11-21T04:59:59", "2026-11-21T05:00:00"),
        ("08:00-20:00", "2026-11-21T05:00:00", "2026-11-21T05:00:00"),
        ("08:00-20:00", "2026-11-21T16:59:59", "2026-11-21T16:59:59"),
        ("08:00-20:00", "2026-11-21T17:00:00", "2026-11-22T05:00:00"),
        ("9:30-24:00", "2026-11-21T21:30:00", "2026-11-22T06:30:00"),
        ("00:00-24:00", "2026-11-21T21:30:00", "2026-11-21T21:30:00"),
    ],
)
def test_the_hours(settings: Settings, window: str, at: str, opening: str) -> None:
    hours = replace(settings, sms_window=window).sending_hours()
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert hours.opening(moment) == datetime.fromisoformat(opening).replace(tzinfo=UTC)


@pytest.mark.parametrize("window", ["", "8-20", "20:00-08:00", "08:00-25:00", "08:00-08:00"])
def test_hours_that_are_none(settings: Settings, window: str) -> None:
    with pytest.raises(ValueError, match="it "):
        replace(settings, sms_window=window).sending_hours()


@pytest.mark.parametrize(
    "wrong",
    [{"SMS_WINDOW": "8-20"}, {"SMS_GATEWAY": "pigeon"}, {"SMS_GATEWAY": "infobip"}, {"SMS_RATE": "0"},
     {"SMS_RATE": "nan"}, {"SMS_PRICE": "free"}],
)  # fmt: skip
def test_settings_with_which_nothing_could_be_sent(settings: Settings, wrong: dict[str, str]) -> None:
    with pytest.raises(
        config.SettingsError, match=next(iter(wrong)) if wrong != {"SMS_GATEWAY": "infobip"} else "INFO"
    ):
        config.Settings.from_env({**os.environ, **wrong})


def test_stop_keeps_bills_away_and_lets_receipts_through(fake: FakeGateway, session: Session) -> None:
    assert stop(session, phone(1), "sms")
    assert not stop(session, phone(1), "ussd")
    assert stopped(session, phone(1))
    session.commit()
    bill, receipt = queue(1, "bill"), queue(1, "receipt")
    sms.drain(0)
    assert (status(bill), status(receipt)[0]) == (("skipped", "stopped"), "sent")
    assert start(session, phone(1), "sms")
    assert not start(session, phone(1), "sms")
    session.commit()
    later = queue(1, "bill")
    sms.drain(0)
    assert status(later)[0] == "sent"


def test_a_dead_number_is_left_alone_until_it_is_cleared(fake: FakeGateway, session: Session) -> None:
    session.add(FailingNumber(phone=phone(1), failures=3, reason="UserDoesNotExist", failed_at=now(), flagged_at=now()))
    session.commit()
    bill, answer = queue(1, "bill"), queue(1, "answer")
    sms.drain(0)
    assert (status(bill), status(answer)[0]) == (("skipped", "flagged"), "sent")


def test_workers_that_race_send_each_message_once(fake: FakeGateway, database: str) -> None:
    ids = [queue(number, "receipt", f"r{number}") for number in range(30)]
    for number in range(10):
        queue(number, "bill", f"b{number}")
    with ThreadPoolExecutor(12) as pool:
        work = [pool.submit(sms.drain, 0) for _ in range(3)] + [pool.submit(sms.send, one) for one in ids for _ in "ab"]
        for done in work:
            done.result()
    with frozen(now() + timedelta(seconds=3)):  # whoever was too fast for the pace
        sms.drain(0)
    said = sorted(parse_qs(body)["message"][0] for body in fake.bodies)
    assert said == sorted([f"r{n}" for n in range(30)] + [f"b{n}" for n in range(10)])


def test_a_lost_answer_is_cleared_up_by_a_report_under_our_own_id(
    settings: Settings, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as told:
        told.hang_up = True
        made = InfobipSms(
            replace(settings, infobip_base_url=f"http://127.0.0.1:{told.port}", infobip_api_key="test-key")
        )
        monkeypatch.setattr(sms, "gateway", lambda: made)
        both = [queue(1, "bill", "one"), queue(1, "bill", "two")]
        sms.drain(0)
        assert {status(one) for one in both} == {("unknown", "lost")}
        named = {
            message["text"]: message["destinations"][0]["messageId"]
            for body in told.bodies
            for message in json.loads(body)["messages"]
        }
    with transaction() as session:
        assert report(session, named["two"], phone(1), "Success", "")
    assert [status(one)[0] for one in both] == ["unknown", "delivered"]


def test_a_transaction_of_many_bills_calls_the_drain_once(session: Session) -> None:
    for number in range(20):
        queue_message(session, phone(number), "Hello", "bill")
    session.commit()
    queue_message(session, phone(30), "Hello", "bill")
    session.commit()
    assert len(drains()) == 2
    wake(session, now())
    wake(session, now() + timedelta(hours=1))
    session.commit()
    assert len(drains()) == 2, "it is called anyhow"


def test_the_pace_is_kept_and_what_is_waited_for_goes_first(redis: "Redis") -> None:
    pace = Pace(redis, "test", 10)
    assert pace.take(500) == 40, "five seconds' worth, but for the second's worth that is kept back"
    assert pace.take(500) == 0
    waits = [pace.hurried() for _ in range(40)]
    assert waits[:10] == [0.0] * 10
    assert all(wait is None for wait in waits[31:]), "no more than two seconds are owed"
    owed = [wait for wait in waits[10:30] if wait is not None]
    assert owed == sorted(owed)
    assert 1 < owed[-1] <= 2
    pace.give_back(1000)
    assert pace.take(500) == 40, "never more than full"


def test_a_pace_of_less_than_one_a_second_still_moves(redis: "Redis") -> None:
    assert Pace(redis, "test", 0.5).take(5) >= 1


def test_when_we_are_too_fast_an_answer_waits_its_turn_in_the_queue(
    fake: FakeGateway, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "hurried", lambda _self: None)
    answer = queue(1, "answer")
    sms.send(answer)
    assert status(answer)[0] == "queued"
    with frozen(now() + timedelta(seconds=2)):
        sms.drain(0)
    assert status(answer)[0] == "sent"


def test_a_full_queue_behind_costs_nothing(session: Session) -> None:
    session.execute(
        Message.__table__.insert(),
        [
            {"direction": "out", "phone": phone(n), "body": "x", "kind": "bill", "language": "en", "status": "queued",
             "parts": 1, "created_at": NOON, "priority": 3, "send_after": now() + timedelta(hours=5)}
            for n in range(5000)
        ],
    )  # fmt: skip
    session.execute(text("ANALYZE message"))
    due = "SELECT id FROM message WHERE status = 'queued' AND priority = 3 AND send_after <= now()"
    plan = "\n".join(session.scalars(text(f"EXPLAIN {due} ORDER BY send_after, id LIMIT 500 FOR UPDATE SKIP LOCKED")))
    assert "ix_message_due" in plan, plan
    assert "Sort" not in plan, plan
