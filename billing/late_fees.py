"""Late fees: once a month for each bill that is overdue for longer than its customer's class allows."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.arrears import ALL, OPEN, OWING, Window
from billing.issuing import due_after
from billing.moments import moment_of
from core.config import settings

ACCOUNT = "revenue:late-fees"

# A fee is never charged on a fee, and a half cent is rounded up. The source names the charge and the month: once.
DUE = (
    "SELECT o.connection_id, o.entry_id, o.memo, o.due_on, o.open_minor,"  # noqa: S608  constants
    " p.late_fee_minor + round(o.open_minor * p.late_fee_share)::bigint AS fee_minor,"
    " 'late_fee:' || o.entry_id || ':' || to_char(CAST(:on AS date), 'YYYY-MM') AS source"
    " FROM (" + OPEN.format(condition=OWING) + ") o"
    " JOIN connection c ON c.id = o.connection_id LEFT JOIN customer u ON u.id = c.customer_id"
    " JOIN credit_policy p ON p.kind = coalesce(u.kind, 'domestic')"
    " WHERE o.kind IN ('invoice', 'instalment', 'debit_note') AND o.open_minor >= p.least_minor"
    " AND CAST(:on AS date) - o.due_on > p.late_fee_days"
    " AND p.late_fee_minor + round(o.open_minor * p.late_fee_share) > 0"
)
NEW = (
    "SELECT * FROM (" + DUE + ") d WHERE NOT EXISTS (SELECT FROM ledger_entry e WHERE e.source = d.source)"  # noqa: S608
    " ORDER BY connection_id, entry_id"
)
CHARGE = (
    "WITH due AS MATERIALIZED (SELECT d.*, nextval(pg_get_serial_sequence('ledger_entry', 'id')) AS fee_id"  # noqa: S608
    " FROM (" + NEW + ") d), entries AS ("
    " INSERT INTO ledger_entry (id, kind, memo, source, created_at, due_on) OVERRIDING SYSTEM VALUE"
    " SELECT fee_id, 'late_fee', memo, source, :at, :due_on FROM due ON CONFLICT (source) DO NOTHING RETURNING id)"
    " INSERT INTO posting (entry_id, account, connection_id, amount_minor)"
    " SELECT fee_id, leg.account, CASE leg.side WHEN 1 THEN connection_id END, leg.side * fee_minor"
    " FROM due JOIN entries ON entries.id = fee_id"
    " CROSS JOIN (VALUES ('receivable', 1), (:account, -1)) leg (account, side)"
    " ORDER BY due.connection_id, fee_id"
)


@dataclass(frozen=True, slots=True)
class LateFee:
    """A fee on an overdue charge, in minor units; `memo` is the charge's."""

    connection_id: int
    entry_id: int
    memo: str
    due_on: date
    open_minor: int
    fee_minor: int


def fees_due(session: Session, on: date, window: Window = ALL) -> list[LateFee]:
    """The dry run: what would be charged on that day."""
    session.flush()
    rows = session.execute(
        text(NEW), {"on": on, "zone": settings().utility_zone, "after": window.after, "upto": window.upto}
    )
    return [
        LateFee(row.connection_id, row.entry_id, row.memo, row.due_on, int(row.open_minor), int(row.fee_minor))
        for row in rows
    ]


def charge_late_fees(session: Session, on: date, window: Window = ALL) -> int:
    """Charge them; how many. Run twice in a month, each is charged once."""
    session.flush()
    legs = session.execute(
        text(CHARGE),
        {
            "on": on, "zone": settings().utility_zone, "at": moment_of(on), "due_on": due_after(on),
            "account": ACCOUNT, "after": window.after, "upto": window.upto,
        },
    )  # fmt: skip
    return int(legs.rowcount) // 2  # type: ignore[attr-defined]
