"""Corrections: a reading in the books is put right in its place, what it said before is kept, and bills are checked."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing.chain import Link, beside, link, natural, overtake
from billing.models import Meter, MeterAssignment, Reading, ReadingCorrection
from billing.readings import lock_connection
from core.clock import now

# An issued bill says what the readings between its two said then.
STALE = text("""
    SELECT i.id, i.number, i.usage, coalesce(sum(r.usage), 0)
    FROM invoice i
    JOIN reading opening ON opening.id = i.opening_reading_id
    JOIN reading closing ON closing.id = i.closing_reading_id
    LEFT JOIN reading r ON r.connection_id = i.connection_id AND r.status = 'accepted'
        AND (r.taken_on, r.id) > (opening.taken_on, opening.id)
        AND (r.taken_on, r.id) <= (closing.taken_on, closing.id)
    WHERE i.connection_id = :connection_id AND i.kind = 'regular' AND i.status <> 'void'
      AND opening.status = 'accepted' AND closing.status = 'accepted'
    GROUP BY i.id HAVING i.usage <> coalesce(sum(r.usage), 0)
    ORDER BY i.period_start
""")


@dataclass(frozen=True, slots=True)
class Stale:
    """A bill that says another usage (`billed`) than the readings do `now`; it wants to be void and made again."""

    invoice_id: int
    number: str | None
    billed: Decimal
    now: Decimal


@dataclass(frozen=True, slots=True)
class CorrectionRefusal:
    """Why not: 'not_accepted', 'same', 'too_many_digits', 'below' (the one before), 'beyond' (the one after),
    'duplicate' (of another reading that day)."""

    kind: str


def correct_reading(
    session: Session, reading_id: int, value: Decimal, by: str, reason: str
) -> ReadingCorrection | CorrectionRefusal:
    """Put right what an accepted reading says; its usage, and that of the one after it, follow.

    The opening and closing values of the meter's time at the connection follow too. Look at `stale_invoices` then.
    """
    reading = session.get_one(Reading, reading_id)
    lock_connection(session, reading.connection_id)
    session.refresh(reading)
    meter = session.get_one(Meter, reading.meter_id)
    refusal = _refusal(session, reading, meter, value)
    if refusal is not None:
        return CorrectionRefusal(refusal)
    before, after = beside(session, reading, later=False), beside(session, reading, later=True)
    links = _links(meter, before, reading, after, value)
    if links is None and after is not None and after.source == "estimate":
        overtake(session, reading, reading, ("estimate",), by)  # it was reckoned from what is wrong
        links, after = _links(meter, before, reading, None, value), None
    if links is None:
        return CorrectionRefusal("below" if before is not None and value < before.value else "beyond")
    own, rest = links
    correction = ReadingCorrection(
        reading_id=reading.id, old_value=reading.value, old_usage=reading.usage, new_value=value, new_usage=own.usage,
        reason=reason, corrected_by=by, corrected_at=now(),
    )  # fmt: skip
    reading.value, reading.usage, reading.turn = value, own.usage, own.turn
    if after is not None and rest is not None:
        after.usage, after.turn = rest.usage, rest.turn
    _follow_assignment(session, reading, correction.old_value)
    session.add(correction)
    session.flush()
    return correction


def corrections_of(session: Session, reading_id: int) -> list[ReadingCorrection]:
    """What a reading said before, the newest correction first."""
    query = select(ReadingCorrection).where(ReadingCorrection.reading_id == reading_id)
    return list(session.scalars(query.order_by(ReadingCorrection.id.desc())))


def stale_invoices(session: Session, connection_id: int) -> list[Stale]:
    """Standing bills of a connection that no longer say what the readings say, the oldest first."""
    session.flush()
    return [Stale(*row) for row in session.execute(STALE, {"connection_id": connection_id}).tuples()]


def _refusal(session: Session, reading: Reading, meter: Meter, value: Decimal) -> str | None:
    if reading.status != "accepted":
        return "not_accepted"
    if value == reading.value:
        return "same"
    if not value.is_finite() or not 0 <= value < 10**meter.digits:
        return "too_many_digits"
    twin = select(Reading.id).where(
        Reading.connection_id == reading.connection_id,
        Reading.meter_id == reading.meter_id,
        Reading.taken_on == reading.taken_on,
        Reading.value == value,
        Reading.status.in_(("accepted", "review")),
    )
    return "duplicate" if session.scalar(twin) is not None else None


def _links(
    meter: Meter, before: Reading | None, reading: Reading, after: Reading | None, value: Decimal
) -> tuple[Link, Link | None] | None:
    """How the dials went to the corrected value, and from it to the next reading; None where they cannot have.

    Between two readings that stay the dials did what they did: the correction only parts it in another way.
    """
    if before is None:
        own: Link | None = Link("forward", Decimal(0))
    elif after is None or "reversed" in (reading.turn, after.turn):
        own = link(meter.digits, before.value, value, reading.turn) or link(
            meter.digits, before.value, value, "forward"
        )
    else:
        own = natural(meter.digits, before.value, value)
        rest = reading.usage + after.usage - own.usage
        return (own, Link("rollover" if value > after.value else "forward", rest)) if rest >= 0 else None
    if own is None or after is None:
        return (own, None) if own is not None else None
    follows = natural(meter.digits, value, after.value) if after.turn == "rollover" else None
    follows = follows or link(meter.digits, value, after.value, after.turn)
    return (own, follows) if follows is not None else None


def _follow_assignment(session: Session, reading: Reading, old: Decimal) -> None:
    here = session.scalars(
        select(MeterAssignment).where(
            MeterAssignment.meter_id == reading.meter_id, MeterAssignment.connection_id == reading.connection_id
        )
    )
    for assignment in here:
        if reading.source == "opening" and assignment.from_on == reading.taken_on:
            assignment.start_value = reading.value
        elif assignment.to_on == reading.taken_on and assignment.end_value == old:
            assignment.end_value = reading.value
