"""The next bill: what was read already, and for the days to come what such months use; rated as a run rates it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.history import Used, days_by_month, used_between
from billing.models import BillingRun, Connection, ZoneSeason
from billing.months import last_day, month_of, months_before, next_month
from billing.pricing import PriceBook
from billing.projection import Projection, project
from billing.unbilled import Unbilled, unbilled_of
from core.money import Money

BACK = 25  # months of readings: two years, and the month that has begun
LEAST_DAYS = 7  # fewer say nothing about a month
HALF = 15  # days that make a month count as one
LEAST_MONTHS = 3  # fewer, and the newest days say more
ENOUGH_DAYS = 28  # so that each day of the week weighs the same, and a month is not judged by two of its days


@dataclass(frozen=True, slots=True)
class Likely:
    """One end of what is likely: four in five bills are between the two."""

    usage: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class Expected:
    """The bill to expect for what is used up to the day `until`. `usage` is in the meter's unit, whole.

    `least` and `most` are None where too few months say how far off it may be. They are bills of their own: with
    blocks, the bill of the expected usage is not the middle of theirs.
    """

    usage: Decimal
    amount: Money
    until: date
    least: Likely | None = None
    most: Likely | None = None


def forecast_bill(session: Session, connection: Connection, today: date) -> Expected | str:
    """What the next bill will be; writes nothing. 'too_early' where too little was read yet, or 'no_tariff'."""
    session.flush()
    month = _month_to_bill(session, today)
    until = last_day(month)
    since = unbilled_of(session, connection.id, until)
    daily = _projected(session, connection, month)
    if since is None or since.opened_on is None or daily is None:
        return "too_early"
    rest_days = max((until - (since.closed_on or since.opened_on)).days, 0)
    book = PriceBook(session)

    def at(units_a_day: float) -> Likely | None:
        usage = (since.usage + Decimal(units_a_day) * rest_days).quantize(Decimal(1), ROUND_HALF_UP)
        return _likely(book, since, month, usage)

    expected = at(daily.daily)
    if expected is None:
        return "no_tariff"
    least, most = (at(end) if end is not None else None for end in (daily.low, daily.high))
    return Expected(expected.usage, expected.amount, until, least, most)


def _likely(book: PriceBook, since: Unbilled, month: date, usage: Decimal) -> Likely | None:
    priced = book.price(since, month, until=last_day(month), usage=usage)
    return None if isinstance(priced, str) else Likely(usage, priced.charge.total)


def _month_to_bill(session: Session, today: date) -> date:
    """The month after the last one that was billed; the last month at the earliest, this one before the first run."""
    billed = session.scalar(select(func.max(BillingRun.period)).where(BillingRun.status == "issued"))
    if billed is None:
        return month_of(today)
    return max(next_month(billed), month_of(month_of(today) - timedelta(days=1)))


def _projected(session: Session, connection: Connection, month: date) -> Projection | None:
    """The units a day of `month`; None where readings cover too few days."""
    used = used_between(session, connection.id, months=BACK)
    known = [(one, float(usage / days)) for one, usage, days in days_by_month(used) if days >= HALF and one <= month]
    if len(known) < LEAST_MONTHS:
        newest = _newest(used)
        return Projection(float(newest)) if newest is not None else None
    seasons = session.execute(
        select(ZoneSeason.month, ZoneSeason.share).where(
            ZoneSeason.zone_id == connection.zone_id, ZoneSeason.month >= months_before(month, BACK + 12)
        )
    )
    return project(known, month, dict(seasons.tuples().all()))


def _newest(used: Sequence[Used]) -> Decimal | None:
    """What is used on a day, by the newest days that readings cover; None where they are too few."""
    usage, days = Decimal(0), 0
    for one in reversed(used):
        length = (one.until - one.since).days
        taken = min(length, ENOUGH_DAYS - days)
        usage += one.usage * taken / length if length else one.usage
        days += taken
        if days == ENOUGH_DAYS:
            break
    return usage / days if days >= LEAST_DAYS else None
