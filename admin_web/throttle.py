"""Slows down the guessing of passwords, by user and by address, with the times kept in the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from admin_web.models import LoginThrottle
from core.clock import now

FREE_TRIES = {"user": 5, "address": 20}
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=24)


def subjects(username: str, address: str) -> list[str]:
    """What one attempt counts against, in the order in which the rows are locked."""
    return [f"address {address}", f"user {username}"]


def locked_until(session: Session, wanted: Sequence[str]) -> datetime | None:
    """Until when none of these may try, or None. Holds their rows, so that attempts at once count one by one."""
    session.execute(
        insert(LoginThrottle)
        .values([{"subject": subject, "failures": 0, "failed_at": now()} for subject in wanted])
        .on_conflict_do_nothing()
    )
    rows = session.scalars(
        select(LoginThrottle)
        .where(LoginThrottle.subject.in_(wanted))
        .order_by(LoginThrottle.subject)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    times = [row.locked_until for row in rows if row.locked_until and row.locked_until > now()]
    return max(times, default=None)


def count_failure(session: Session, wanted: Sequence[str]) -> None:
    """One more failure; past the free tries each doubles the wait, up to a quarter of an hour."""
    for subject in wanted:
        row = session.get_one(LoginThrottle, subject)
        fresh = now() - row.failed_at > FORGOTTEN_AFTER
        row.failures = 1 if fresh else row.failures + 1
        row.failed_at = now()
        beyond = row.failures - FREE_TRIES[subject.split(" ", 1)[0]]
        row.locked_until = now() + wait(beyond) if beyond >= 0 else None


def wait(beyond: int) -> timedelta:
    """How long after the last free try and `beyond` further ones: 30 s, 1 min, 2 min, up to 15 min."""
    return min(FIRST_WAIT * (1 << min(beyond, 10)), LONGEST_WAIT)


def forgive(session: Session, username: str) -> None:
    """The user proved who she is. Her address stays counted: one good login must not hide a hundred guesses."""
    session.execute(delete(LoginThrottle).where(LoginThrottle.subject == f"user {username}"))
