"""The speed of a billing run: readings to issued invoices, beside COPY of the same rows in the same run."""

import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from sqlalchemy import select

from benchmarks.accounts import fill
from benchmarks.copies import Limit, limit, written
from benchmarks.cpu import postgres_s
from benchmarks.memory import watched
from benchmarks.place import Cores, Place, _settle
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.running import running
from ussd_app.embedded.servers import embedded_postgres, embedded_valkey

BASE = 10_000
MONTH = date(2026, 10, 1)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ours:
    """Seconds of each phase of a run, and the processor time of the workers alone and with the server's."""

    phases: dict[str, float]
    workers_s: float
    cpu_s: float

    @property
    def seconds(self) -> float:
        return sum(self.phases.values())


@dataclass(frozen=True)
class Measured:
    """A run, its limit through one connection and through as many as there are workers, and the peaks of memory."""

    ours: Ours
    alone: Limit
    together: Limit
    rows: dict[str, int]
    check_s: float
    memory_mb: dict[str, int]


class Wrong(RuntimeError):
    """The books do not hold what they should after the run, so the figures mean nothing."""


def measure(accounts: int, workers: int, say: Say) -> dict[str, object]:
    """The cost of a run over so many accounts beside its limit, and beside that of a run over `BASE` accounts."""
    base = _measured(BASE, workers, say) if accounts > BASE else None
    found = _measured(accounts, workers, say)
    ours, alone, together = found.ours, found.alone, found.together
    of = accounts / 1e6  # seconds of all in microseconds of one
    shown: dict[str, object] = {
        "accounts": accounts,
        "workers": workers,
        "cores": len(os.sched_getaffinity(0)),
        "ours": {
            "seconds": round(ours.seconds, 2), "us_per_invoice": round(ours.seconds / of, 1),
            "cpu_us_per_invoice": round(ours.cpu_s / of, 1), "worker_cpu_us_per_invoice": round(ours.workers_s / of, 1),
            "invoices_per_s": round(accounts / ours.seconds), **{name: round(s, 2) for name, s in ours.phases.items()},
        },
        "limit": {
            "seconds": round(alone.seconds, 2), "us_per_invoice": round(alone.seconds / of, 1),
            "cpu_us_per_invoice": round(alone.cpu_s / of, 1), "connections": 1, "rows": found.rows,
        },
        "limit_at_once": {
            "seconds": round(together.seconds, 2), "us_per_invoice": round(together.seconds / of, 1),
            "cpu_us_per_invoice": round(together.cpu_s / of, 1), "connections": workers,
        },
        "ratio": round(alone.seconds / ours.seconds, 3),
        "ratio_at_once": round(together.seconds / ours.seconds, 3),
        # The same where other programs keep the cores busy: processor time, of which ours is spread over the workers.
        "cpu_ratio": round(alone.cpu_s * workers / ours.cpu_s, 3),
        "cpu_ratio_at_once": round(together.cpu_s / ours.cpu_s, 3),
        "check_s": round(found.check_s, 2),
        "violations": 0,
        "memory_mb": found.memory_mb,
    }  # fmt: skip
    if base is not None:
        each, least = ours.seconds / accounts, base.ours.seconds / BASE
        shown |= {
            f"us_per_invoice_at_{BASE}": round(least * 1e6, 1),
            f"cost_ratio_to_{BASE}": round(each / least, 3),
            f"cpu_cost_ratio_to_{BASE}": round(ours.cpu_s / accounts / (base.ours.cpu_s / BASE), 3),
        }
    return shown


def _measured(accounts: int, workers: int, say: Say) -> Measured:
    with _place() as (url, folder), watched(folder) as peaks:
        from core.clock import frozen
        from core.database import sessions

        say(f"{accounts:,} accounts are made …")
        with sessions()() as session:
            fill(session, url, accounts)
        with frozen(datetime(2026, 11, 2, 9, tzinfo=UTC)):
            ours = _run(url, folder, workers, say)
        begun = time.perf_counter()
        _checked(accounts)
        check_s = time.perf_counter() - begun
        say(f"the books are checked in {check_s:.1f} s; now the limit …")
        rows = written(url, folder)
        alone, together = limit(url, folder), limit(url, folder, workers)
        say(f"COPY takes {alone.seconds:.2f} s, and {together.seconds:.2f} s through {workers} connections")
    return Measured(ours, alone, together, rows, check_s, peaks)


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


def _run(url: str, folder: Path, workers: int, say: Say) -> Ours:
    from billing.models import RunBatch
    from billing.runs import issue_run, start_run
    from core.database import transaction

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(workers, _begin, (url,)) as pool:
        ready = dict(pool.map(_ready, range(workers * 4)))
        servers_s, own_s, begun = postgres_s(folder), time.process_time(), time.perf_counter()
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
        servers_s, own_s = postgres_s(folder) - servers_s, time.process_time() - own_s
    phases = {"draft_s": drafted - begun, "number_s": numbered - drafted, "issue_s": issued - numbered}
    ended = dict(sorted(done, key=lambda one: one[1]))
    workers_s = own_s + sum(after - ready.get(pid, 0.0) for pid, after in ended.items())
    return Ours(phases, workers_s, workers_s + servers_s)


def _begin(url: str) -> None:
    """Have a worker load what it needs before the clock is started; a real one has run for days."""
    from sqlalchemy.orm import configure_mappers

    import billing.batches  # noqa: F401
    from core.clock import now
    from core.database import configure, transaction
    from core.i18n import LANGUAGES, catalog

    configure(url)
    configure_mappers()
    for language in LANGUAGES:
        catalog(language)
    now()
    with transaction() as session:
        session.execute(select(1))


def _ready(_number: int) -> tuple[int, float]:
    time.sleep(0.2)  # so that no worker takes the other's turn
    return os.getpid(), time.process_time()


def _compute(batch_id: int) -> None:
    from billing.batches import compute_batch
    from core.database import transaction

    with transaction() as session:
        compute_batch(session, batch_id)


def _issue(batch_id: int) -> tuple[int, float]:
    from billing.batches import issue_batch
    from core.database import transaction

    with transaction() as session:
        issue_batch(session, batch_id)
    return os.getpid(), time.process_time()


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
