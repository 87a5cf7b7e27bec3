"""Estimates: what a meter that nobody read has probably reached, by the days and the last actual readings.

They are flagged, capped in a row, and give way to the next actual reading with the bills that went by them.
The average goes over all meters of the connection by its days, so that the first days of a new meter count as days
and its swap month is not taken for a whole one.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from billing.models import Connection, Reading
from billing.readings import lock_connection
from core.clock import now, today
from core.config import settings

MOST_IN_A_ROW = 3
LEAST_DAYS = 7  # of actual readings; fewer say nothing about a month
PAGE = 500

# What each connection without an actual reading since :since would be estimated from. Its average: the last three
# actual readings that are not the first of a meter.
WITHOUT = text("""
    SELECT c.id, c.account_no, c.address, m.id, m.digits, last.value, last.taken_on,
           coalesce(past.usage, 0), coalesce(past.days, 0), row.count,
           EXISTS (SELECT FROM reading w WHERE w.connection_id = c.id AND w.status = 'review')
    FROM connection c
    JOIN meter_assignment a ON a.connection_id = c.id AND a.to_on IS NULL
    JOIN meter m ON m.id = a.meter_id
    JOIN LATERAL (
        SELECT r.value, r.taken_on, r.source FROM reading r
        WHERE r.connection_id = c.id AND r.meter_id = m.id AND r.status = 'accepted'
        ORDER BY r.taken_on DESC, r.id DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
        SELECT sum(t.usage) AS usage, sum(t.days) AS days FROM (
            SELECT s.usage, s.days FROM (
                SELECT r.id, r.taken_on, r.usage, r.source,
                       r.taken_on - lag(r.taken_on) OVER (ORDER BY r.taken_on, r.id) AS days
                FROM reading r
                WHERE r.connection_id = c.id AND r.status = 'accepted' AND r.source <> 'estimate'
            ) s
            WHERE s.source <> 'opening' AND s.days IS NOT NULL ORDER BY s.taken_on DESC, s.id DESC LIMIT 3
        ) t
    ) past ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS count FROM reading r
        WHERE r.connection_id = c.id AND r.status = 'accepted' AND r.source = 'estimate' AND r.taken_on > coalesce((
            SELECT max(o.taken_on) FROM reading o
            WHERE o.connection_id = c.id AND o.status = 'accepted' AND o.source <> 'estimate'
        ), '-infinity')
    ) row
    WHERE c.status <> 'closed' AND NOT c.prepaid AND c.id > :after
      -- A meter that took another's place this month has shown nothing yet but where it began.
      AND (last.taken_on < :since OR last.source = 'opening' AND last.taken_on < :on
           AND EXISTS (SELECT FROM meter_assignment e WHERE e.connection_id = c.id AND e.to_on = last.taken_on))
      AND (CAST(:zone_id AS bigint) IS NULL OR c.zone_id = :zone_id)
      AND (CAST(:connection_id AS bigint) IS NULL OR c.id = :connection_id)
    ORDER BY c.id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a meter is taken to have reached on a day; `reason` says why it is not: 'no_history', 'capped'
    (MOST_IN_A_ROW estimates stand already: somebody has to go there), 'in_review' (a reading waits to be decided)."""

    connection_id: int
    account_no: str
    address: str
    meter_id: int
    since: date
    previous: Decimal
    daily: Decimal | None
    usage: Decimal
    value: Decimal
    turn: str
    in_a_row: int
    reason: str = ""


def estimate(session: Session, connection_id: int, on: date) -> Estimate | None:
    """What one connection's meter would be taken to show; writes nothing. None where it was read by then, or has none.

    ValueError for a day to come.
    """
    return next(iter(_found(session, on, on, connection_id=connection_id, limit=1)), None)


def estimates(
    session: Session, month: date, on: date, *, zone_id: int | None = None, after: int = 0, limit: int = PAGE
) -> list[Estimate]:
    """A page of connections that have no reading in `month`, in the order of their ids; `after` is the last id seen."""
    return _found(session, month, on, zone_id=zone_id, after=after, limit=limit)


def record_estimate(session: Session, connection_id: int, on: date, by: str) -> Reading | str:
    """Estimate one connection's reading; the reason where there is none ('read' where it was read by then)."""
    lock_connection(session, connection_id)
    found = estimate(session, connection_id, on)
    if found is None:
        return "read"
    if found.reason:
        return found.reason
    reading = estimated_reading(found, on, by)
    session.add(reading)
    session.flush()
    return reading


def estimated_reading(found: Estimate, on: date, by: str) -> Reading:
    """The reading that an estimate makes, for whoever adds it to the books."""
    return Reading(**_row(found, on, by))


def record_estimates(session: Session, month: date, on: date, by: str, *, zone_id: int | None = None) -> int:
    """Estimate all that have no reading in `month`, as of a day; how many. Once more does nothing."""
    made, after = 0, 0
    while page := estimates(session, month, on, zone_id=zone_id, after=after):
        # Looked at again under their locks: somebody may be entering a reading just now.
        seen = [one.connection_id for one in page]
        session.execute(
            select(Connection.id).where(Connection.id.in_(seen)).order_by(Connection.id).with_for_update(key_share=True)
        )
        found = [
            one for one in estimates(session, month, on, zone_id=zone_id, after=after) if one.connection_id in seen
        ]
        rows = [_row(one, on, by) for one in found if not one.reason]
        if rows:
            session.execute(insert(Reading), rows)
        made, after = made + len(rows), seen[-1]
    return made


def _found(
    session: Session, since: date, on: date, *, zone_id: int | None = None, connection_id: int | None = None,
    after: int = 0, limit: int = PAGE,
) -> list[Estimate]:  # fmt: skip
    if on > today(settings().utility_zone):
        raise ValueError("nobody can estimate a day to come")
    session.flush()
    asked = {
        "since": since, "on": on, "after": after, "zone_id": zone_id, "connection_id": connection_id, "limit": limit,
    }  # fmt: skip
    return [_estimate(tuple(row), on) for row in session.execute(WITHOUT, asked)]


def _estimate(row: tuple[Any, ...], on: date) -> Estimate:
    connection_id, account_no, address, meter_id, digits, previous, since, used, days, in_a_row, in_review = row
    daily = used / days if days >= LEAST_DAYS else None
    reason = (
        "in_review" if in_review else "capped" if in_a_row >= MOST_IN_A_ROW else "no_history" if daily is None else ""
    )
    # Whole units, as dials show them.
    usage = ((daily or Decimal(0)) * (on - since).days).quantize(Decimal(1), ROUND_HALF_UP)
    value = (previous + usage) % 10**digits
    turn = "forward" if value == previous + usage else "rollover"
    return Estimate(
        connection_id, account_no, address, meter_id, since, previous, daily, usage, value, turn, in_a_row, reason
    )


def _row(found: Estimate, on: date, by: str) -> dict[str, Any]:
    return {
        "connection_id": found.connection_id, "meter_id": found.meter_id, "value": found.value, "usage": found.usage,
        "taken_on": on, "source": "estimate", "entered_by": by, "status": "accepted", "turn": found.turn, "doubt": "",
        "note": "", "created_at": now(),
    }  # fmt: skip
