"""The limit of settling: the very rows that it wrote, inserted by a bare script in as many commits.

Two commits a credit, as with us: the notice with its work, before it is answered; then all the rest. The tables have
the checks and indexes of ours, but neither foreign keys nor triggers.
"""

import multiprocessing
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.cpu import postgres_s

TABLES = ("notice", "outbox", "ledger_entry", "posting", "balance", "receipt", "intent_event", "message")
OF_A_NOTICE = {
    "notice": "SELECT * FROM notice WHERE id = %(notice)s",
    "outbox": "SELECT * FROM outbox WHERE job = 'payments.settle' AND subject_id = %(notice)s",
}
OF_A_CREDIT = {
    "ledger_entry": "SELECT * FROM ledger_entry WHERE id = %(entry)s",
    "posting": "SELECT * FROM posting WHERE entry_id = %(entry)s",
    "receipt": "SELECT * FROM receipt WHERE id = %(receipt)s",
    "intent_event": "SELECT * FROM intent_event WHERE intent_id = %(intent)s AND state = 'paid'",
    "message": "SELECT * FROM message WHERE key = 'receipt:' || %(receipt)s",
    "outbox": "SELECT * FROM outbox WHERE job = 'messages.send' AND subject_id ="
    " (SELECT id FROM message WHERE key = 'receipt:' || %(receipt)s)",
}
CREDITS = """
    SELECT notice.id AS notice, receipt.entry_id AS entry, receipt.id AS receipt, receipt.intent_id AS intent,
           receipt.connection_id, receipt.amount_minor
    FROM notice JOIN receipt ON notice.body LIKE ('%%' || receipt.receipt || '%%')::bytea WHERE notice.id > %s
"""
ADD_UP = """
    INSERT INTO bench.balance (connection_id, amount_minor) VALUES (%s, %s)
    ON CONFLICT (connection_id) DO UPDATE SET amount_minor = bench.balance.amount_minor + excluded.amount_minor
"""
Statement = tuple[str, tuple[Any, ...]]


def limit(url: str, folder: Path, after: int, connections: int) -> tuple[float, float, int]:
    """Seconds to write the rows of all notices after `after`, the same of processor time, and how many rows."""
    credits = _recorded(url, after)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bench")
        for table in TABLES:
            connection.execute(f"CREATE TABLE bench.{table} (LIKE public.{table} INCLUDING ALL)")
        connection.execute("CHECKPOINT")
    shares = [credits[at::connections] for at in range(connections)]
    before = postgres_s(folder)
    with multiprocessing.get_context("spawn").Pool(connections) as pool:
        pool.map(_ready, range(connections * 4))
        begun = time.perf_counter()
        used = pool.starmap(_write, [(url, share) for share in shares], chunksize=1)
        seconds = time.perf_counter() - begun
    rows = sum(len(part) for credit in credits for part in credit)
    return seconds, postgres_s(folder) - before + sum(used), rows


def _ready(_number: int) -> None:
    """Have a process begin, before the clock is started."""


def _recorded(url: str, after: int) -> list[tuple[list[Statement], list[Statement]]]:
    """For each credit, the statements of its two commits."""
    found = []
    with psycopg.connect(url) as connection:
        for row in connection.execute(CREDITS, (after,)).fetchall():
            ids = dict(zip(("notice", "entry", "receipt", "intent"), row[:4], strict=True))
            kept = [one for table, query in OF_A_NOTICE.items() for one in _inserts(connection, table, query, ids)]
            settled = [one for table, query in OF_A_CREDIT.items() for one in _inserts(connection, table, query, ids)]
            found.append((kept, [*settled, (ADD_UP, (row[4], -row[5]))]))
    return found


def _inserts(connection: "psycopg.Connection[Any]", table: str, query: str, ids: dict[str, Any]) -> list[Statement]:
    cursor = connection.execute(query, ids)
    names = [column.name for column in cursor.description or ()]
    columns, values = ", ".join(names), ", ".join(["%s"] * len(names))
    into = f"INSERT INTO bench.{table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({values})"  # noqa: S608 - our own
    return [(into, tuple(_written(value) for value in row)) for row in cursor.fetchall()]


def _written(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


def _write(url: str, credits: list[tuple[list[Statement], list[Statement]]]) -> float:
    """Write them; the processor time that it took."""
    with psycopg.connect(url, prepare_threshold=2) as connection:
        used = time.process_time()
        for credit in credits:
            for statements in credit:
                for statement, values in statements:
                    connection.execute(statement, values)
                connection.commit()
        return time.process_time() - used
