"""The outbox: work that leaves after the transaction that caused it has committed.

A row is written with its cause; the relay hands it to a worker. A job is given an id, reads the row anew
and may run twice: that is the price of never losing one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, transaction

Job = Callable[[int], None]
Step = Callable[[Session, int], None]
JOBS: dict[str, Job] = {}
STEPS: dict[str, Step] = {}
"""Those of the jobs that make no network call."""


class Outbox(Base):
    """One piece of work: the job's name, the id it is about, and how far it has come."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "run_after", postgresql_where=text("done_at IS NULL")),
        Index("ix_outbox_subject", "job", "subject_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    job: Mapped[str]
    subject_id: Mapped[int]
    run_after: Mapped[datetime]
    handed_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None]


def after_commit(session: Session, job: str, subject_id: int, *, delay_s: float = 0) -> None:
    """Have `job` run for `subject_id` once this transaction has committed, `delay_s` seconds later at the earliest."""
    session.add(Outbox(job=job, subject_id=subject_id, run_after=now() + timedelta(seconds=delay_s)))


def job(name: str) -> Callable[[Job], Job]:
    """Register a function as the job `name` ("payments.push"). It opens its own transactions."""

    def register(function: Job) -> Job:
        if name in JOBS and JOBS[name] is not function:
            raise ValueError(f"two jobs are named {name}")
        JOBS[name] = function
        return function

    return register


def step(name: str) -> Callable[[Step], Job]:
    """Register a function as the job `name` that makes no network call and opens no transaction.

    A worker does it in the very transaction that marks its row as done: one commit, and no second time.
    """

    def register(function: Step) -> Job:
        def alone(subject_id: int) -> None:
            with transaction() as session:
                function(session, subject_id)

        STEPS[name] = function
        return job(name)(alone)

    return register
