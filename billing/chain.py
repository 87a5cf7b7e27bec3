"""The chain of a meter's readings: each one's usage is what the dials did since the one before it.

So over any readings the usages sum to the difference of the dials, and whatever is put in between or taken out
leaves the sum as it was. An estimate stands only as long as no actual reading follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from billing.known import Entered
from billing.models import Reading
from core.clock import now

CUSTOMER = ("customer_ussd", "customer_sms")
TOP_OF_DIAL = Decimal("0.9")  # a dial may only have gone round by itself from its last tenth


@dataclass(frozen=True, slots=True)
class Link:
    """How the dials came to a value: 'forward', 'rollover' or 'reversed', and the usage of that."""

    turn: str
    usage: Decimal


def link(digits: int, earlier: Decimal, later: Decimal, turn: str) -> Link | None:
    """The usage from one value to another for a turn of so many dials; None where it cannot have been so."""
    if turn == "reversed":
        return Link(turn, earlier - later) if later <= earlier else None
    if turn == "rollover":
        return Link(turn, later + 10**digits - earlier) if later < earlier else None
    return Link("forward", later - earlier) if later >= earlier else None


def natural(digits: int, earlier: Decimal, later: Decimal) -> Link:
    """Forward, or else once round; whether that is to be believed is for others to say."""
    return link(digits, earlier, later, "forward") or Link("rollover", later + 10**digits - earlier)


def history(session: Session, connection_id: int, *, upto: date, limit: int) -> list[Reading]:
    """The last actual readings in the books up to a day, over all meters that were there; newest first."""
    return list(
        session.scalars(
            select(Reading)
            .where(
                Reading.connection_id == connection_id,
                Reading.status == "accepted",
                Reading.source != "estimate",
                Reading.taken_on <= upto,
            )
            .order_by(Reading.taken_on.desc(), Reading.id.desc())
            .limit(limit)
        )
    )


def following(session: Session, connection_id: int, meter_id: int, day: date) -> Reading | None:
    """The first actual reading of the meter after a day."""
    return session.scalar(
        select(Reading)
        .where(
            Reading.connection_id == connection_id,
            Reading.meter_id == meter_id,
            Reading.status == "accepted",
            Reading.source != "estimate",
            Reading.taken_on > day,
        )
        .order_by(Reading.taken_on, Reading.id)
        .limit(1)
    )


def beside(session: Session, reading: Reading, *, later: bool) -> Reading | None:
    """The accepted reading of the same meter next to this one, estimates too."""
    day, number = (Reading.taken_on, Reading.id)
    here = (
        or_(day > reading.taken_on, and_(day == reading.taken_on, number > reading.id))
        if later
        else or_(day < reading.taken_on, and_(day == reading.taken_on, number < reading.id))
    )
    order = (day, number) if later else (day.desc(), number.desc())
    return session.scalar(
        select(Reading)
        .where(
            Reading.connection_id == reading.connection_id,
            Reading.meter_id == reading.meter_id,
            Reading.status == "accepted",
            here,
        )
        .order_by(*order)
        .limit(1)
    )


def overtake(
    session: Session, reading: Reading, since: Reading | Entered | None, sources: Sequence[str], by: str
) -> list[Reading]:
    """Set aside the readings of these sources between `since` and the next other one: this actual reading knows better.

    A bill that closed with one of them no longer stands; the next bill replaces it.
    """
    upto = following(session, reading.connection_id, reading.meter_id, reading.taken_on)
    query = select(Reading).where(
        Reading.connection_id == reading.connection_id,
        Reading.meter_id == reading.meter_id,
        Reading.status == "accepted",
        Reading.source.in_(sources),
        Reading.id != reading.id,
    )
    if since is not None:
        query = query.where(
            or_(Reading.taken_on > since.taken_on, and_(Reading.taken_on == since.taken_on, Reading.id > since.id))
        )
    if upto is not None:
        query = query.where(Reading.taken_on <= upto.taken_on)
    gone = list(session.scalars(query))
    for one in gone:
        one.status, one.decided_by, one.decided_at = "superseded", by, now()
    session.flush()
    return gone
