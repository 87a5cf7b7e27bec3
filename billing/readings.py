"""Readings: what the dials said, who said so, and what the office decided about it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient_to_detached

from billing.alerts import warn_of_usage
from billing.chain import CUSTOMER, history, link, overtake
from billing.judgement import Judgement, judge
from billing.known import Known
from billing.models import Meter, Reading
from billing.trust import doubt_of, weigh
from core.clock import now
from core.statements import row

__all__ = [
    "Judgement",
    "Recorded",
    "Refused",
    "accept_reading",
    "judge",
    "latest_reading",
    "lock_connection",
    "readings_of",
    "record_reading",
    "reject_reading",
    "review_queue",
]

ASKED_AGAIN = ("high", "low")
FOR_REVIEW = ("below", "impossible")
COLUMNS = (
    "connection_id", "meter_id", "value", "usage", "taken_on", "source", "entered_by", "status", "turn", "doubt",
    "note", "created_at",
)  # fmt: skip
INSERT = f"""
    INSERT INTO reading ({", ".join(COLUMNS)}) VALUES ({", ".join(f"${at}" for at in range(1, len(COLUMNS) + 1))})
    RETURNING id
"""  # noqa: S608 - names of columns
LOCK = "SELECT id FROM connection WHERE id = $1 FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The reading as it stands in the books; `status` is 'accepted' or 'review'."""

    reading: Reading
    status: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Refused:
    """Not written. `kind` is the judgement's; 'high' and 'low' may be sent again with `confirmed`."""

    kind: str
    judgement: Judgement


def latest_reading(session: Session, connection_id: int) -> Reading | None:
    """The newest accepted reading."""
    return session.scalar(
        select(Reading)
        .where(Reading.connection_id == connection_id, Reading.status == "accepted")
        .order_by(Reading.taken_on.desc(), Reading.id.desc())
        .limit(1)
    )


def record_reading(
    session: Session,
    connection_id: int,
    value: Decimal,
    *,
    source: str,
    entered_by: str,
    taken_on: date,
    confirmed: bool = False,
    park: bool = False,
    note: str = "",
) -> Recorded | Refused:
    """Write a reading down, once however often it is said, in its place among those that are there.

    An unusual one is refused until `confirmed`; a customer's confirmed high one, one whose audit is due and one who
    is watched wait for the office's review. With `park` what the dials cannot have done waits there too.
    """
    lock_connection(session, connection_id)
    judgement = judge(session, connection_id, value, on=taken_on, source=source)
    found = judgement.known
    if found is None:
        return Refused(judgement.kind, judgement)
    if judgement.kind == "duplicate":
        same = session.get_one(Reading, found.same_id)
        return Recorded(same, same.status, judgement)
    doubt = _doubt(found, judgement, source)
    refused = judgement.kind not in ("ok", *ASKED_AGAIN) or (judgement.kind in ASKED_AGAIN and not confirmed)
    if refused and not (park and judgement.kind in FOR_REVIEW):
        return Refused(judgement.kind, judgement)
    reading = _written(
        session, connection_id=connection_id, meter_id=found.meter_id, value=value, usage=judgement.usage or Decimal(0),
        taken_on=taken_on, source=source, entered_by=entered_by, status="review" if doubt else "accepted",
        turn="rollover" if judgement.rollover else "forward", doubt=doubt,
        note=note or ("rollover" if judgement.rollover else ""), created_at=now(),
    )  # fmt: skip
    if reading.status == "accepted":
        _enter(session, reading, judgement, entered_by)
    return Recorded(reading, reading.status, judgement)


def _written(session: Session, **values: Any) -> Reading:
    """A new row, by one statement, and the object that stands for it in the session."""
    made = row(session, INSERT, *(values[name] for name in COLUMNS))
    assert made is not None
    reading = Reading(id=made[0], decided_by=None, decided_at=None, **values)
    make_transient_to_detached(reading)
    session.add(reading)
    return reading


def accept_reading(session: Session, reading_id: int, by: str, *, turn: str | None = None) -> Recorded | Refused:
    """The office takes a reading from review into the books, if it still follows the last one.

    One that is below needs to be told how: `turn` is 'rollover' (the dials went round) or 'reversed' (the meter runs
    backwards). A disputed one sets the customer's own readings aside that say more.
    """
    reading = _take_from_review(session, reading_id)
    if reading is None:
        return Refused("decided", Judgement("ok"))
    reading.status = "rejected"  # aside, so that it is not judged against itself
    session.flush()
    judgement = judge(session, reading.connection_id, reading.value, on=reading.taken_on, source="office")
    same_meter = judgement.known is not None and judgement.known.meter_id == reading.meter_id
    resolved = _resolved(session, reading, judgement, turn, by) if same_meter else None
    if resolved is None:
        reading.status = "review"
        session.flush()
        return Refused(judgement.kind, judgement)
    reading.status, reading.usage = "accepted", resolved.usage or Decimal(0)
    reading.turn = turn if resolved.kind == "turned" and turn else "rollover" if resolved.rollover else "forward"
    reading.decided_by, reading.decided_at = by, now()
    session.flush()
    _enter(session, reading, resolved, by)
    return Recorded(reading, "accepted", resolved)


def reject_reading(session: Session, reading_id: int, by: str, note: str) -> bool:
    """The office turns a reading in review down, and says why; whether it was still waiting."""
    reading = _take_from_review(session, reading_id)
    if reading is None:
        return False
    reading.status, reading.note = "rejected", note
    reading.decided_by, reading.decided_at = by, now()
    session.flush()
    return True


def readings_of(session: Session, connection_id: int, *, before: int | None = None, limit: int = 50) -> list[Reading]:
    """Every reading of a connection in the order entered, newest first; `before` is the last id seen."""
    query = select(Reading).where(Reading.connection_id == connection_id).order_by(Reading.id.desc()).limit(limit)
    return list(session.scalars(query.where(Reading.id < before) if before is not None else query))


def review_queue(session: Session, *, after: int = 0, limit: int = 50) -> list[Reading]:
    """Readings that wait for the office, oldest first; `after` is the last id seen."""
    return list(
        session.scalars(
            select(Reading).where(Reading.status == "review", Reading.id > after).order_by(Reading.id).limit(limit)
        )
    )


def lock_connection(session: Session, connection_id: int) -> None:
    """One at a time for a connection: each reading is judged against those beside it."""
    row(session, LOCK, connection_id)


def _doubt(found: Known, judgement: Judgement, source: str) -> str:
    if judgement.kind in FOR_REVIEW:
        return judgement.doubt or judgement.kind
    if source not in CUSTOMER:
        return ""
    return "high" if judgement.kind == "high" else doubt_of(found)


def _enter(session: Session, reading: Reading, judgement: Judgement, by: str) -> None:
    """What an accepted reading does to the others: estimates give way to it, one after it has the rest of its usage."""
    if judgement.known is None or judgement.known.estimated:
        overtake(session, reading, judgement.previous, ("estimate",), by)
    if judgement.following is not None:
        after = session.get_one(Reading, judgement.following.id)
        after.usage -= reading.usage
        after.turn = "forward" if judgement.rollover else after.turn
        session.flush()
    weigh(session, reading, judgement.kind)
    warn_of_usage(session, reading)


def _resolved(session: Session, reading: Reading, judgement: Judgement, turn: str | None, by: str) -> Judgement | None:
    """The judgement that the office's decision makes of a reading in review; None where it cannot be accepted."""
    if judgement.kind == "duplicate" or judgement.kind in ("future", "too_many_digits", "no_meter", "out_of_order"):
        return None
    if judgement.kind != "below":
        return judgement
    previous = judgement.previous
    if judgement.doubt == "disputed" and turn is None:
        past = history(session, reading.connection_id, upto=reading.taken_on, limit=50)
        compared = next(one for one in past if one.meter_id == reading.meter_id and one.source not in CUSTOMER)
        overtake(session, reading, compared, CUSTOMER, by)
        again = judge(session, reading.connection_id, reading.value, on=reading.taken_on, source="office")
        return again if again.usage is not None else None
    meter = session.get_one(Meter, reading.meter_id)
    moved = link(meter.digits, previous.value, reading.value, turn) if previous is not None and turn else None
    return Judgement("turned", previous, moved.usage, turn == "rollover") if moved is not None else None


def _take_from_review(session: Session, reading_id: int) -> Reading | None:
    reading = session.get_one(Reading, reading_id)
    lock_connection(session, reading.connection_id)
    session.refresh(reading)
    return reading if reading.status == "review" else None
