"""Where a worker takes up the outbox: one row, its job, and what became of it."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from sqlalchemy import select, text

from core.audit import acting
from core.clock import now
from core.database import transaction
from core.outbox import JOBS, STEPS, Outbox

MODULES = (
    "payments.jobs", "payments.pulling", "payments.operations", "payments.statement_import",
    "payments.suspense", "payments.refunds", "billing.jobs", "billing.bulk_jobs",
    "ussd_app.sms", "ussd_app.inbound",
)  # fmt: skip
LOCKS = 0x6F757462  # the first half of the advisory lock of a row: "outb"
LONGEST_WAIT_S = 600

log = structlog.get_logger("jobs")


class TryLater(Exception):
    """An expected hindrance, such as a provider that cannot be reached. The job is tried again after a while."""


def load() -> None:
    """Import every module that registers jobs."""
    for module in MODULES:
        importlib.import_module(module)


def run_jobs(outbox_ids: list[int]) -> None:
    """Run several rows, one after the other."""
    for outbox_id in outbox_ids:
        run_job(outbox_id)


def run_job(outbox_id: int) -> None:
    """Run the job of an outbox row and mark the row. Never raises for the job's sake: a failure waits in the row.

    A row that is done or being worked on by somebody else is left alone, so handing it over twice does no harm.
    """
    if _stepped(outbox_id):
        return
    with alone(outbox_id) as mine:
        row = _taken(outbox_id) if mine else None
        if row is None:
            return
        try:
            with acting(f"job {row.job}", f"outbox {row.id}"):
                JOBS[row.job](row.subject_id)
        except Exception as error:
            _postponed(outbox_id, error)
        else:
            with transaction() as session:
                done = session.get_one(Outbox, outbox_id)
                done.done_at, done.last_error = now(), None


def _stepped(outbox_id: int) -> bool:
    """Do a job that makes no network call, in the transaction that marks its row; false where it is another kind."""
    begun = False
    try:
        with transaction() as session:
            row = session.scalar(
                select(Outbox)
                .where(Outbox.id == outbox_id, Outbox.job.in_(STEPS), Outbox.done_at.is_(None))
                .with_for_update(skip_locked=True)
            )
            if row is None or row.run_after > now():
                return False
            begun = True
            STEPS[row.job](session, row.subject_id)
            row.attempts += 1
            row.done_at, row.last_error = now(), None
    except Exception as error:
        if not begun:
            raise
        _postponed(outbox_id, error, attempts=1)
    return True


@contextmanager
def alone(outbox_id: int) -> Iterator[bool]:
    """True where no other worker has this row. PostgreSQL frees it when the worker dies. The lock touches no row."""
    with transaction() as session:
        key = {"space": LOCKS, "row": outbox_id & 0x7FFFFFFF}
        yield bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:space, :row)"), key))


def _taken(outbox_id: int) -> Outbox | None:
    with transaction() as session:
        row = session.get(Outbox, outbox_id)
        if row is None or row.done_at is not None or row.run_after > now() or row.job in STEPS:
            return None
        row.attempts += 1
        return row


def _postponed(outbox_id: int, error: Exception, *, attempts: int = 0) -> None:
    """Write down that a job has failed, and when it is tried again; `attempts` are those not counted yet."""
    expected = isinstance(error, TryLater)
    write = log.warning if expected else log.error
    with transaction() as session:
        row = session.get_one(Outbox, outbox_id)
        row.attempts += attempts
        row.run_after = now() + timedelta(seconds=min(2.0**row.attempts, LONGEST_WAIT_S))
        row.handed_at = None
        row.last_error = f"{type(error).__name__}: {error}"[:500]
    write("job.failed", job=row.job, subject_id=row.subject_id, attempt=row.attempts,
          error=str(error) if expected else repr(error), exc_info=None if expected else error)  # fmt: skip
