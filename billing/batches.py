"""The work of a billing run, a batch of connections at a time; any worker may take any batch, and twice."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from billing.bill_messages import announce
from billing.charging import Charge, charge
from billing.models import BillingRun, Invoice, InvoiceLine, RunBatch, RunProblem
from billing.months import last_day
from billing.rating import rate
from billing.rules import TariffRules
from billing.tariffs import rules_of, version_in_force
from billing.unbilled import Unbilled, unbilled
from core.clock import now, today
from core.config import settings

DUE_DAYS = 14

# Locked in the order of connections, as the ledger does, and before they are read as arrears.
LOCK_BALANCES = (
    text("""
        INSERT INTO balance (connection_id, amount_minor)
        SELECT connection_id, 0 FROM invoice WHERE run_id = :run_id AND connection_id BETWEEN :first AND :last
        ORDER BY connection_id ON CONFLICT DO NOTHING
    """),
    text("""
        SELECT b.connection_id FROM balance b
        WHERE b.connection_id IN (
            SELECT connection_id FROM invoice WHERE run_id = :run_id AND connection_id BETWEEN :first AND :last
        )
        ORDER BY b.connection_id FOR UPDATE
    """),
)

NUMBER = text("""
    UPDATE invoice i
    SET number = 'INV-' || lpad(n.number::text, greatest(6, length(n.number::text)), '0'), status = 'issued',
        due_on = :due_on, arrears_minor = b.amount_minor, issued_at = :at
    FROM (
        SELECT id, :number_from + row_number() OVER (ORDER BY connection_id) - 1 AS number
        FROM invoice WHERE run_id = :run_id AND connection_id BETWEEN :first AND :last
    ) n, balance b
    WHERE i.id = n.id AND b.connection_id = i.connection_id
    RETURNING i.id
""")

POST = text("""
    WITH issued AS (
        SELECT id, connection_id, number, amount_minor FROM invoice
        WHERE run_id = :run_id AND connection_id BETWEEN :first AND :last
    ), legs AS (
        SELECT id AS invoice_id, 'receivable' AS account, connection_id, amount_minor
        FROM issued WHERE amount_minor <> 0
        UNION ALL
        SELECT l.invoice_id, l.account, NULL, -sum(l.amount_minor)
        FROM invoice_line l JOIN issued i ON i.id = l.invoice_id
        GROUP BY l.invoice_id, l.account HAVING sum(l.amount_minor) <> 0
    ), entries AS (
        INSERT INTO ledger_entry (kind, memo, source, created_at)
        SELECT 'invoice', number, 'invoice:' || id, :at FROM issued
        WHERE id IN (SELECT invoice_id FROM legs) ORDER BY connection_id
        RETURNING id, source
    )
    INSERT INTO posting (entry_id, account, connection_id, amount_minor)
    SELECT e.id, legs.account, legs.connection_id, legs.amount_minor
    FROM legs JOIN entries e ON e.source = 'invoice:' || legs.invoice_id
    ORDER BY e.id, legs.connection_id NULLS LAST, legs.account
""")


@dataclass(frozen=True, slots=True)
class _Priced:
    """A tariff version in force, read once for a batch."""

    version_id: int
    rules: TariffRules


def compute_batch(session: Session, batch_id: int) -> bool:
    """Make the batch's drafts and its part of the worklist; whether there was anything to do."""
    batch = session.get_one(RunBatch, batch_id, with_for_update=True, populate_existing=True)
    run = session.get_one(BillingRun, batch.run_id, populate_existing=True)
    if batch.status != "waiting" or run.status != "computing":
        return False
    rows = unbilled(session, batch.first_connection, batch.last_connection, last_day(run.period))
    prices: dict[int, _Priced | None] = {}
    drafts, charges, troubled, skipped = [], {}, [], 0
    for row in rows:
        if row.last_period is not None and row.last_period >= run.period:
            skipped += 1
        elif (reason := _obstacle(row)) is not None:
            troubled.append({"run_id": run.id, "connection_id": row.connection_id, "reason": reason})
        elif (priced := _priced(session, prices, row.tariff_id, run.period)) is None:
            troubled.append({"run_id": run.id, "connection_id": row.connection_id, "reason": "no_tariff"})
        else:
            draft, charged = _draft(run, row, priced)
            drafts.append(draft)
            charges[row.connection_id] = charged
    made = _write(session, drafts, charges)
    if troubled:
        session.execute(insert(RunProblem), troubled)
    batch.status, batch.invoices = "computed", made
    skipped += len(drafts) - made
    _advance(session, run, "computed", "review", done=made, failed=len(troubled), skipped=skipped)
    return True


def issue_batch(session: Session, batch_id: int) -> bool:
    """Number, post and announce the batch's invoices, all or nothing; whether there was anything to do."""
    batch = session.get_one(RunBatch, batch_id, with_for_update=True, populate_existing=True)
    run = session.get_one(BillingRun, batch.run_id, populate_existing=True)
    if batch.status != "computed" or run.status != "issuing":
        return False
    assert run.issue_on is not None
    here = {"run_id": run.id, "first": batch.first_connection, "last": batch.last_connection}
    at = _moment(run.issue_on)
    for lock in LOCK_BALANCES:
        session.execute(lock, here)
    due_on = date.fromordinal(run.issue_on.toordinal() + DUE_DAYS)
    issued = session.scalars(NUMBER, {**here, "number_from": batch.number_from, "due_on": due_on, "at": at}).all()
    session.execute(POST, {**here, "at": at})
    if run.notify:
        announce(session, issued)
    batch.status = "issued"
    _advance(session, run, "issued", "issued", issued=len(issued))
    return True


def run_now(session: Session, run_id: int) -> None:
    """Do all the work that the run's state asks for in this transaction; for small utilities and seeds."""
    run = session.get_one(BillingRun, run_id)
    work = compute_batch if run.status == "computing" else issue_batch
    for batch_id in session.scalars(select(RunBatch.id).where(RunBatch.run_id == run_id).order_by(RunBatch.id)).all():
        work(session, batch_id)


def _obstacle(row: Unbilled) -> str | None:
    """Why the connection cannot be billed, if so."""
    if not row.has_customer:
        return "no_customer"
    if row.opening_id is None:
        return "no_meter"
    if row.closing_id is None:
        return "in_review" if row.in_review else "no_reading"
    return None


def _priced(session: Session, known: dict[int, _Priced | None], tariff_id: int, month: date) -> _Priced | None:
    if tariff_id not in known:
        version = version_in_force(session, tariff_id, month)
        known[tariff_id] = _Priced(version.id, rules_of(version)) if version else None
    return known[tariff_id]


def _draft(run: BillingRun, row: Unbilled, priced: _Priced) -> tuple[dict[str, Any], Charge]:
    assert row.closed_on is not None
    period = row.period(priced.rules, run.period, row.closed_on)
    charged = charge(rate(priced.rules, row.usage, period), settings().currency)
    return {
        "run_id": run.id,
        "connection_id": row.connection_id,
        "kind": run.kind,
        "period_start": run.period,
        "period_end": last_day(run.period),
        "usage": row.usage,
        "days": int(period.days or 0),
        "cycles": period.cycles,
        "amount_minor": charged.total.minor,
        "arrears_minor": 0,
        "status": "draft",
        "tariff_version_id": priced.version_id,
        "opening_reading_id": row.opening_id,
        "closing_reading_id": row.closing_id,
        "created_at": now(),
    }, charged


def _write(session: Session, drafts: list[dict[str, Any]], charges: dict[int, Charge]) -> int:
    """Insert the drafts and their lines; how many. One that is billed for the month already is left out."""
    if not drafts:
        return 0
    made = session.execute(
        upsert(Invoice)
        .on_conflict_do_nothing(index_elements=["connection_id", "period_start", "kind"])
        .returning(Invoice.id, Invoice.connection_id),
        drafts,
    ).all()
    lines = [
        {
            "invoice_id": invoice_id,
            "position": position,
            "code": line.code,
            "label": line.label,
            "quantity": line.quantity,
            "rate": line.rate,
            "amount_minor": line.amount.minor,
            "account": line.account,
        }
        for invoice_id, connection_id in made
        for position, line in enumerate(charges[connection_id].lines, 1)
    ]
    if lines:
        session.execute(insert(InvoiceLine), lines)
    return len(made)


def _advance(session: Session, run: BillingRun, finished: str, then: str, **counted: int) -> None:
    """Count the batch's work on the run, and move the run on when this was its last batch.

    The run's row is the last that is locked, so that batches wait for each other only for a moment.
    """
    session.flush()
    grown = {name: getattr(BillingRun, name) + count for name, count in counted.items()}
    session.execute(
        update(BillingRun).where(BillingRun.id == run.id).values(grown),
        execution_options={"synchronize_session": False},
    )
    waiting = exists().where(RunBatch.run_id == run.id, RunBatch.status != finished)
    session.execute(
        update(BillingRun).where(BillingRun.id == run.id, ~waiting).values(status=then),
        execution_options={"synchronize_session": False},
    )
    session.refresh(run)


def _moment(day: date) -> datetime:
    """Now, or the noon of a day that has passed."""
    zone = settings().utility_zone
    if day >= today(zone):
        return now()
    return datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)
