"""Workers and PostgreSQL are killed while a run is under way: it is finished all the same, with nobody billed twice."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, func, select
from sqlalchemy.orm import Session

import billing.runs
from benchmarks.accounts import fill
from billing.models import Balance, BillingRun, Invoice, RunBatch
from billing.runs import issue_run, start_run
from core.clock import frozen
from core.messages import Message
from tests.billing.estate import broken
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.running import running
from ussd_app.embedded.servers import embedded_postgres

ROOT = Path(__file__).parents[2]
ACCOUNTS, BATCH = 480, 20
BEGUN = date(2026, 10, 1)

# As a worker of the queue does: it opens a transaction for each batch, and takes a batch again that it has lost.
WORKER = """
import sys, time
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
import billing.jobs
from billing.models import RunBatch
from core.database import transaction
from core.outbox import JOBS
job, done = JOBS[sys.argv[1]], sys.argv[2]
while True:
    try:
        with transaction() as session:
            left = session.scalars(select(RunBatch.id).where(RunBatch.status != done).order_by(RunBatch.id)).all()
        if not left:
            break
        for batch in left[int(sys.argv[3]):] or left:
            print("taken", batch, flush=True)
            job(batch)
    except DBAPIError as error:
        print("lost", type(error.orig).__name__, flush=True)
        time.sleep(0.05)
"""


@dataclass
class Scene:
    """A database of its own, for as long as the stack is open."""

    folder: DataFolder
    stack: ExitStack
    url: str = ""
    server: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        postgres = embedded_postgres(self.folder)
        self.url = postgres.url("postgres")
        self.server = self.stack.enter_context(running(postgres.program(), self.folder.logs / "postgres.log"))

    def crash(self) -> None:
        """Kill the server's first process, as when the machine loses power; the others follow it."""
        assert self.server is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait(20)

    def environ(self) -> dict[str, str]:
        return {**os.environ, "DATABASE_URL": self.url}

    def worker(self, job: str, done: str, place: int) -> "subprocess.Popen[str]":
        words = [sys.executable, "-c", WORKER, job, done, str(place)]
        process = subprocess.Popen(words, cwd=ROOT, env=self.environ(), stdout=subprocess.PIPE, text=True)
        self.stack.enter_context(process)
        self.stack.callback(process.kill)
        return process


@pytest.fixture
def scene(database: str) -> Iterator[Scene]:
    place = Path(tempfile.mkdtemp(prefix="mita-test-"))
    place.chmod(0o711)
    folder = DataFolder(place / "data")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        folder.create()
        scene = Scene(folder, stack)
        scene.start()
        subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=scene.environ(), check=True)
        yield scene


def taken(worker: "subprocess.Popen[str]", count: int) -> None:
    """Wait until the worker has taken up so many batches."""
    assert worker.stdout is not None
    for line in worker.stdout:
        count -= line.startswith("taken")
        if count <= 0:
            return
    raise AssertionError("the worker has ended")


def interrupted(scene: Scene, job: str, done: str) -> None:
    """Two workers and the server are killed in the middle of it, and others finish the work."""
    first, second = (scene.worker(job, done, place) for place in (0, BATCH // 2))
    taken(first, 3)
    time.sleep(0.01)  # into the batch
    first.kill()
    taken(second, 2)
    scene.crash()
    scene.start()
    taken(second, 2)
    second.kill()
    third, fourth = (scene.worker(job, done, place) for place in (0, 3))
    assert (third.wait(60), fourth.wait(60)) == (0, 0)
    assert {one.wait(20) for one in (first, second)} == {-signal.SIGKILL}


def session_of(scene: Scene) -> Session:
    engine = create_engine(scene.url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    return Session(engine, expire_on_commit=False)


def test_whoever_is_killed_everybody_is_billed_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billing.runs, "BATCH", BATCH)
    with frozen(datetime(2026, 11, 2, 9, tzinfo=UTC)):
        with session_of(scene) as session:
            fill(session, scene.url, ACCOUNTS)
            run = start_run(session, BEGUN, "office amina")
            assert isinstance(run, BillingRun)
            session.commit()
            assert session.scalar(select(func.count()).select_from(RunBatch)) == ACCOUNTS // BATCH
        interrupted(scene, "billing.rate_batch", "computed")
        with session_of(scene) as session:
            assert isinstance(issue_run(session, run.id, "office amina"), BillingRun)
            session.commit()
        interrupted(scene, "billing.issue_batch", "issued")
    with session_of(scene) as session:
        run = session.get_one(BillingRun, run.id)
        assert (run.status, run.done, run.failed, run.issued) == ("issued", ACCOUNTS, 0, ACCOUNTS)
        numbers = set(session.scalars(select(Invoice.number)))
        assert numbers == {f"INV-{number:06d}" for number in range(1, ACCOUNTS + 1)}
        keys = session.scalars(select(Message.key)).all()
        assert len(keys) == len(set(keys)) == ACCOUNTS
        owed = session.scalar(select(func.sum(Balance.amount_minor)))
        assert owed == session.scalar(select(func.sum(Invoice.amount_minor)))
        assert broken(session) == []
