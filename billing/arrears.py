"""What is owed since when: payments pay the oldest debt first, so what is open are the newest charges.

Nothing is stored for it: the open part of each charge follows from the balance. A charge that was reversed counts as
neither charge nor payment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.moments import here
from core.config import settings

BUCKETS = (("current", 0), ("1-30", 30), ("31-60", 60), ("61-90", 90), ("91-120", 120), ("121-180", 180))
OLDEST = "over 180"
NAMES = (*(name for name, _ in BUCKETS), OLDEST)

# Each charge's open part: the balance less all that is due later, at least nothing and at most the charge.
OPEN = """
    SELECT connection_id, entry_id, kind, memo, source, due_on, amount_minor,
           least(amount_minor, owed - later) AS open_minor
    FROM (
        SELECT c.*, coalesce(sum(amount_minor) OVER (
            PARTITION BY connection_id ORDER BY due_on DESC, entry_id DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS later
        FROM (
            SELECT b.connection_id, b.amount_minor AS owed, e.id AS entry_id, e.kind, e.memo, e.source,
                   coalesce(e.due_on, (e.created_at AT TIME ZONE :zone)::date) AS due_on, p.amount_minor
            FROM balance b
            JOIN posting p ON p.connection_id = b.connection_id AND p.account = 'receivable' AND p.amount_minor > 0
            JOIN ledger_entry e ON e.id = p.entry_id
            WHERE b.amount_minor > 0 AND {condition} AND e.reverses_id IS NULL
              AND NOT EXISTS (SELECT FROM ledger_entry r WHERE r.reverses_id = e.id)
        ) c
    ) charges
    WHERE owed > later"""

# Debtors by the numbers of their connections: a million are never looked at in one go.
OWING = "b.amount_minor > 0 AND b.connection_id > :after AND b.connection_id <= :upto"
LAST_OF = text("""
    SELECT max(connection_id), count(*) FROM (
        SELECT connection_id FROM balance WHERE amount_minor > 0 AND connection_id > :after
        ORDER BY connection_id LIMIT :size
    ) debtors
""")

OF_SOME = text(
    OPEN.format(condition="b.connection_id = ANY(:connections)") + " ORDER BY connection_id, due_on, entry_id"
)
BY_AGE = text(
    "SELECT CAST(:on AS date) - due_on AS days, sum(open_minor) AS open_minor FROM ("  # noqa: S608  constants
    + OPEN.format(condition="true")
    + ") o GROUP BY 1"
)


@dataclass(frozen=True, slots=True)
class Window:
    """Connections above `after`, up to and with `upto`; `more` debtors may come after them."""

    after: int = 0
    upto: int = 2**62
    more: bool = False


ALL = Window()


def debtors(session: Session, after: int, size: int) -> Window:
    """The next `size` connections that owe, in the order of their numbers."""
    last, found = session.execute(LAST_OF, {"after": after, "size": size}).one()
    return Window(after, last, True) if found == size else Window(after)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A charge that is not wholly paid, in minor units."""

    connection_id: int
    entry_id: int
    kind: str
    memo: str
    source: str
    due_on: date
    amount_minor: int
    open_minor: int

    def overdue(self, on: date) -> int:
        """For how many days; 0 and below where it is not due yet."""
        return (on - self.due_on).days


def open_items(session: Session, connections: Sequence[int]) -> list[OpenItem]:
    """The open charges of these connections, each one's oldest first."""
    session.flush()
    rows = session.execute(OF_SOME, {"connections": list(connections), "zone": settings().utility_zone})
    return [
        OpenItem(connection_id, entry_id, kind, memo, source, due_on, amount, int(still))
        for connection_id, entry_id, kind, memo, source, due_on, amount, still in rows.tuples()
    ]


def bucket(days: int) -> str:
    """The bucket of a debt that is `days` past its due date."""
    return next((name for name, most in BUCKETS if days <= most), OLDEST)


def buckets(items: Sequence[OpenItem], on: date) -> dict[str, int]:
    """What is open in each bucket, in minor units; every bucket is there."""
    found = dict.fromkeys(NAMES, 0)
    for item in items:
        found[bucket(item.overdue(on))] += item.open_minor
    return found


def aging(session: Session, on: date | None = None) -> dict[str, int]:
    """What all customers owe by bucket. Reads every debt: for the hour or an export, not for a page."""
    found = dict.fromkeys(NAMES, 0)
    for days, minor in session.execute(BY_AGE, {"on": on or here(), "zone": settings().utility_zone}):
        found[bucket(days)] += int(minor)
    return found


def overdue_since(session: Session, connection_id: int, on: date | None = None) -> tuple[date, int] | None:
    """The due date of the oldest open charge and all that is overdue, in minor units; None where nothing is."""
    due = [item for item in open_items(session, [connection_id]) if item.overdue(on or here()) > 0]
    return (due[0].due_on, sum(item.open_minor for item in due)) if due else None
