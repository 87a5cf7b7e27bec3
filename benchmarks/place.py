"""A place to measure in: servers and books of its own, and a core for the service that nothing else runs on."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ussd_app.embedded.folder import ROOT, DataFolder, is_free
from ussd_app.embedded.running import running
from ussd_app.embedded.servers import embedded_postgres, embedded_valkey

SECRET = "bench-gateway-secret"  # noqa: S105 - it opens nothing but this measurement
THREADS = 4

SERVERS = {
    "granian": (
        "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1",
        "--blocking-threads", "{threads}", "--http", "1", "--no-ws", "--log-level", "warning", "{app}",
    ),
    "gthread": (
        "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", "{threads}", "--keep-alive", "30",
        "--bind", "127.0.0.1:{port}", "--log-level", "warning", "{app}",
    ),
    "sync": (
        "gunicorn", "--worker-class", "sync", "--workers", "1", "--bind", "127.0.0.1:{port}", "--log-level", "warning",
        "{app}",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Cores:
    """The core of the service, and those of all else; the same one where there is only one."""

    service: int
    rest: frozenset[int]

    @classmethod
    def split(cls) -> "Cores":
        *rest, service = sorted(os.sched_getaffinity(0))
        return cls(service, frozenset(rest or [service]))


@dataclass(frozen=True)
class Place:
    """Where the servers are."""

    database_url: str
    redis_url: str
    logs: Path
    cores: Cores


@dataclass(frozen=True)
class Served:
    """A service that runs: its port, and its first process."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """The processor time that its processes have used, in seconds (proc(5): utime and stime)."""
        used = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            if int(fields[1]) == self.pid or stat.parent.name == str(self.pid):
                used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")


@contextmanager
def measuring() -> Iterator[Place]:
    """Servers in a folder that is removed afterwards; this process and they share the cores that are left over."""
    cores = Cores.split()
    os.sched_setaffinity(0, cores.rest)
    folder = Path(tempfile.mkdtemp(prefix="mita-bench-"))
    folder.chmod(0o711)
    data = DataFolder(folder / "data")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(os.sched_setaffinity, 0, {cores.service, *cores.rest})
        data.create()
        postgres, valkey = embedded_postgres(data), embedded_valkey(data)
        stack.enter_context(running(postgres.program(), data.logs / "postgres.log"))
        stack.enter_context(running(valkey.program(), data.logs / "valkey.log"))
        place = Place(postgres.url("postgres"), valkey.url, data.logs, cores)
        _settle(place)
        yield place


def _settle(place: Place) -> None:
    """The settings of this process and its children, and the tables."""
    from alembic import command
    from alembic.config import Config

    from core import config
    from core.database import configure

    os.environ.update(
        MITA_ENV="production", DEMO="0", DATABASE_URL=place.database_url, REDIS_URL=place.redis_url,
        SECRET_KEY="-" * 40, GATEWAY_SECRET=SECRET, LOG_LEVEL="warning",
    )  # fmt: skip
    config.settings.cache_clear()
    configure(place.database_url)
    command.upgrade(Config(ROOT / "alembic.ini"), "head")


@contextmanager
def serving(place: Place, server: str, app: str, threads: int = THREADS) -> Iterator["Served"]:
    """Serve `app` ("module:name") with one worker on the service's own core."""
    port = next(number for number in range(18000, 19000) if is_free(number))
    words = [word.format(port=port, app=app, threads=threads) for word in SERVERS[server]]
    with (place.logs / "service.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - servers of ours
            [sys.executable, "-m", *words],
            cwd=ROOT, stdout=log, stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {place.cores.service}),
        )  # fmt: skip
    try:
        _wait(process, port, place.logs / "service.log")
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the service does not start:\n{log.read_text()[-2000:]}")
