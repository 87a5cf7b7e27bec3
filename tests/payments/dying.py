"""A process that dies at one of its commits: just before it, or just after it has reached the disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from sqlalchemy import event
from sqlalchemy.orm import Session


class Death(BaseException):
    """No code may catch it, as none catches SIGKILL."""


@contextmanager
def dying(at: int, written: bool) -> Iterator[None]:
    """Die at commit number `at` of this block, from 1. `written`: it still reached the disk."""
    commits, when = count(1), "after_commit" if written else "before_commit"

    def perhaps(_session: Session) -> None:
        if next(commits) == at:
            raise Death

    event.listen(Session, when, perhaps)
    try:
        yield
    finally:
        event.remove(Session, when, perhaps)
