"""Limits and estimates: what a connection may be expected to use, and what is taken where nobody has read."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing.estimates import MOST_IN_A_ROW, estimate, estimates, record_estimate, record_estimates
from billing.judgement import judge
from billing.limits import limits, overload
from billing.meters import MeterAssignment, MeterRefusal, register_meter, replace_meter
from billing.models import Connection, Meter, Reading, SelfReading
from billing.models import MeterAssignment as Place
from billing.readings import Refused
from billing.unbilled import unbilled_of
from core.clock import frozen
from tests.billing.estate import Estate, at_once, must_read, read
from tests.billing.self_reading import TODAY, by_herself, home, november, usage_of

CLERK = "office amina"
__all__ = ["home", "november"]


def test_limits_go_by_category_and_by_the_meters_size() -> None:
    small, large = 15, 50
    assert limits(small, "domestic", [], 30).kind(Decimal(121)) == "high"
    assert limits(small, "commercial", [], 30).kind(Decimal(121)) == "ok"
    assert limits(small, "commercial", [], 1).kind(Decimal(76)) == "impossible"
    assert limits(large, "commercial", [], 1).kind(Decimal(76)) == "ok"
    assert limits(small, "domestic", [], 30, strict=True).kind(Decimal(110)) == "high"
    assert overload(30) == overload(15) * 4


def test_more_than_the_meter_can_pass_is_refused_or_parked(session: Session, home: Connection) -> None:
    impossible = 280 + 75 * 24 + 1
    refused = read(session, home, impossible, TODAY)
    assert isinstance(refused, Refused)
    assert refused.kind == "impossible"
    parked = read(session, home, impossible, TODAY, park=True)
    assert (parked.status, parked.reading.doubt) == ("review", "impossible")
    assert usage_of(session, home) == 180
    hers = by_herself(session, home, impossible + 1)
    assert (hers.status, hers.reading.doubt) == ("review", "high")


def test_a_customer_is_held_to_narrower_limits_until_compared(session: Session, home: Connection) -> None:
    assert judge(session, home.id, Decimal(280 + 36), on=TODAY, source="office").kind == "ok"
    assert judge(session, home.id, Decimal(280 + 36), on=TODAY, source="customer_ussd").kind == "high"
    session.add(SelfReading(connection_id=home.id, state="trusted", streak=0))
    session.flush()
    assert judge(session, home.id, Decimal(280 + 36), on=TODAY, source="customer_ussd").kind == "ok"


# Estimates


def test_an_estimate_goes_by_the_days_of_the_last_readings(session: Session, home: Connection) -> None:
    """60 units over the 92 days from 28 July to 28 October: 24 days are 16 units."""
    found = estimate(session, home.id, TODAY)
    assert found is not None
    assert (found.usage, found.value, found.reason) == (16, 296, "")
    made = record_estimate(session, home.id, TODAY, CLERK)
    assert isinstance(made, Reading)
    assert (made.source, made.status, made.value) == ("estimate", "accepted", 296)
    assert record_estimate(session, home.id, TODAY, CLERK) == "read"
    row = unbilled_of(session, home.id, TODAY)
    assert row is not None
    assert (row.estimated, row.usage) == (True, 196)


def test_estimates_in_a_row_are_capped(session: Session, home: Connection) -> None:
    for days in range(1, MOST_IN_A_ROW + 1):
        assert isinstance(record_estimate(session, home.id, date(2026, 11, days), CLERK), Reading)
    assert record_estimate(session, home.id, TODAY, CLERK) == "capped"
    must_read(session, home, 290, TODAY)
    assert usage_of(session, home) == 190


def test_without_history_or_while_one_is_in_doubt_nothing_is_estimated(session: Session, home: Connection) -> None:
    fresh = Estate.__new__(Estate)
    fresh.__dict__.update(session=session, zone_id=home.zone_id, tariff_id=home.tariff_id)
    new = fresh.metered()
    assert record_estimate(session, new.id, TODAY, CLERK) == "no_history"
    by_herself(session, home, 900)
    assert record_estimate(session, home.id, TODAY, CLERK) == "in_review"
    with pytest.raises(ValueError, match="day to come"):
        estimate(session, home.id, TODAY + timedelta(days=1))


def test_all_without_a_reading_are_estimated_once(session: Session, home: Connection) -> None:
    month = date(2026, 11, 1)
    assert [(one.connection_id, one.usage) for one in estimates(session, month, TODAY)] == [(home.id, 16)]
    assert estimates(session, date(2026, 10, 1), TODAY) == []
    assert record_estimates(session, month, TODAY, CLERK, zone_id=home.zone_id + 1) == 0
    assert record_estimates(session, month, TODAY, CLERK) == 1
    assert record_estimates(session, month, TODAY, CLERK) == 0
    assert estimates(session, month, TODAY) == []


def test_an_actual_reading_overtakes_estimates_even_when_it_shows_less(session: Session, home: Connection) -> None:
    record_estimate(session, home.id, TODAY - timedelta(days=10), CLERK)
    record_estimate(session, home.id, TODAY - timedelta(days=1), CLERK)
    done = must_read(session, home, 284, TODAY)
    assert (done.reading.usage, usage_of(session, home)) == (4, 184)
    gone = session.scalars(select(Reading.status).where(Reading.source == "estimate")).all()
    assert gone == ["superseded", "superseded"]


def test_a_swap_whose_old_meter_cannot_be_read(session: Session, home: Connection) -> None:
    new = register_meter(session, "KMNEW", digits=5, size_mm=15)
    assert isinstance(new, Meter)
    swap = {"on": date(2026, 11, 10), "removal_value": None, "start_value": Decimal(0), "by": CLERK}
    done = replace_meter(session, home.id, new.id, **swap)
    assert isinstance(done, MeterAssignment)
    old = session.scalars(select(Place).where(Place.to_on.is_not(None))).one()
    assert old.end_value == 288  # 13 days of 60 in 92
    must_read(session, home, 7, TODAY)
    assert usage_of(session, home) == 180 + 8 + 7
    with frozen(datetime(2026, 12, 21, 9, tzinfo=UTC)):
        # The new meter's eleven days count as eleven, not as a month: 7 + 40 units over 11 + 61 days, times 30.
        found = estimate(session, home.id, date(2026, 12, 21))
    assert found is not None
    assert found.usage == 20


def test_a_new_connections_meter_needs_its_last_reading(session: Session) -> None:
    estate = Estate(session)
    home, spare = estate.metered(), estate.meter()
    swap = {"on": date(2026, 2, 10), "removal_value": None, "start_value": Decimal(0), "by": CLERK}
    assert replace_meter(session, home.id, spare.id, **swap) == MeterRefusal("no_history")


def test_estimates_at_once_are_one(session: Session, home: Connection) -> None:
    session.commit()
    at_once([lambda own: record_estimate(own, home.id, TODAY, CLERK) for _ in range(3)])
    assert len(session.scalars(select(Reading).where(Reading.source == "estimate")).all()) == 1
    session.execute(text("UPDATE reading SET status = 'rejected' WHERE source = 'estimate'"))
    session.commit()
    made = at_once([lambda own: record_estimates(own, date(2026, 11, 1), TODAY, CLERK) for _ in range(3)])
    assert sum(made) == 1


def test_a_new_meter_that_was_not_read_yet_is_estimated_by_its_days(session: Session, home: Connection) -> None:
    new = register_meter(session, "KM900001", digits=5, size_mm=15)
    assert isinstance(new, Meter)
    swapped = replace_meter(
        session, home.id, new.id, on=date(2026, 11, 6), removal_value=Decimal(286), start_value=Decimal(3), by=CLERK
    )
    assert isinstance(swapped, Place)
    (one,) = estimates(session, date(2026, 11, 1), TODAY)
    # 20 a month: fifteen days are ten units, on the new dials.
    assert (one.connection_id, one.since, one.value, one.usage) == (home.id, date(2026, 11, 6), 13, 10)
    assert record_estimates(session, date(2026, 11, 1), TODAY, CLERK) == 1
    assert estimates(session, date(2026, 11, 1), TODAY) == []
    assert usage_of(session, home) == 286 - 100 + 10
    must_read(session, home, 14, TODAY)
    assert usage_of(session, home) == 286 - 100 + 11
