"""The speed of a billing run: readings to issued invoices, beside COPY of the same rows in the same run."""

import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from sqlalchemy import select

from benchmarks.accounts import fill
from benchmarks.copies import limit
from benchmarks.cpu import postgres_s
from benchmarks.place import Cores, Place, _settle
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.running import running
from ussd_app.embedded.servers import embedded_postgres, embedded_valkey

WORKERS = 2
MONTH = date(2026, 10, 1)
Say = Callable[[str], None]


class Wrong(RuntimeError):
    """The books do not hold what they should after the run, so the figures mean nothing."""


def measure(accounts: int, workers: int, say: Say) -> dict[str, object]:
    """Seconds of a run over so many accounts and of its limit."""
    with _place() as (url, folder):
        from core.clock import frozen
        from core.database import sessions

        say(f"{accounts:,} accounts are made …")
        with sessions()() as session:
            fill(session, url, accounts)
        with frozen(datetime(2026, 11, 2, 9, tzinfo=UTC)):
            before = postgres_s(folder)
            phases, memory_mb, workers_s = _run(url, workers, say)
            ours_cpu = postgres_s(folder) - before + workers_s
        begun = time.perf_counter()
        _checked(accounts)
        checked_s = time.perf_counter() - begun
        say(f"the books are checked in {checked_s:.1f} s; now the limit …")
        limit_s, limit_cpu, rows = limit(url, folder)
    ours_s = sum(phases.values())
    return {
        "accounts": accounts,
        "workers": workers,
        "cores": len(os.sched_getaffinity(0)),
        "ours": {
            "seconds": round(ours_s, 2), "us_per_invoice": round(ours_s / accounts * 1e6, 1),
            "cpu_us_per_invoice": round(ours_cpu / accounts * 1e6, 1),
            "invoices_per_s": round(accounts / ours_s), **{name: round(took, 2) for name, took in phases.items()},
        },
        "limit": {
            "seconds": round(limit_s, 2), "us_per_invoice": round(limit_s / accounts * 1e6, 1),
            "cpu_us_per_invoice": round(limit_cpu / accounts * 1e6, 1), "rows": rows,
        },
        "ratio": round(limit_s / ours_s, 3),
        # What it would be with every core to ourselves: the limit is one connection's, ours may use all workers.
        "cpu_ratio": round(limit_cpu * workers / ours_cpu, 3),
        "check_s": round(checked_s, 2),
        "violations": 0,
        "worker_memory_mb": memory_mb,
    }  # fmt: skip


@contextmanager
def _place() -> Iterator[tuple[str, Path]]:
    """A database of its own on all cores, and a folder beside it."""
    folder = Path(tempfile.mkdtemp(prefix="mita-bench-"))
    folder.chmod(0o711)
    data = DataFolder(folder / "data")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        data.create()
        postgres, valkey = embedded_postgres(data), embedded_valkey(data)
        stack.enter_context(running(postgres.program(), data.logs / "postgres.log"))
        _settle(Place(postgres.url("postgres"), valkey.url, data.logs, Cores.split()))
        yield postgres.url("postgres"), folder


def _run(url: str, workers: int, say: Say) -> tuple[dict[str, float], int, float]:
    """The run itself: each phase's seconds, the largest worker's memory, and the workers' processor time."""
    from billing.models import RunBatch
    from billing.runs import issue_run, start_run
    from core.database import transaction

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(workers, _begin, (url,)) as pool:
        ready = dict(pool.map(_ready, range(workers * 4)))
        begun = time.perf_counter()
        with transaction() as session:
            run = start_run(session, MONTH, "bench")
            run_id = run.id  # type: ignore[union-attr]
            batches = session.scalars(select(RunBatch.id).order_by(RunBatch.id)).all()
        pool.map(_compute, batches, chunksize=1)
        drafted = time.perf_counter()
        say(f"drafted in {drafted - begun:.2f} s")
        with transaction() as session:
            issue_run(session, run_id, "bench")
        numbered = time.perf_counter()
        done = pool.map(_issue, batches, chunksize=1)
        issued = time.perf_counter()
        say(f"issued in {issued - numbered:.2f} s")
    phases = {"draft_s": drafted - begun, "number_s": numbered - drafted, "issue_s": issued - numbered}
    ended = {pid: used for _, pid, used in sorted(done, key=lambda one: one[2])}
    used = sum(after - ready.get(pid, 0.0) for pid, after in ended.items())
    return phases, max((memory for memory, _, _ in done), default=0) // 1024, used


def _begin(url: str) -> None:
    from core.clock import now
    from core.database import configure

    configure(url)
    now()


def _ready(_number: int) -> tuple[int, float]:
    """Have a worker load what it needs before the clock is started; a real one has run for days."""
    import billing.batches  # noqa: F401
    from core.database import transaction

    with transaction() as session:
        session.execute(select(1))
    return os.getpid(), time.process_time()


def _compute(batch_id: int) -> None:
    from billing.batches import compute_batch
    from core.database import transaction

    with transaction() as session:
        compute_batch(session, batch_id)


def _issue(batch_id: int) -> tuple[int, int, float]:
    from billing.batches import issue_batch
    from core.database import transaction

    with transaction() as session:
        issue_batch(session, batch_id)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, os.getpid(), time.process_time()


def _checked(accounts: int) -> None:
    """Every account has its issued invoice and its SMS, and every invariant of the books holds."""
    from sqlalchemy import func

    from billing.books import check
    from billing.models import Invoice
    from core.database import transaction
    from core.messages import Message

    with transaction() as session:
        issued = session.scalar(select(func.count()).where(Invoice.status == "issued"))
        messages = session.scalar(select(func.count()).select_from(Message))
        broken = [one.name for one in check(session) if one.violations]
    if (issued, messages, broken) != (accounts, accounts, []):
        raise Wrong(f"{issued} invoices and {messages} messages for {accounts} accounts; broken: {broken}")
