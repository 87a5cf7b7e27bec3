"""How a simulator process starts, serves and stops."""

import signal
import socket
import sys
from collections.abc import Mapping
from types import FrameType
from typing import NoReturn

from flask import Flask, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _QuietHandler(WSGIRequestHandler):
    """The handset page polls every second; a line a request would drown everything else."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def refuse_production(environ: Mapping[str, str]) -> None:
    """A simulator says yes to anyone who knows the demo PIN: it must never stand beside real money."""
    if environ.get("MITA_ENV") == "production":
        sys.exit("The simulators do not run with MITA_ENV=production.")


def make(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """A threaded server, bound but not yet serving; port 0 picks a free one (see `server.port`)."""
    return make_server(host, port, app, threaded=True, request_handler=_QuietHandler)


def serve(app: Flask, host: str, port: int, name: str) -> None:
    """Serve until SIGTERM or Ctrl-C, then stop at once: nothing here is worth saving."""
    server = make(app, host, port)
    signal.signal(signal.SIGTERM, _stop)
    print(f"{name} on http://{host}:{server.port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def hang_up() -> None:
    """End the connection: whoever asked does not learn what became of it."""
    line = request.environ.get("werkzeug.socket")
    if isinstance(line, socket.socket):
        line.shutdown(socket.SHUT_RDWR)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
