"""The books for one turn: this thread's own connection, for no longer than the turn has time.

Reads are single statements, each its own transaction, so nothing is sent but the statement. Writes are a transaction.
Each thread that takes turns keeps one connection open, so nobody waits for one, and none is lent or handed back.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from threading import local
from types import TracebackType
from typing import Any, Protocol

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from core import database
from core.statements import DRIVER, Statements
from ussd_app.deadline import LIMIT_S, Deadline

AWAY = (OperationalError, psycopg.OperationalError)
"""PostgreSQL cannot be reached, has no time for us, or a lock is held by somebody else."""

LIMITS = " ".join(
    f"-c {name}={int(LIMIT_S * 1000)}"
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
)

_own = local()


class Books(Protocol):
    """Where a conversation's calls are done."""

    def reading(self) -> AbstractContextManager[Session]: ...
    def writing(self) -> AbstractContextManager[Session]: ...


class PatientBooks:
    """For conversations that nobody holds a phone for: ordinary transactions."""

    def reading(self) -> AbstractContextManager[Session]:
        return database.transaction()

    def writing(self) -> AbstractContextManager[Session]:
        return database.transaction()


class TurnBooks:
    """For one turn, as a context manager. All raise one of AWAY where PostgreSQL does not answer in time.

    The thread's line is taken at the first call, and the deadline watches it until the turn is over.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._taken: _Line | None = None

    def __enter__(self) -> "TurnBooks":
        return self

    def __exit__(self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        if self._taken is None:
            return
        self._deadline.unwatch()
        if (kind is not None and issubclass(kind, AWAY)) or self._deadline.left_s <= 0:
            self._taken.close()  # it has failed, or been shut: it is not used again
        else:
            self._taken.forget()

    def reading(self) -> AbstractContextManager[Session]:
        return nullcontext(self._line().reader)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        line = self._line()
        line.forget()  # what it has read may be about to change
        with line.session() as session:
            line.statements.begin()
            try:
                yield session
                session.flush()
                line.statements.commit()
            except BaseException:
                line.statements.rollback()
                raise

    def _line(self) -> "_Line":
        if self._taken is None:
            self._taken = _line()
            self._deadline.watch(self._taken.statements.connection.fileno())
        return self._taken


class _Line:
    """A connection of one thread. Its sessions are in no transaction but one that is begun by hand."""

    def __init__(self, whose: Engine) -> None:
        self.whose = whose
        self._connection = _engine(whose.url.render_as_string(hide_password=False)).connect()
        driver: Any = self._connection.connection.driver_connection
        self.statements = Statements(driver)
        self.reader = self.session()

    def session(self) -> Session:
        """For what is not done by statements, on the same connection."""
        return Session(self._connection, expire_on_commit=False, info={DRIVER: self.statements})

    def forget(self) -> None:
        """Have what is read next read anew. Statements of ours leave nothing behind in the session."""
        if self.reader.in_transaction():
            self.reader.close()

    def close(self) -> None:
        self._connection.invalidate()
        self._connection.close()
        _own.line = None


def _line() -> _Line:
    """This thread's line to the database that is used now."""
    line: _Line | None = getattr(_own, "line", None)
    if line is None or line.whose is not database.engine() or line.statements.connection.closed:
        line = _own.line = _Line(database.engine())
    return line


@cache
def _engine(url: str) -> Engine:
    """Its limits are set when a connection is opened, so that no turn pays for setting them."""
    return create_engine(
        url,
        poolclass=NullPool,  # servers end idle threads; with the thread its line goes, and the connection is closed
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={
            "connect_timeout": 2,
            "application_name": "mita-turn",
            "options": LIMITS,
            "prepare_threshold": None,  # core/statements.py prepares what is worth it
        },
    )
