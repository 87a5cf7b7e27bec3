"""What was used by month, the next bill, and the warning above a limit."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.alerts import set_alert
from billing.batches import run_now
from billing.forecast import Expected, forecast_bill
from billing.history import Used, spread, usage_by_month
from billing.invoices import current_bill
from billing.meters import register_meter, replace_meter
from billing.models import BillingRun, Connection, Meter, MeterAssignment, Reading, TariffVersion
from billing.readings import Recorded, accept_reading
from billing.runs import issue_run, start_run
from core.clock import frozen
from core.messages import Message
from core.money import Money
from core.phone import Phone
from tests.billing.estate import TEN_A_UNIT, Estate, must_read, read

WANJIKU = Phone("+254700000001")
TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def _in_november() -> Iterator[None]:
    with frozen(datetime(2026, 11, 21, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def connection(session: Session) -> Connection:
    """Read at the end of January with 100. It costs ten a unit, and one a day."""
    rules = TEN_A_UNIT | {"fixed_charges": [{"name": "rent", "amount": 1, "per": "day"}]}
    return Estate(session, rules).metered(str(WANJIKU))


def months(session: Session, connection: Connection) -> list[tuple[int, Decimal]]:
    return [(one.first.month, one.usage) for one in usage_by_month(session, connection.id)]


def test_an_interval_is_spread_over_its_months_by_days(session: Session, connection: Connection) -> None:
    assert usage_by_month(session, connection.id) == []
    must_read(session, connection, 159, date(2026, 3, 31))  # 59 days: 28 of February, 31 of March
    assert months(session, connection) == [(2, Decimal(28)), (3, Decimal(31))]
    must_read(session, connection, 164, date(2026, 4, 10))
    assert months(session, connection) == [(2, Decimal(28)), (3, Decimal(31)), (4, Decimal(5))]


def test_the_last_six_months_with_a_reading_are_told(session: Session, connection: Connection) -> None:
    for month in range(2, 11):
        must_read(session, connection, 100 + 10 * month, date(2026, month, 28))
    told = usage_by_month(session, connection.id)
    assert [one.first.month for one in told] == [5, 6, 7, 8, 9, 10]
    assert Decimal(58) < sum(one.usage for one in told) < Decimal(62)


def test_readings_that_do_not_count_are_left_out(session: Session, connection: Connection) -> None:
    must_read(session, connection, 110, date(2026, 2, 28))
    held = read(session, connection, 900, date(2026, 3, 31), source="customer_ussd")
    assert isinstance(held, Recorded)
    assert held.status == "review"
    assert months(session, connection) == [(2, Decimal(10))]


def test_a_swap_of_the_meter_loses_nothing(session: Session, connection: Connection) -> None:
    must_read(session, connection, 120, date(2026, 2, 28))
    new = register_meter(session, "KM999", digits=5, size_mm=15)
    assert isinstance(new, Meter)
    swapped = replace_meter(
        session,
        connection.id,
        new.id,
        on=date(2026, 3, 10),
        removal_value=Decimal(125),
        start_value=Decimal(3),
        by="test",
    )
    assert isinstance(swapped, MeterAssignment)
    must_read(session, connection, 10, date(2026, 3, 31))
    assert months(session, connection) == [(2, Decimal(20)), (3, Decimal(12))]


@given(st.lists(st.tuples(st.integers(0, 70), st.decimals(0, 500, places=3)), max_size=12))
def test_nothing_is_lost_between_months(intervals: list[tuple[int, Decimal]]) -> None:
    day, used = date(2026, 1, 31), []
    for days, usage in intervals:
        later = day + timedelta(days=days)
        used.append(Used(day, later, usage))
        day = later
    parts = spread(used)
    assert abs(sum((part for _, part in parts), Decimal(0)) - sum(usage for _, usage in intervals)) < Decimal("1e-9")
    assert all(part >= 0 and month.day == 1 for month, part in parts)


def bill(session: Session, month: date) -> None:
    run = start_run(session, month, "test", notify=False)
    assert isinstance(run, BillingRun)
    run_now(session, run.id)
    assert isinstance(issue_run(session, run.id, "test"), BillingRun)
    run_now(session, run.id)


def test_the_next_bill_goes_on_like_the_last_days(session: Session, connection: Connection) -> None:
    must_read(session, connection, 190, date(2026, 10, 31))
    bill(session, date(2026, 10, 1))
    must_read(session, connection, 210, date(2026, 11, 10))  # 2 a day, and 20 days are left
    expected = forecast_bill(session, connection, TODAY)
    assert isinstance(expected, Expected)
    usage = round(20 + 20 * Decimal(90) / 273)  # the nine months before were all the same
    assert (expected.usage, expected.amount) == (usage, Money.of(10 * usage + 30))
    assert expected.until == date(2026, 11, 30)
    assert expected.least is not None
    assert expected.most is not None
    assert expected.least.amount <= expected.amount <= expected.most.amount


def test_the_forecast_is_what_the_run_then_bills(session: Session, connection: Connection) -> None:
    must_read(session, connection, 131, date(2026, 10, 31))
    bill(session, date(2026, 10, 1))
    must_read(session, connection, 161, date(2026, 11, 30).replace(day=21))
    expected = forecast_bill(session, connection, TODAY)
    assert isinstance(expected, Expected)
    with frozen(datetime(2026, 12, 1, 9, tzinfo=UTC)):
        must_read(session, connection, 131 + expected.usage, date(2026, 11, 30))
        known = forecast_bill(session, connection, date(2026, 12, 1))
        assert isinstance(known, Expected)
        assert (known.usage, known.amount, known.until) == (expected.usage, expected.amount, expected.until)
        assert known.least == known.most  # every day is read
        bill(session, date(2026, 11, 1))
        billed = current_bill(session, connection.id)
    assert billed is not None
    assert (billed.usage, billed.amount) == (expected.usage, expected.amount)


def test_it_says_why_there_is_no_forecast(session: Session, connection: Connection) -> None:
    assert forecast_bill(session, connection, TODAY) == "too_early"
    must_read(session, connection, 105, date(2026, 2, 3))
    assert forecast_bill(session, connection, TODAY) == "too_early"  # three days are too few
    must_read(session, connection, 110, date(2026, 2, 10))
    assert isinstance(forecast_bill(session, connection, TODAY), Expected)
    connection.prepaid = True
    assert forecast_bill(session, connection, TODAY) == "too_early"
    connection.prepaid = False
    session.execute(update(TariffVersion).values(valid_from=date(2027, 1, 1)))
    assert forecast_bill(session, connection, TODAY) == "no_tariff"


def test_a_long_pause_of_billing_forecasts_the_last_month_at_the_earliest(
    session: Session, connection: Connection
) -> None:
    must_read(session, connection, 130, date(2026, 2, 28))
    bill(session, date(2026, 2, 1))
    expected = forecast_bill(session, connection, TODAY)
    assert isinstance(expected, Expected)
    assert expected.until == date(2026, 10, 31)


def warnings(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.kind == "alert").order_by(Message.id)))


def test_usage_above_the_limit_warns_once_a_month(session: Session, connection: Connection) -> None:
    assert set_alert(session, WANJIKU, Decimal(20))
    must_read(session, connection, 120, date(2026, 2, 20))  # twenty is not above it
    assert warnings(session) == []
    must_read(session, connection, 123, date(2026, 2, 25))
    must_read(session, connection, 140, date(2026, 2, 28))
    [warned] = warnings(session)
    assert (warned.phone, warned.connection_id) == (WANJIKU, connection.id)
    assert "has used 23 units in Feb 2026, more than your limit of 20" in warned.body
    must_read(session, connection, 170, date(2026, 3, 31))
    assert [one.key for one in warnings(session)] == [
        f"alert:{connection.id}:2026-02",
        f"alert:{connection.id}:2026-03",
    ]


def test_a_month_that_is_read_a_little_late_warns_as_well(session: Session, connection: Connection) -> None:
    set_alert(session, WANJIKU, Decimal(25))
    must_read(session, connection, 133, date(2026, 3, 5))  # 33 days at one a day: 28 of February, 5 of March
    [warned] = warnings(session)
    assert "has used 28 units in Feb 2026" in warned.body
    must_read(session, connection, 140, date(2026, 3, 12))
    assert len(warnings(session)) == 1


def test_a_reading_in_review_warns_when_it_is_accepted(session: Session, connection: Connection) -> None:
    set_alert(session, WANJIKU, Decimal(20))
    held = read(session, connection, 900, date(2026, 2, 28), source="customer_ussd")
    assert held.status == "review"
    assert warnings(session) == []
    accept_reading(session, held.reading.id, "office amina")
    assert len(warnings(session)) == 1


def test_without_a_limit_or_a_phone_nobody_is_warned(session: Session, connection: Connection) -> None:
    must_read(session, connection, 190, date(2026, 2, 28))
    set_alert(session, WANJIKU, Decimal(5))
    assert set_alert(session, WANJIKU, None)
    must_read(session, connection, 290, date(2026, 3, 31))
    assert not set_alert(session, Phone("+254700000009"), Decimal(5))
    assert warnings(session) == []
    assert session.scalars(select(Reading.status).distinct()).all() == ["accepted"]
