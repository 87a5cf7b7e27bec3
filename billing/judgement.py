"""What to think of a reading before it is written: the meter's dials and its own history decide."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import Meter, MeterAssignment, Reading
from core.clock import today
from core.config import settings
from core.statements import rows

HISTORY = 7  # readings, so six intervals: half a year of months
HIGH_TIMES = Decimal("2.5")
HIGH_LEAST = Decimal(10)  # above the expectation, so that a household of one is not asked every month
LOW_SHARE = Decimal("0.2")
LOW_LEAST = Decimal(5)  # an expectation below this says nothing about a low reading
UNKNOWN_DAILY = Decimal(4)  # the highest daily usage taken without asking where there is no history
TOP_OF_DIAL = Decimal("0.9")  # a dial may only have gone round from its last tenth

FACTS = """
    SELECT m.id, m.digits, same.usage, r.value, r.usage, r.taken_on
    FROM meter_assignment a
    JOIN meter m ON m.id = a.meter_id
    LEFT JOIN LATERAL (
        SELECT usage FROM reading
        WHERE connection_id = a.connection_id AND meter_id = m.id AND value = $2 AND taken_on = $3
          AND status IN ('accepted', 'review')
    ) same ON true
    LEFT JOIN LATERAL (
        SELECT id, value, usage, taken_on FROM reading
        WHERE connection_id = a.connection_id AND meter_id = m.id AND status = 'accepted'
        ORDER BY taken_on DESC, id DESC LIMIT $4
    ) r ON true
    WHERE a.connection_id = $1 AND a.to_on IS NULL
    ORDER BY r.taken_on DESC, r.id DESC
"""
"""The meter in place, whether just this was said before, and the meter's last accepted readings, newest first."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A reading that is in the books."""

    value: Decimal
    usage: Decimal
    taken_on: date


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to think of a value.

    kind: 'ok', 'low', 'high', 'below' (the last one), 'too_many_digits', 'no_meter', 'duplicate', 'future',
    'out_of_order' (a later reading is in the books). `usage` is in the meter's unit where it is known;
    `rollover`: the dials went round. `meter_id` is the meter in place.
    """

    kind: str
    previous: Earlier | None = None
    usage: Decimal | None = None
    rollover: bool = False
    meter_id: int | None = None


def judge(session: Session, connection_id: int, value: Decimal, *, on: date | None = None) -> Judgement:
    """Judge what the meter is said to have shown on a day (today); writes nothing."""
    this_day = today(settings().utility_zone)
    on = on or this_day
    facts = rows(session, FACTS, connection_id, value if value.is_finite() else None, on, HISTORY)
    if not facts:
        return Judgement("no_meter")
    meter_id, digits, same = facts[0][:3]
    history = [Earlier(*each[3:]) for each in facts if each[3] is not None]
    judged = _judged(digits, history, same, value, on, this_day)
    return replace(judged, meter_id=meter_id)


def _judged(
    digits: int, history: list[Earlier], same: Decimal | None, value: Decimal, on: date, this_day: date
) -> Judgement:
    previous = history[0] if history else None
    if not value.is_finite() or value >= 10**digits:
        return Judgement("too_many_digits", previous)
    if value < 0:
        return Judgement("below", previous)
    if on > this_day:
        return Judgement("future", previous)
    if previous is None:
        return Judgement("ok", None, Decimal(0))
    if same is not None:
        return Judgement("duplicate", previous, same)
    if on < previous.taken_on:
        return Judgement("out_of_order", previous)
    return _judge_usage(digits, history, value, on)


def meter_at(session: Session, connection_id: int) -> Meter | None:
    """The meter that is at the connection now."""
    return session.scalar(
        select(Meter)
        .join(MeterAssignment, MeterAssignment.meter_id == Meter.id)
        .where(MeterAssignment.connection_id == connection_id, MeterAssignment.to_on.is_(None))
    )


def said_before(session: Session, connection_id: int, meter_id: int, value: Decimal, on: date) -> Reading | None:
    """The reading that said just this for that day, accepted or in review."""
    return session.scalar(
        select(Reading).where(
            Reading.connection_id == connection_id,
            Reading.meter_id == meter_id,
            Reading.value == value,
            Reading.taken_on == on,
            Reading.status.in_(("accepted", "review")),
        )
    )


def _judge_usage(digits: int, history: list[Earlier], value: Decimal, on: date) -> Judgement:
    previous = history[0]
    usage = value - previous.value
    rollover = usage < 0
    if rollover:
        usage += 10**digits
    expected = _expected(history, on)
    days = max((on - previous.taken_on).days, 1)
    if expected is None:
        limit = UNKNOWN_DAILY * max(days, 30)
    else:
        limit = max(expected * HIGH_TIMES, expected + HIGH_LEAST)
    if rollover and (previous.value < TOP_OF_DIAL * 10**digits or usage > limit):
        return Judgement("below", previous)
    if usage > limit:
        return Judgement("high", previous, usage, rollover)
    if expected is not None and expected >= LOW_LEAST and usage < expected * LOW_SHARE:
        return Judgement("low", previous, usage, rollover)
    return Judgement("ok", previous, usage, rollover)


def _expected(history: list[Earlier], on: date) -> Decimal | None:
    """The usage to expect by `on`: the median daily usage of the known intervals, times the days."""
    rates = [
        later.usage / days
        for later, earlier in pairwise(history)
        if (days := (later.taken_on - earlier.taken_on).days) > 0
    ]
    if len(rates) < 2:
        return None
    return median(rates) * max((on - history[0].taken_on).days, 1)
