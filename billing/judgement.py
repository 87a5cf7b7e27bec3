"""What to think of a reading before it is written: the meter's dials and its own history decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.chain import CUSTOMER, TOP_OF_DIAL, Link, natural
from billing.known import Entered, Known, known
from billing.limits import Limits, limits
from billing.models import Meter, MeterAssignment
from core.clock import today
from core.config import settings


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to think of a value.

    kind: 'ok', 'low', 'high', 'impossible' (more than the meter can pass), 'below' (the last one), 'too_many_digits',
    'no_meter', 'duplicate', 'future', 'out_of_order' (it does not fit between those in the books). `usage` is in the
    meter's unit where it is known; `previous` is the actual reading before it, `following` the one after it.
    `rollover`: the dials went round. `doubt` says of a 'below' what it may be: 'disputed' (a customer's own reading
    before it is higher), 'reversed' (so little less that the meter may run backwards), 'misread'. `known` is what the
    books knew, where there is a meter.
    """

    kind: str
    previous: Entered | None = None
    usage: Decimal | None = None
    rollover: bool = False
    following: Entered | None = None
    doubt: str = ""
    known: Known | None = None


def judge(
    session: Session, connection_id: int, value: Decimal, *, on: date | None = None, source: str = "customer_ussd"
) -> Judgement:
    """Judge what the meter is said to have shown on a day (today), by a customer unless `source` says other.

    Writes nothing. Her own reading is held to narrower limits until somebody of the utility has compared one.
    """
    this_day = today(settings().utility_zone)
    on = on or this_day
    found = known(session, connection_id, value, on)
    if found is None:
        return Judgement("no_meter")
    return replace(_judged(found, value, on, this_day, source), known=found)


def _judged(found: Known, value: Decimal, on: date, this_day: date, source: str) -> Judgement:
    previous, after = found.previous, found.after
    if not value.is_finite() or value >= 10**found.digits:
        return Judgement("too_many_digits", previous)
    if value < 0:
        return Judgement("below", previous, doubt="misread")
    if on > this_day:
        return Judgement("future", previous)
    if found.same_id is not None:
        return Judgement("duplicate", previous, found.same_usage)
    if previous is None:
        return Judgement("out_of_order") if after else Judgement("ok", None, Decimal(0))
    strict = source in CUSTOMER and found.trust != "trusted"
    held = limits(found.size_mm, found.category, found.past, (on - previous.taken_on).days, strict=strict)
    moved = natural(found.digits, previous.value, value)
    if after is not None:
        return _between(previous, after, moved, held)
    if moved.turn == "rollover" and (previous.value < TOP_OF_DIAL * 10**found.digits or moved.usage > held.high):
        return Judgement("below", previous, doubt=_why_below(found.past, previous, value, source, held))
    kind = held.kind(moved.usage)
    if kind == "impossible" and source in CUSTOMER:
        kind = "high"  # she is asked again like for any high one; whoever confirms it waits for the office
    return Judgement(kind, previous, moved.usage, moved.turn == "rollover")


def meter_at(session: Session, connection_id: int) -> Meter | None:
    """The meter that is at the connection now."""
    return session.scalar(
        select(Meter)
        .join(MeterAssignment, MeterAssignment.meter_id == Meter.id)
        .where(MeterAssignment.connection_id == connection_id, MeterAssignment.to_on.is_(None))
    )


def _between(previous: Entered, after: Entered, moved: Link, held: Limits) -> Judgement:
    """A late arrival: it parts the usage of the reading after it in two, and may do no more."""
    round_alone = moved.turn == "rollover" and after.turn != "rollover"
    if moved.usage > after.usage or after.turn == "reversed" or round_alone:
        return Judgement("out_of_order", previous)
    kind = held.kind(moved.usage)
    return Judgement("ok" if kind == "low" else kind, previous, moved.usage, moved.turn == "rollover", after)


def _why_below(past: Sequence[Entered], previous: Entered, value: Decimal, source: str, held: Limits) -> str:
    own = (one for one in past if one.meter_id == previous.meter_id and one.source not in CUSTOMER)
    compared = next(own, None)
    if source not in CUSTOMER and previous.source in CUSTOMER and compared is not None and value >= compared.value:
        return "disputed"
    return "reversed" if previous.value - value <= held.high else "misread"
