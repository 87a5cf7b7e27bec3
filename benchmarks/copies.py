"""The limit of a billing run: COPY of the very rows it wrote, into tables with the same indexes.

The tables of the limit have the checks and indexes of ours, but neither foreign keys nor triggers: nothing that
PostgreSQL could do for these rows is cheaper.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import psycopg

from benchmarks.cpu import postgres_s

TABLES = ("invoice", "invoice_line", "ledger_entry", "posting", "balance", "message", "outbox")
BLOCK = 1 << 20


@dataclass(frozen=True)
class Limit:
    """Seconds on the clock and of processor time (the server's and ours) until all was committed."""

    seconds: float
    cpu_s: float


def written(url: str, folder: Path) -> dict[str, int]:
    """Put the rows of the run into files beside the database; how many of each table."""
    counted = {}
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in TABLES:
            with (folder / table).open("wb") as file, cursor.copy(f"COPY public.{table} TO STDOUT") as rows:
                for block in rows:
                    file.write(block)
            counted[table] = cursor.rowcount
    return counted


def limit(url: str, folder: Path, connections: int = 1) -> Limit:
    """COPY the files through so many connections at once, each its share of every table."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS bench CASCADE")
        connection.execute("CREATE SCHEMA bench")
        for table in TABLES:
            connection.execute(f"CREATE TABLE bench.{table} (LIKE public.{table} INCLUDING ALL)")
        connection.execute("CHECKPOINT")
    shares = [{table: _share(folder / table, place, connections) for table in TABLES} for place in range(connections)]
    ready = Barrier(connections + 1)
    with ThreadPoolExecutor(connections) as pool:
        work = [pool.submit(_copy, url, folder, share, ready) for share in shares]
        ready.wait()  # all are connected
        before = postgres_s(folder) + time.process_time()
        ready.wait()
        begun = time.perf_counter()
        for one in work:
            one.result()
        seconds = time.perf_counter() - begun
        return Limit(seconds, postgres_s(folder) + time.process_time() - before)


def _copy(url: str, folder: Path, share: dict[str, tuple[int, int]], ready: Barrier) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        ready.wait()
        ready.wait()
        for table, (first, end) in share.items():
            with cursor.copy(f"COPY bench.{table} FROM STDIN") as rows:
                for block in _blocks(folder / table, first, end):
                    rows.write(block)
            connection.commit()


def _share(path: Path, place: int, of: int) -> tuple[int, int]:
    """Where a share of a file begins and ends, in whole rows."""
    size = path.stat().st_size
    cuts = []
    with path.open("rb") as file:
        for cut in (size * place // of, size * (place + 1) // of):
            file.seek(cut)
            cuts.append(cut + len(file.readline()) if 0 < cut < size else cut)
    return cuts[0], cuts[1]


def _blocks(path: Path, first: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while block := file.read(min(BLOCK, end - file.tell())):
            yield block
