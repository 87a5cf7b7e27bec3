"""The USSD pool: the same service by a faster server, apart from the office, so that neither waits for the other.

BIND, or PORT, says where; USSD_CONCURRENCY and USSD_THREADS say how much at once. Why this server: docs/adr/0005.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

TARGET = "ussd_app.wsgi:app"
BACKLOG = 1024
HEADERS_WITHIN_MS = 60_000  # a gateway may keep its connection for its next step
STOPS_WITHIN_S = 8
THREADS_LIVE_S = 600  # a new thread opens connections of its own, so none is ended in every lull


@dataclass(frozen=True, slots=True)
class Pool:
    """Where to listen, and how many processes and threads serve. One process uses one core at the most."""

    address: str
    port: int
    processes: int
    threads: int

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Pool":
        """As the environment says. Raises ValueError for a port or a count that is none."""
        address, _, port = environ.get("BIND", "").rpartition(":")
        if not port:
            address, port = ("0.0.0.0", environ["PORT"]) if environ.get("PORT") else ("127.0.0.1", "8003")  # noqa: S104
        return cls(address, int(port), int(environ.get("USSD_CONCURRENCY", "2")), int(environ.get("USSD_THREADS", "4")))


def serve() -> None:
    """Serve until SIGTERM or SIGINT; steps that are being answered are answered."""
    pool = Pool.of(os.environ)
    Granian(
        TARGET,
        address=pool.address,
        port=pool.port,
        interface=Interfaces.WSGI,
        workers=pool.processes,
        blocking_threads=pool.threads,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN_MS),
        websockets=False,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=STOPS_WITHIN_S,
        log_level=LogLevels(os.environ.get("LOG_LEVEL", "warning").lower()),
        log_access=False,
        blocking_threads_idle_timeout=THREADS_LIVE_S,
    ).serve()
