"""The books for one turn: this thread's own connection, for no longer than the turn has time.

Reads are single statements, each its own transaction, so nothing is sent but the statement. Writes are a transaction.
Each thread that takes turns keeps one connection open, so nobody waits for one, and none is lent or handed back.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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
    """For one turn, as a context manager. All raise one of AWAY where PostgreSQL does not answer in time."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._line: _Line | None = None

    def __enter__(self) -> "TurnBooks":
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self._forget()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._watched() as self._line:
            yield self._line.reader

    @contextmanager
    def writing(self) -> Iterator[Session]:
        self._forget()  # what it has read may be about to change
        with self._watched() as line, line.session() as session:
            line.statements.begin()
            try:
                yield session
                session.flush()
                line.statements.commit()
            except BaseException:
                line.statements.rollback()
                raise

    @contextmanager
    def _watched(self) -> "Iterator[_Line]":
        """This thread's line, with the deadline watching it; one that has failed is not used again."""
        line = _line()
        try:
            with self._deadline.watching(line.statements.connection.fileno()):
                yield line
        except AWAY:
            line.close()
            raise

    def _forget(self) -> None:
        """Have what is read next read anew. Statements of ours leave nothing behind in the session."""
        if self._line is not None and self._line.reader.in_transaction():
            self._line.reader.close()


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
