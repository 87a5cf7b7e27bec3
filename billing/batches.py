"""The work of a billing run, a batch of connections at a time; any worker may take any batch, and twice."""

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from billing import run_review
from billing.drafting import draft
from billing.issuing import issue
from billing.models import BillingRun, RunBatch
from core.outbox import after_commit


def compute_batch(session: Session, batch_id: int) -> bool:
    """Make the batch's drafts and its part of the worklist; whether there was anything to do."""
    batch = session.get_one(RunBatch, batch_id, with_for_update=True, populate_existing=True)
    run = session.get_one(BillingRun, batch.run_id, populate_existing=True)
    if batch.status != "waiting" or run.status != "computing" or run.paused:
        return False
    drafted = draft(session, run, batch)
    batch.status, batch.invoices = "computed", len(drafted.drafts)
    counted = {"done": len(drafted.drafts), "failed": len(drafted.problems), "skipped": drafted.skipped}
    _advance(session, run, "computed", "review", **counted)
    return True


def issue_batch(session: Session, batch_id: int) -> bool:
    """Number, post and announce the batch's invoices, all or nothing; whether there was anything to do."""
    batch = session.get_one(RunBatch, batch_id, with_for_update=True, populate_existing=True)
    run = session.get_one(BillingRun, batch.run_id, populate_existing=True)
    if batch.status != "computed" or run.status != "issuing" or run.paused:
        return False
    issued = issue(session, run, batch)
    batch.status = "issued"
    _advance(session, run, "issued", "issued", issued=issued)
    return True


def run_now(session: Session, run_id: int) -> None:
    """Do all the work that the run's state asks for in this transaction; for small utilities and seeds."""
    run = session.get_one(BillingRun, run_id)
    work = compute_batch if run.status == "computing" else issue_batch
    for batch_id in session.scalars(select(RunBatch.id).where(RunBatch.run_id == run_id).order_by(RunBatch.id)).all():
        work(session, batch_id)


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
    moved = session.scalar(
        update(BillingRun)
        .where(BillingRun.id == run.id, ~waiting)
        .values(status=then, review=None)
        .returning(BillingRun.total),
        execution_options={"synchronize_session": False},
    )
    if moved is not None and moved > run_review.AT_ONCE:
        after_commit(session, run_review.REVIEW, run.id)
    session.refresh(run)
