"""COPY into a table, in the transaction of the session: the cheapest way that rows get into PostgreSQL."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

CHUNK = 1 << 16
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def field(value: str | int | Decimal | date | datetime | bool | None) -> str:
    """One value as COPY's text format writes it."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES) if _SPECIAL.search(value) else value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def row(*values: str | int | Decimal | date | datetime | bool | None) -> str:
    """One row, with its end."""
    return "\t".join(map(field, values)) + "\n"


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Iterable[str]) -> None:
    """Add `rows`, each made by `row`, to a table. Raises psycopg.Error where the table refuses one."""
    session.flush()
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in _chunks(rows):
            copy.write(chunk)


def _chunks(rows: Iterable[str]) -> Iterable[str]:
    held: list[str] = []
    size = 0
    for one in rows:
        held.append(one)
        size += len(one)
        if size >= CHUNK:
            yield "".join(held)
            held, size = [], 0
    if held:
        yield "".join(held)
