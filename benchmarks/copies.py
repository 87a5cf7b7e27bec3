"""The limit of a billing run: COPY of the very rows it wrote, into tables with the same indexes, by one connection.

The tables of the limit have the checks and indexes of ours, but neither foreign keys nor triggers.
"""

import time
from pathlib import Path

import psycopg

from benchmarks.cpu import postgres_s

TABLES = ("invoice", "invoice_line", "ledger_entry", "posting", "balance", "message")
BLOCK = 1 << 20


def limit(url: str, folder: Path) -> tuple[float, float, dict[str, int]]:
    """Seconds to COPY and commit all rows of a run, the same of processor time, and how many rows each table has."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bench")
        for table in TABLES:
            connection.execute(f"CREATE TABLE bench.{table} (LIKE public.{table} INCLUDING ALL)")
            with (
                (folder / table).open("wb") as file,
                connection.cursor() as cursor,
                cursor.copy(f"COPY public.{table} TO STDOUT") as rows,
            ):
                for block in rows:
                    file.write(block)
        connection.execute("CHECKPOINT")
    seconds, counted, before = 0.0, {}, postgres_s(folder) + time.process_time()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in TABLES:
            begun = time.perf_counter()
            with (folder / table).open("rb") as file, cursor.copy(f"COPY bench.{table} FROM STDIN") as rows:
                while block := file.read(BLOCK):
                    rows.write(block)
            connection.commit()
            seconds += time.perf_counter() - begun
            counted[table] = cursor.rowcount
            (folder / table).unlink()
        used = postgres_s(folder) + time.process_time() - before
    return seconds, used, counted
