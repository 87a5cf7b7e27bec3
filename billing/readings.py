"""Readings: what the dials said, who said so, and what the office decided about it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient_to_detached

from billing.alerts import warn_of_usage
from billing.judgement import Judgement, judge, meter_at, said_before
from billing.models import Connection, Reading
from core.clock import now
from core.statements import row

__all__ = [
    "Judgement",
    "Recorded",
    "Refused",
    "accept_reading",
    "judge",
    "latest_reading",
    "readings_of",
    "record_reading",
    "reject_reading",
    "review_queue",
]

ASKED_AGAIN = ("high", "low")
COLUMNS = (
    "connection_id", "meter_id", "value", "usage", "taken_on", "source", "entered_by", "status", "note", "created_at",
)  # fmt: skip
INSERT = f"""
    INSERT INTO reading ({", ".join(COLUMNS)}) VALUES ({", ".join(f"${at}" for at in range(1, len(COLUMNS) + 1))})
    RETURNING id
"""  # noqa: S608 - names of columns
LOCK = "SELECT id FROM connection WHERE id = $1 FOR NO KEY UPDATE"
CUSTOMER = ("customer_ussd", "customer_sms")


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
    note: str = "",
) -> Recorded | Refused:
    """Write a reading down, once however often it is said.

    An unusual one is refused until `confirmed`; a customer's confirmed high one waits for the office's review.
    """
    # One at a time for a connection: each is judged against the one before it.
    row(session, LOCK, connection_id)
    judgement = judge(session, connection_id, value, on=taken_on)
    if judgement.kind == "duplicate":
        assert judgement.meter_id is not None
        same = said_before(session, connection_id, judgement.meter_id, value, taken_on)
        assert same is not None
        return Recorded(same, same.status, judgement)
    if judgement.kind not in ("ok", *ASKED_AGAIN) or (judgement.kind in ASKED_AGAIN and not confirmed):
        return Refused(judgement.kind, judgement)
    assert judgement.meter_id is not None
    assert judgement.usage is not None
    reading = _written(
        session,
        connection_id=connection_id,
        meter_id=judgement.meter_id,
        value=value,
        usage=judgement.usage,
        taken_on=taken_on,
        source=source,
        entered_by=entered_by,
        status="review" if judgement.kind == "high" and source in CUSTOMER else "accepted",
        note=note or ("rollover" if judgement.rollover else ""),
        created_at=now(),
    )
    if reading.status == "accepted":
        warn_of_usage(session, reading)
    return Recorded(reading, reading.status, judgement)


def _written(session: Session, **values: Any) -> Reading:
    """A new row, by one statement, and the object that stands for it in the session."""
    made = row(session, INSERT, *(values[name] for name in COLUMNS))
    assert made is not None
    reading = Reading(id=made[0], **values)
    make_transient_to_detached(reading)
    session.add(reading)
    return reading


def accept_reading(session: Session, reading_id: int, by: str) -> Recorded | Refused:
    """The office takes a reading from review into the books, if it still follows the last one."""
    reading = _take_from_review(session, reading_id)
    if reading is None:
        return Refused("decided", Judgement("ok"))
    reading.status = "rejected"  # aside, so that it is not judged against itself
    session.flush()
    judgement = judge(session, reading.connection_id, reading.value, on=reading.taken_on)
    meter = meter_at(session, reading.connection_id)
    if judgement.usage is None or judgement.kind == "duplicate" or meter is None or meter.id != reading.meter_id:
        reading.status = "review"
        session.flush()
        return Refused(judgement.kind, judgement)
    reading.status, reading.usage = "accepted", judgement.usage
    reading.decided_by, reading.decided_at = by, now()
    session.flush()
    warn_of_usage(session, reading)
    return Recorded(reading, "accepted", judgement)


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


def _take_from_review(session: Session, reading_id: int) -> Reading | None:
    reading = session.get_one(Reading, reading_id)
    session.execute(select(Connection.id).where(Connection.id == reading.connection_id).with_for_update(key_share=True))
    session.refresh(reading)
    return reading if reading.status == "review" else None
