"""Issuing a batch: its invoices are numbered, posted and announced, each by one statement for all of them."""

from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.bill_messages import announce
from billing.models import BillingRun, RunBatch
from billing.moments import moment_of
from billing.rebills import void_replaced

DUE_DAYS = 14

# Locked in the order of connections, as the ledger does, and before they are read as arrears.
LOCK_BALANCES = (
    text("""
        INSERT INTO balance (connection_id, amount_minor)
        SELECT connection_id, 0 FROM invoice
        WHERE run_id = :run_id AND connection_id BETWEEN :first AND :last AND status = 'draft'
        ORDER BY connection_id ON CONFLICT DO NOTHING
    """),
    text("""
        SELECT count(*) FROM (
            SELECT FROM balance b JOIN invoice i ON i.connection_id = b.connection_id
            WHERE i.run_id = :run_id AND i.connection_id BETWEEN :first AND :last
              AND b.connection_id BETWEEN :first AND :last
            ORDER BY b.connection_id FOR UPDATE OF b
        ) locked
    """),
)

# Every table is reached from the numbered rows by its key: right for however many rows the planner expects.
NUMBER = text("""
    WITH numbered AS MATERIALIZED (
        SELECT id, connection_id, :number_from + row_number() OVER (ORDER BY connection_id) - 1 AS number
        FROM invoice
        WHERE run_id = :run_id AND connection_id BETWEEN :first AND :last AND status = 'draft'
    )
    UPDATE invoice i
    SET number = 'INV-' || lpad(n.number::text, greatest(6, length(n.number::text)), '0'), status = 'issued',
        due_on = :due_on, arrears_minor = b.amount_minor, issued_at = :at
    FROM numbered n JOIN balance b ON b.connection_id = n.connection_id
    WHERE i.id = n.id
""")

# The entries' ids are taken beforehand, so that entries and legs need not be matched by their source.
POST = text("""
    WITH issued AS MATERIALIZED (
        SELECT i.id, i.connection_id, i.number, i.amount_minor,
               nextval(pg_get_serial_sequence('ledger_entry', 'id')) AS entry_id
        FROM (
            SELECT id, connection_id, number, amount_minor FROM invoice
            WHERE run_id = :run_id AND connection_id BETWEEN :first AND :last AND status = 'issued'
            ORDER BY connection_id
        ) i
    ), credits AS MATERIALIZED (
        SELECT i.entry_id, l.account, -sum(l.amount_minor) AS amount_minor
        FROM issued i JOIN invoice_line l ON l.invoice_id = i.id
        GROUP BY i.entry_id, l.account HAVING sum(l.amount_minor) <> 0
    ), entries AS (
        INSERT INTO ledger_entry (id, kind, memo, source, created_at, due_on) OVERRIDING SYSTEM VALUE
        SELECT entry_id, 'invoice', number, 'invoice:' || id, :at, :due_on FROM issued
        WHERE amount_minor <> 0 OR entry_id IN (SELECT entry_id FROM credits)
        ORDER BY entry_id
    )
    INSERT INTO posting (entry_id, account, connection_id, amount_minor)
    SELECT entry_id, account, connection_id, amount_minor FROM (
        SELECT entry_id, 'receivable' AS account, connection_id, amount_minor FROM issued WHERE amount_minor <> 0
        UNION ALL
        SELECT entry_id, account, NULL, amount_minor FROM credits
    ) legs
    ORDER BY entry_id, connection_id NULLS LAST, account
""")


def issue(session: Session, run: BillingRun, batch: RunBatch) -> int:
    """Number, post and announce the batch's drafts; how many there were."""
    assert run.issue_on is not None
    here = {"run_id": run.id, "first": batch.first_connection, "last": batch.last_connection}
    when = {"at": moment_of(run.issue_on), "due_on": due_after(run.issue_on)}
    # Before the balances are locked: a note takes its number before it touches one, too.
    void_replaced(session, run, batch)
    for lock in LOCK_BALANCES:
        session.execute(lock, here)
    numbered = session.execute(NUMBER, here | when | {"number_from": batch.number_from})
    session.execute(POST, here | when)
    if run.notify:
        announce(session, run.id, batch.first_connection, batch.last_connection)
    return int(numbered.rowcount)  # type: ignore[attr-defined]


def due_after(day: date) -> date:
    """When an invoice that is issued on a day is due."""
    return day + timedelta(days=DUE_DAYS)
