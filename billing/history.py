"""What was used by month: each reading's usage is spread evenly over the days since the reading before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.months import last_day, month_of, next_month

MONTHS = 6
FINEST = Decimal("0.1")

# From the last reading before the first of the months on; by the index of accepted readings.
SINCE = text("""
    WITH newest AS (
        SELECT CAST(max(taken_on) AS timestamp) AS day FROM reading
        WHERE connection_id = :connection_id AND status = 'accepted'
    ), months AS (
        SELECT CAST(date_trunc('month', day) - make_interval(months => :back) AS date) AS first FROM newest
    )
    SELECT r.taken_on, r.usage FROM reading r, months m
    WHERE r.connection_id = :connection_id AND r.status = 'accepted' AND r.taken_on >= coalesce((
        SELECT max(b.taken_on) FROM reading b
        WHERE b.connection_id = :connection_id AND b.status = 'accepted' AND b.taken_on < m.first
    ), m.first)
    ORDER BY r.taken_on, r.id
""")


@dataclass(frozen=True, slots=True)
class Used:
    """`usage`, in the meter's unit, between two readings: after the day `since` and up to the day `until`."""

    since: date
    until: date
    usage: Decimal


@dataclass(frozen=True, slots=True)
class Month:
    """What was used in the month that begins on `first`; in the newest one, up to its last reading."""

    first: date
    usage: Decimal


def used_between(session: Session, connection_id: int, *, months: int = MONTHS) -> list[Used]:
    """What accepted readings show, the oldest first: the newest one's month, and the months before it."""
    rows = session.execute(SINCE, {"connection_id": connection_id, "back": months - 1}).tuples().all()
    return [Used(earlier, later, usage) for (earlier, _), (later, usage) in pairwise(rows)]


def usage_by_month(session: Session, connection_id: int, *, months: int = MONTHS) -> list[Month]:
    """The last months that have a reading, the oldest first."""
    return by_month(used_between(session, connection_id, months=months))[-months:]


def by_month(used: Iterable[Used]) -> list[Month]:
    """The months of the intervals, the oldest first. The sum is what is rounded, so nothing is lost in it."""
    shares: dict[date, Decimal] = {}
    for month, share in spread(used):
        shares[month] = shares.get(month, Decimal(0)) + share
    listed, total = [], Decimal(0)
    for month in sorted(shares):
        before, total = total, total + shares[month]
        listed.append(Month(month, _rounded(total) - _rounded(before)))
    return listed


def days_by_month(used: Iterable[Used]) -> list[tuple[date, Decimal, int]]:
    """(month, what was used in it, how many of its days the readings cover), the oldest first."""
    known: dict[date, tuple[Decimal, int]] = {}
    for one in used:
        for month, share in spread([one]):
            first, last = max(month, one.since + timedelta(days=1)), min(last_day(month), one.until)
            usage, days = known.get(month, (Decimal(0), 0))
            known[month] = (usage + share, days + max((last - first).days + 1, 0))
    return [(month, *known[month]) for month in sorted(known)]


def _rounded(usage: Decimal) -> Decimal:
    return usage.quantize(FINEST, ROUND_HALF_UP)


def spread(used: Iterable[Used]) -> list[tuple[date, Decimal]]:
    """(month, its part) of each interval. What was used within one day, at the swap of a meter, is that day's."""
    parts = []
    for one in used:
        days = (one.until - one.since).days
        if days == 0:
            if one.usage:
                parts.append((month_of(one.until), one.usage))
            continue
        month = month_of(one.since + timedelta(days=1))
        while month <= one.until:
            first, last = max(month, one.since + timedelta(days=1)), min(last_day(month), one.until)
            parts.append((month, one.usage * ((last - first).days + 1) / days))
            month = next_month(month)
    return parts
