"""Statements that are made again and again, sent straight to libpq at a third of the driver's own cost.

They run in the same transaction as whatever else the session does. Parameters are numbered ($1, $2). They are prepared
once for each connection where the driver prepares none of its own (prepare_threshold=None): a rollback would have it
deallocate all, ours included.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from sqlalchemy.orm import Session, make_transient_to_detached

DRIVER = "statements"
FINE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)

Row = tuple[Any, ...]
T = TypeVar("T")


class Statements:
    """Those of one connection."""

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self.connection = connection
        self._pgconn = connection.pgconn
        self._prepares = connection.prepare_threshold is None
        self._names: dict[str, bytes] = {}
        self._values = Transformer(connection)

    def row(self, statement: str, values: Sequence[object]) -> Row | None:
        """The first row of a statement, or None. Raises psycopg.Error."""
        result = self._run(statement, values)
        return self._values.load_row(0, tuple) if result.ntuples else None

    def rows(self, statement: str, values: Sequence[object]) -> list[Row]:
        """All rows of a statement. Raises psycopg.Error."""
        result = self._run(statement, values)
        return self._values.load_rows(0, result.ntuples, tuple)

    def begin(self) -> None:
        """Begin a transaction by hand, on a connection that is in none. Raises psycopg.Error, as all of these do."""
        self._checked(self._pgconn.exec_(b"BEGIN"))

    def commit(self) -> None:
        if self._pgconn.transaction_status == pq.TransactionStatus.INERROR:
            raise psycopg.errors.InFailedSqlTransaction(
                "a statement has failed: COMMIT would undo all, and say nothing"
            )
        self._checked(self._pgconn.exec_(b"COMMIT"))

    def rollback(self) -> None:
        """End the transaction where there is one; a connection that is lost has none."""
        if self._pgconn.status == pq.ConnStatus.OK and self._pgconn.transaction_status != pq.TransactionStatus.IDLE:
            self._pgconn.exec_(b"ROLLBACK")

    def _run(self, statement: str, values: Sequence[object]) -> Any:
        if not self.connection.autocommit and self._pgconn.transaction_status == pq.TransactionStatus.IDLE:
            self.begin()
        dumped: Any = self._values.dump_sequence(values, [PyFormat.TEXT] * len(values))
        if self._prepares:
            name = self._names.get(statement) or self._prepared(statement)
            result = self._checked(self._pgconn.exec_prepared(name, dumped))
        else:
            result = self._checked(self._pgconn.exec_params(statement.encode(), dumped))
        self._values.set_pgresult(result)
        return result

    def _prepared(self, statement: str) -> bytes:
        name = b"turn_%d" % len(self._names)
        self._checked(self._pgconn.prepare(name, statement.encode()))
        self._names[statement] = name
        return name

    def _checked(self, result: Any) -> Any:
        if result.status in FINE:
            return result
        if self._pgconn.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError("the connection to PostgreSQL is lost")
        raise error_from_result(result, encoding="utf-8")


def statements(session: Session) -> Statements:
    """Those of the connection that the session has, or is lent now. What it has still to write is written first."""
    session.flush()
    known = session.info.get(DRIVER)
    if known is None:
        lent = session.connection().connection
        known = lent.info.get(DRIVER)
        if known is None:
            assert isinstance(lent.driver_connection, psycopg.Connection)
            known = lent.info[DRIVER] = Statements(lent.driver_connection)
    assert isinstance(known, Statements)
    return known


def row(session: Session, statement: str, *values: object) -> Row | None:
    """The first row of a statement, or None."""
    return statements(session).row(statement, values)


def rows(session: Session, statement: str, *values: object) -> list[Row]:
    """All rows of a statement."""
    return statements(session).rows(statement, values)


def written(session: Session, thing: T) -> T:
    """Let the session know a row that a statement has just written: `thing` is its model, with its key set.

    What was left out of it is read when somebody asks for it.
    """
    make_transient_to_detached(thing)
    session.add(thing)
    return thing
