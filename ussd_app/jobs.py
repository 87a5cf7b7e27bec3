"""Where a worker takes up the outbox: one row, its job, and what became of it."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from sqlalchemy import text

from core.audit import acting
from core.clock import now
from core.database import transaction
from core.outbox import JOBS, Outbox

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


def run_job(outbox_id: int) -> None:
    """Run the job of an outbox row and mark the row. Never raises for the job's sake: a failure waits in the row.

    A row that is done or being worked on by somebody else is left alone, so handing it over twice does no harm.
    """
    with alone(outbox_id) as mine:
        row = _taken(outbox_id) if mine else None
        if row is None:
            return
        try:
            with acting(f"job {row.job}", f"outbox {row.id}"):
                JOBS[row.job](row.subject_id)
        except Exception as error:
            expected = isinstance(error, TryLater)
            write = log.warning if expected else log.error
            write("job.failed", job=row.job, subject_id=row.subject_id, attempt=row.attempts,
                  error=str(error) if expected else repr(error), exc_info=not expected)  # fmt: skip
            _postponed(row, error)
        else:
            with transaction() as session:
                done = session.get_one(Outbox, outbox_id)
                done.done_at, done.last_error = now(), None


@contextmanager
def alone(outbox_id: int) -> Iterator[bool]:
    """True where no other worker has this row. PostgreSQL frees it when the worker dies. The lock touches no row."""
    with transaction() as session:
        key = {"space": LOCKS, "row": outbox_id & 0x7FFFFFFF}
        yield bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:space, :row)"), key))


def _taken(outbox_id: int) -> Outbox | None:
    with transaction() as session:
        row = session.get(Outbox, outbox_id)
        if row is None or row.done_at is not None or row.run_after > now():
            return None
        row.attempts += 1
        return row


def _postponed(row: Outbox, error: Exception) -> None:
    wait_s = min(2.0**row.attempts, LONGEST_WAIT_S)
    with transaction() as session:
        waiting = session.get_one(Outbox, row.id)
        waiting.run_after = now() + timedelta(seconds=wait_s)
        waiting.handed_at = None
        waiting.last_error = f"{type(error).__name__}: {error}"[:500]
