"""Readings: judged by dials and history, written once, billed to the last unit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.meters import MeterRefusal, assign_meter, meter_at, register_meter, remove_meter, replace_meter
from billing.models import Connection, Meter, MeterAssignment, Reading
from billing.readings import (
    Recorded,
    Refused,
    accept_reading,
    judge,
    latest_reading,
    readings_of,
    reject_reading,
    review_queue,
)
from core.clock import frozen
from tests.billing.estate import BEGUN, Estate, at_once, must_read, read

NOON = datetime(2026, 11, 21, 9, tzinfo=UTC)
TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def _today() -> object:
    with frozen(NOON):
        yield


@pytest.fixture
def home(session: Session) -> Connection:
    """A connection that uses 20 a month: 100 in January, 280 at the end of October."""
    connection = Estate(session).metered("+254700000001")
    for month in range(2, 11):
        must_read(session, connection, 100 + 20 * (month - 1), date(2026, month, 28))
    return connection


@pytest.mark.parametrize(
    ("value", "kind", "usage"),
    [
        (298, "ok", 18), (280, "low", 0), (310, "ok", 30), (330, "high", 50), (279, "below", None),
        (-1, "below", None), (100_000, "too_many_digits", None),
    ],
)  # fmt: skip
def test_a_value_is_judged_by_the_dials_and_their_history(
    session: Session, home: Connection, value: int, kind: str, usage: int | None
) -> None:
    judgement = judge(session, home.id, Decimal(value))
    assert (judgement.kind, judgement.usage) == (kind, usage)
    assert judgement.previous is not None
    assert judgement.previous.value == 280


def test_days_matter(session: Session, home: Connection) -> None:
    assert judge(session, home.id, Decimal(330), on=TODAY + timedelta(days=1)).kind == "future"
    assert judge(session, home.id, Decimal(285), on=date(2026, 10, 27)).kind == "out_of_order"
    assert judge(session, home.id, Decimal(280), on=date(2026, 10, 28)).kind == "duplicate"


def test_without_a_meter_there_is_nothing_to_read(session: Session) -> None:
    connection = Estate(session).connection()
    assert judge(session, connection.id, Decimal(5)).kind == "no_meter"
    assert isinstance(read(session, connection, 5, TODAY), Refused)
    assert latest_reading(session, connection.id) is None


def test_a_customer_is_asked_again_about_an_unusual_reading(session: Session, home: Connection) -> None:
    say = {"source": "customer_ussd", "entered_by": "customer +254700000001", "confirmed": False}
    refused = read(session, home, 400, TODAY, **say)
    assert isinstance(refused, Refused)
    assert refused.kind == "high"
    recorded = read(session, home, 400, TODAY, **{**say, "confirmed": True})
    assert isinstance(recorded, Recorded)
    assert recorded.status == "review"
    last = latest_reading(session, home.id)
    assert last is not None
    assert last.value == 280
    assert [one.id for one in review_queue(session)] == [recorded.reading.id]
    low = read(session, home, 280, TODAY, **{**say, "confirmed": True})
    assert low.status == "accepted"


def test_the_office_decides_about_a_review(session: Session, home: Connection) -> None:
    say = {"source": "customer_sms", "entered_by": "customer +254700000001"}
    first, second = (read(session, home, value, TODAY, **say).reading for value in (400, 500))
    accepted = accept_reading(session, first.id, "office amina")
    assert isinstance(accepted, Recorded)
    assert (first.usage, first.status, first.decided_by) == (120, "accepted", "office amina")
    assert isinstance(accept_reading(session, first.id, "office amina"), Refused)
    assert reject_reading(session, second.id, "office amina", "misread")
    assert not reject_reading(session, second.id, "office amina", "misread")
    assert (second.status, second.note) == ("rejected", "misread")
    assert review_queue(session) == []


def test_a_review_that_no_longer_follows_stays_in_review(session: Session, home: Connection) -> None:
    waiting = read(session, home, 400, TODAY, source="customer_ussd").reading
    must_read(session, home, 410, TODAY)
    refused = accept_reading(session, waiting.id, "office amina")
    assert isinstance(refused, Refused)
    assert (refused.kind, waiting.status) == ("below", "review")


def test_the_same_reading_again_is_the_same_reading(session: Session, home: Connection) -> None:
    one, again = must_read(session, home, 300, TODAY), must_read(session, home, 300, TODAY)
    assert again.judgement.kind == "duplicate"
    assert again.reading.id == one.reading.id
    assert len(readings_of(session, home.id)) == 11
    assert readings_of(session, home.id, before=one.reading.id, limit=1)[0].value == 280


def test_readings_at_once_are_one(session: Session, home: Connection) -> None:
    session.commit()
    done = at_once([lambda own: must_read(own, home, 300, TODAY).reading.id for _ in range(5)])
    assert len(set(done)) == 1
    assert session.scalar(select(func.count()).select_from(Reading).where(Reading.value == 300)) == 1


def test_different_readings_at_once_follow_each_other(session: Session, home: Connection) -> None:
    session.commit()
    at_once([lambda own, value=value: read(own, home, value, TODAY) for value in (290, 295, 300, 305)])
    billed = session.scalar(select(func.sum(Reading.usage)).where(Reading.connection_id == home.id))
    last = latest_reading(session, home.id)
    assert last is not None
    assert last.value == 305
    assert billed == 205


def test_the_dials_go_round_only_from_their_top(session: Session) -> None:
    estate = Estate(session)
    near, far = estate.metered(start=99_990), estate.metered(start=80_000)
    done = must_read(session, near, 5, TODAY)
    assert (done.judgement.rollover, done.reading.usage, done.reading.note) == (True, 15, "rollover")
    assert judge(session, far.id, Decimal(5)).kind == "below"


def test_a_meter_is_registered_and_put_in_place_once(session: Session) -> None:
    estate = Estate(session)
    meter = register_meter(session, " km 77 ", digits=5, size_mm=15)
    assert isinstance(meter, Meter)
    assert meter.serial == "KM77"
    assert register_meter(session, "KM77", digits=5, size_mm=15) == MeterRefusal("serial_taken")
    assert register_meter(session, "KM78", digits=2, size_mm=15) == MeterRefusal("digits")
    one, other = estate.connection(), estate.connection()
    put = {"on": BEGUN, "start_value": Decimal(7), "by": "office amina"}
    assert assign_meter(session, meter.id, one.id, on=BEGUN, start_value=Decimal(10**5), by="x") == MeterRefusal(
        "start_value"
    )
    assert isinstance(assign_meter(session, meter.id, one.id, **put), MeterAssignment)
    assert assign_meter(session, meter.id, other.id, **put) == MeterRefusal("meter_in_use")
    assert assign_meter(session, estate.meter().id, one.id, **put) == MeterRefusal("has_meter")
    opening = latest_reading(session, one.id)
    assert opening is not None
    assert (opening.value, opening.source, opening.entered_by) == (7, "opening", "office amina")


def test_two_clerks_put_one_meter_in_one_place(session: Session) -> None:
    estate = Estate(session)
    meter, homes = estate.meter(), [estate.connection() for _ in range(3)]
    session.commit()
    done = at_once(
        [
            lambda own, home=home: assign_meter(own, meter.id, home.id, on=BEGUN, start_value=Decimal(0), by="x")
            for home in homes
        ]
    )
    assert sum(isinstance(one, MeterAssignment) for one in done) == 1


def test_a_replaced_meter_loses_no_usage(session: Session, home: Connection) -> None:
    estate_meter = register_meter(session, "KMNEW", digits=6, size_mm=15)
    old = meter_at(session, home.id)
    assert isinstance(estate_meter, Meter)
    assert old is not None
    swap = {"on": date(2026, 11, 10), "start_value": Decimal(3), "by": "office amina"}
    bad = replace_meter(session, home.id, estate_meter.id, removal_value=Decimal(200), **swap)
    assert bad == MeterRefusal("reading")
    half = replace_meter(session, home.id, old.id, removal_value=Decimal(290), **swap)
    assert half == MeterRefusal("retired")
    assert meter_at(session, home.id) is old
    done = replace_meter(session, home.id, estate_meter.id, removal_value=Decimal(290), **swap)
    assert isinstance(done, MeterAssignment)
    must_read(session, home, 11, TODAY)
    assert session.scalar(select(func.sum(Reading.usage)).where(Reading.connection_id == home.id)) == 190 + 8
    assert session.get_one(Meter, old.id, populate_existing=True).status == "retired"
    assert remove_meter(session, home.id, on=TODAY, removal_value=Decimal(1), by="x") == MeterRefusal("reading")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["read", "read", "swap"]), st.integers(0, 90)), max_size=8))
def test_billed_usage_is_what_went_through_the_dials(session: Session, events: list[tuple[str, int]]) -> None:
    """Over any chain of readings, dials that go round and swapped meters."""
    with session.begin_nested() as attempt:
        estate = Estate(session)
        home, day, dial, used = estate.metered(start=950, digits=3), BEGUN, 950, 0
        for event, units in events:
            day += timedelta(days=30)
            used, dial = used + units, (dial + units) % 1000
            if event == "read" and isinstance(read(session, home, dial, day), Refused):
                used, dial = used - units, (dial - units) % 1000
            elif event == "swap":
                new = estate.meter(3)
                done = replace_meter(
                    session, home.id, new.id, on=day, removal_value=Decimal(dial), start_value=Decimal(units), by="x"
                )
                if isinstance(done, MeterRefusal):
                    used, dial = used - units, (dial - units) % 1000
                else:
                    dial = units
        assert session.scalar(select(func.sum(Reading.usage)).where(Reading.connection_id == home.id)) == used
        attempt.rollback()
