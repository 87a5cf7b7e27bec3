"""Billing runs: start, pause, issue, cancel. The work itself is done by batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing import run_review
from billing.models import BillingRun, Connection, Invoice, InvoiceLine, RunBatch, RunProblem
from billing.months import month_of
from billing.numbers import take_numbers
from billing.pricing import versions_until
from billing.stale_drafts import drop_stale
from core.clock import now, today
from core.config import settings
from core.outbox import after_commit

BATCH = 1000
MOVING = ("computing", "issuing")
OPEN = ("computing", "review", "issuing")
COMPUTE, ISSUE = "billing.rate_batch", "billing.issue_batch"

REASONS = {
    "no_meter": "No meter has been read here yet",
    "no_reading": "No reading since the last bill",
    "in_review": "A reading waits for review",
    "no_customer": "Nobody is registered here",
    "no_tariff": "The tariff has no version for this month",
    "no_levy": "A levy of the tariff has no rate for this month",
    "void_first": "Its bill for this month went by a reading that was wrong: make that bill void",
    "changed": "Its readings changed after the draft was made",
}

BATCHES = text("""
    INSERT INTO run_batch (run_id, first_connection, last_connection, status, invoices)
    SELECT :run_id, min(id), max(id), 'waiting', 0
    FROM (
        SELECT id, (row_number() OVER (ORDER BY id) - 1) / :size AS batch FROM connection
        WHERE status <> 'closed' AND NOT prepaid
    ) c
    GROUP BY batch ORDER BY batch
    RETURNING id
""")

# Each batch's first number: the range's start and the invoices of the batches before it.
NUMBERS = text("""
    UPDATE run_batch b SET number_from = n.number_from
    FROM (
        SELECT id, CAST(:start AS bigint) + coalesce(sum(invoices) OVER (
            ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS number_from
        FROM run_batch WHERE run_id = :run_id
    ) n
    WHERE b.id = n.id
""")


@dataclass(frozen=True, slots=True)
class RunRefusal:
    """Why not: 'open_run' (another run is open, `run_id`), 'future', 'state' (the run is not where it should be)."""

    kind: str
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; of `total` connections."""

    status: str
    total: int
    done: int
    failed: int
    skipped: int
    issued: int


def start_run(session: Session, period: date, by: str, *, notify: bool = True) -> BillingRun | RunRefusal:
    """Start a run for the month of `period`: batches compute drafts that nobody sees before they are issued.

    Starting the month that is open already gives that run. Prepaid connections are left out, and those billed for the
    month, so another run after an issued one bills those that were missing. `notify`: customers get an SMS then.
    """
    run = open_run(session, period, by, notify=notify)
    if isinstance(run, RunRefusal):
        same = session.get(BillingRun, run.run_id) if run.run_id is not None else None
        return same if same is not None and same.period == month_of(period) else run
    run.total = session.scalar(select(func.count()).where(Connection.status != "closed", ~Connection.prepaid)) or 0
    batches = session.scalars(BATCHES, {"run_id": run.id, "size": BATCH}).all()
    if not batches:
        run.status = "review"
    _send_out(session, COMPUTE, batches)
    session.flush()
    return run


def open_run(session: Session, period: date, by: str, *, notify: bool = True) -> BillingRun | RunRefusal:
    """The row of a run for the month of `period`, without work yet; its inputs are frozen here."""
    period = month_of(period)
    if period > today(settings().utility_zone):
        return RunRefusal("future")
    run = session.scalar(
        insert(BillingRun)
        .values(
            period=period, kind="regular", status="computing", total=0, done=0, failed=0, skipped=0, issued=0,
            notify=notify, created_by=by, created_at=now(),
            inputs={"versions": versions_until(session, period)},
        )
        .on_conflict_do_nothing()
        .returning(BillingRun)
    )  # fmt: skip
    if run is not None:
        return run
    other = session.scalars(select(BillingRun.id).where(BillingRun.status.in_(OPEN))).first()
    return RunRefusal("open_run", other)


def progress(session: Session, run_id: int) -> Progress:
    """How far the run is."""
    run = session.get_one(BillingRun, run_id, populate_existing=True)
    return Progress(run.status, run.total, run.done, run.failed, run.skipped, run.issued)


def issue_run(session: Session, run_id: int, by: str, *, on: date | None = None) -> BillingRun | RunRefusal:
    """Issue a reviewed run as of a day (today): its invoices get one range of numbers, then batches post them.

    Drafts whose readings have changed since go onto the worklist.
    """
    run = _locked(session, run_id)
    if run.status != "review":
        return RunRefusal("state", run_id)
    drop_stale(session, run)
    run.issued_by, run.issued_at = by, now()
    run.issue_on = on or today(settings().utility_zone)
    count = session.scalar(select(func.sum(RunBatch.invoices)).where(RunBatch.run_id == run_id)) or 0
    if not count:
        run.status, run.review = "issued", None
        if run.total > run_review.AT_ONCE:
            after_commit(session, run_review.REVIEW, run_id)
        session.flush()
        return run
    run.number_from = take_numbers(session, "invoice", int(count))
    run.number_to = run.number_from + int(count) - 1
    session.execute(NUMBERS, {"start": run.number_from, "run_id": run_id})
    run.status = "issuing"
    batches = session.scalars(select(RunBatch.id).where(RunBatch.run_id == run_id).order_by(RunBatch.id)).all()
    _send_out(session, ISSUE, batches)
    return run


def pause_run(session: Session, run_id: int) -> BillingRun | RunRefusal:
    """Have the run's batches wait; those at work are finished first."""
    run = _locked(session, run_id)
    if run.status not in MOVING or run.paused:
        return RunRefusal("state", run_id)
    run.paused = True
    session.flush()
    return run


def resume_run(session: Session, run_id: int) -> BillingRun | RunRefusal:
    """Go on with a paused run, or with one whose work was lost: a batch that is done does nothing again."""
    run = _locked(session, run_id)
    if run.status not in MOVING:
        return RunRefusal("state", run_id)
    run.paused = False
    job, waiting = (COMPUTE, "waiting") if run.status == "computing" else (ISSUE, "computed")
    left = select(RunBatch.id).where(RunBatch.run_id == run_id, RunBatch.status == waiting).order_by(RunBatch.id)
    _send_out(session, job, session.scalars(left).all())
    session.flush()
    return run


def cancel_run(session: Session, run_id: int, by: str) -> BillingRun | RunRefusal:
    """Take back a run that is not issued: its drafts go. Batches that still wait find nothing to do."""
    run = _locked(session, run_id)
    if run.status not in ("computing", "review"):
        return RunRefusal("state", run_id)
    drafts = select(Invoice.id).where(Invoice.run_id == run_id)
    session.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id.in_(drafts)))
    session.execute(delete(Invoice).where(Invoice.run_id == run_id))
    session.execute(update(RunBatch).where(RunBatch.run_id == run_id).values(invoices=0))
    run.status, run.cancelled_by, run.paused = "cancelled", by, False
    session.flush()
    return run


def list_runs(session: Session, *, before: int | None = None, limit: int = 50) -> list[BillingRun]:
    """Runs, newest first; `before` is the last id seen."""
    query = select(BillingRun).order_by(BillingRun.id.desc()).limit(limit)
    return list(session.scalars(query.where(BillingRun.id < before) if before is not None else query))


def problems(
    session: Session, run_id: int, *, after: int = 0, limit: int = 100, reason: str | None = None
) -> list[RunProblem]:
    """The run's worklist by connection, of one reason or all; `after` is the last connection_id seen.

    `REASONS` says what they mean.
    """
    query = select(RunProblem).where(RunProblem.run_id == run_id, RunProblem.connection_id > after)
    if reason is not None:
        query = query.where(RunProblem.reason == reason)
    return list(session.scalars(query.order_by(RunProblem.connection_id).limit(limit)))


def _locked(session: Session, run_id: int) -> BillingRun:
    """The run, when no batch of it is at work. Batches are locked before their run here as in the batches' own work."""
    session.execute(select(RunBatch.id).where(RunBatch.run_id == run_id).order_by(RunBatch.id).with_for_update())
    return session.get_one(BillingRun, run_id, with_for_update=True, populate_existing=True)


def _send_out(session: Session, job: str, batch_ids: Sequence[int]) -> None:
    for batch_id in batch_ids:
        after_commit(session, job, batch_id)
