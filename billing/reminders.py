"""From a reminder to a notice to an order to disconnect, and back: by the days that the oldest debt is overdue."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.arrears import ALL, OPEN, OWING, Window
from billing.moments import here
from billing.reminder_texts import tell
from core.clock import now
from core.config import settings

# The step that each debtor has come to, if she was not told of it yet. A notice needs a reminder before it, an order a
# notice, at least as long ago as the policy has between the two; who keeps to a payment plan owes nothing overdue.
CANDIDATES = text(
    "WITH owing AS (SELECT connection_id, min(due_on) AS since, sum(open_minor) AS overdue_minor"  # noqa: S608
    " FROM ("
    + OPEN.format(condition=OWING)
    + """) o
        WHERE due_on < CAST(:on AS date) GROUP BY connection_id
    ), aged AS (
        SELECT w.*, c.status AS supply, p.*, CAST(:on AS date) - w.since AS days
        FROM owing w JOIN connection c ON c.id = w.connection_id LEFT JOIN customer u ON u.id = c.customer_id
        JOIN credit_policy p ON p.kind = coalesce(u.kind, 'domestic')
        WHERE w.overdue_minor >= p.least_minor AND c.status <> 'closed'
    ), told AS (
        SELECT a.*,
            (SELECT max(s.created_at) FROM dunning_step s WHERE s.connection_id = a.connection_id
                AND s.since <= a.since AND s.step = 'reminder') AS reminded,
            (SELECT max(s.created_at) FROM dunning_step s WHERE s.connection_id = a.connection_id
                AND s.since <= a.since AND s.step = 'notice') AS noticed
        FROM aged a
    ), chosen AS (
        SELECT connection_id, since, overdue_minor, days, CASE
            WHEN supply = 'active' AND days >= order_days AND CAST(:on AS date) - (noticed AT TIME ZONE :zone)::date
                >= order_days - notice_days THEN 'disconnection'
            WHEN days >= notice_days AND CAST(:on AS date) - (reminded AT TIME ZONE :zone)::date >= 1 THEN 'notice'
            WHEN days >= reminder_days THEN 'reminder'
        END AS step
        FROM told
    )
    SELECT c.connection_id, c.step, c.since, c.overdue_minor, c.days FROM chosen c
    WHERE c.step IS NOT NULL AND NOT EXISTS (
        SELECT FROM dunning_step s WHERE s.connection_id = c.connection_id AND s.step = c.step AND s.since = c.since
    ) AND (c.step <> 'disconnection' OR NOT EXISTS (
        SELECT FROM dunning_step s
        WHERE s.connection_id = c.connection_id AND s.step = 'disconnection' AND s.status = 'open'
    ))
    ORDER BY c.connection_id
"""
)

STEP = text("""
    INSERT INTO dunning_step (connection_id, step, since, amount_minor, status, created_by, created_at)
    VALUES (:connection_id, :step, :since, :amount, :status, :by, :at)
    ON CONFLICT ON CONSTRAINT uq_dunning_step_once DO NOTHING RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A debtor and the step that is due: 'reminder', 'notice' or 'disconnection'; overdue in minor units."""

    connection_id: int
    step: str
    since: date
    overdue_minor: int
    days: int


def candidates(session: Session, on: date | None = None, window: Window = ALL) -> list[Candidate]:
    """The dry run: who would be told what on a day (today). Writes nothing."""
    session.flush()
    asked = {"on": on or here(), "zone": settings().utility_zone, "after": window.after, "upto": window.upto}
    rows = session.execute(CANDIDATES, asked)
    return [Candidate(row.connection_id, row.step, row.since, int(row.overdue_minor), row.days) for row in rows]


def take_steps(session: Session, by: str, on: date | None = None, window: Window = ALL) -> dict[str, int]:
    """Send what is due and give out the orders; how many of each step. Run twice, nobody is told twice."""
    taken = dict.fromkeys(("reminder", "notice", "disconnection"), 0)
    for one in candidates(session, on, window):
        for step_id in _taken(session, one, by):
            taken[one.step] += 1
            tell(session, one.connection_id, one.step, one.overdue_minor, f"dunning:{step_id}", on or here())
    return taken


def _taken(session: Session, one: Candidate, by: str) -> Iterator[int]:
    status = "open" if one.step == "disconnection" else "sent"
    yield from session.scalars(
        STEP,
        {
            "connection_id": one.connection_id, "step": one.step, "since": one.since, "amount": one.overdue_minor,
            "status": status, "by": by, "at": now(),
        },
    )  # fmt: skip
