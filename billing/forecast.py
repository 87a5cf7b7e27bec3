"""The next bill, if the days go on like the last ones. It is rated as the billing run will rate it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.history import Used, used_between
from billing.models import BillingRun, Connection
from billing.months import last_day, month_of, next_month
from billing.pricing import PriceBook
from billing.unbilled import unbilled_of
from core.money import Money

LEAST_DAYS = 7  # fewer say nothing about a month
ENOUGH_DAYS = 28  # so that each day of the week weighs the same, and a month is not judged by two of its days


@dataclass(frozen=True, slots=True)
class Expected:
    """The bill to expect for what is used up to the day `until`. `usage` is in the meter's unit, whole."""

    usage: Decimal
    amount: Money
    until: date


def forecast_bill(session: Session, connection: Connection, today: date) -> Expected | str:
    """What the next bill will be; writes nothing. 'too_early' where too little was read yet, or 'no_tariff'."""
    session.flush()
    month = _month_to_bill(session, today)
    until = last_day(month)
    since = unbilled_of(session, connection.id, until)
    daily = _daily(used_between(session, connection.id))
    if since is None or since.opened_on is None or daily is None:
        return "too_early"
    rest_days = max((until - (since.closed_on or since.opened_on)).days, 0)
    usage = (since.usage + daily * rest_days).quantize(Decimal(1), ROUND_HALF_UP)
    priced = PriceBook(session).price(since, month, until=until, usage=usage)
    return "no_tariff" if isinstance(priced, str) else Expected(usage, priced.charge.total, until)


def _month_to_bill(session: Session, today: date) -> date:
    """The month after the last one that was billed; the last month at the earliest, this one before the first run."""
    billed = session.scalar(select(func.max(BillingRun.period)).where(BillingRun.status == "issued"))
    if billed is None:
        return month_of(today)
    return max(next_month(billed), month_of(month_of(today) - timedelta(days=1)))


def _daily(used: Sequence[Used]) -> Decimal | None:
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
