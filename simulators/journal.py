"""What a simulator heard and said over HTTP, so that nobody has to guess where a request was lost."""

import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Literal

import requests
from flask import Flask, Response, g, request

from simulators.wire import call

KEPT = 2000
SHOWN_HEADERS = ("content-type", "apikey", "authorization", "at-ussd-hop-metadata")


@dataclass(slots=True)
class Exchange:
    """One HTTP request and its outcome; `status` None means no answer came, `note` says why in words."""

    what: str
    phone: str
    direction: Literal["in", "out"]
    method: str
    url: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    reply: str = ""
    reply_headers: dict[str, str] = field(default_factory=dict)
    note: str = ""
    ms: float = 0.0
    at: str = ""
    id: int = 0
    septets: int | None = None

    def curl(self) -> str:
        """The same request as a line for the shell."""
        parts = ["curl", "-sS", "-X", self.method, self.url]
        for name, value in self.headers.items():
            parts += ["-H", f"{name}: {value}"]
        if self.body:
            parts += ["--data", self.body]
        return " ".join(shlex.quote(part) for part in parts)

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "curl": self.curl()}


class Journal:
    """The last exchanges, oldest first, numbered from 1; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Exchange] = deque(maxlen=KEPT)
        self._last_id = 0

    def write(self, exchange: Exchange) -> None:
        with self._lock:
            self._last_id += 1
            exchange.id = self._last_id
            self._kept.append(exchange)

    def since(self, after: int, phone: str | None = None) -> list[Exchange]:
        """Exchanges with an id above `after`, of one phone or of all."""
        with self._lock:
            return [e for e in self._kept if e.id > after and (phone is None or e.phone == phone)]

    def clear(self) -> None:
        """Forget; numbering goes on, so that a reader's place stays valid."""
        with self._lock:
            self._kept.clear()

    @contextmanager
    def timed(self, exchange: Exchange) -> Iterator[Exchange]:
        """Stamp, time and write down an exchange, however it ends."""
        exchange.at = datetime.now(UTC).isoformat(timespec="milliseconds")
        begun = time.perf_counter()
        try:
            yield exchange
        finally:
            exchange.ms = round((time.perf_counter() - begun) * 1000, 1)
            self.write(exchange)


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that matter to a reader, or when the request is repeated by hand."""
    return {name: value for name, value in headers.items() if name.lower() in SHOWN_HEADERS}


def post(
    journal: Journal,
    what: str,
    phone: str,
    url: str,
    body: str,
    content_type: str,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    judge: Callable[[Exchange], None] | None = None,
) -> Exchange:
    """POST a body, let `judge` note what it thinks of the answer, and write it down.

    Never raises for the far end's failure: `status` is None then, and `note` says why.
    """
    sent = {"Content-Type": content_type, **(headers or {})}
    return _exchanged(journal, Exchange(what, phone, "out", "POST", url, body, sent), timeout_s, judge)


def send(journal: Journal, what: str, phone: str, method: str, url: str, body: str, timeout_s: float) -> Exchange:
    """Send a JSON body by any method, and write it down; the same as `post` in all else."""
    sent = {"Content-Type": "application/json"}
    return _exchanged(journal, Exchange(what, phone, "out", method, url, body, sent), timeout_s, None)


def _exchanged(
    journal: Journal, exchange: Exchange, timeout_s: float, judge: Callable[[Exchange], None] | None
) -> Exchange:
    with journal.timed(exchange):
        try:
            sent = exchange.headers
            answer = call(exchange.method, exchange.url, body=exchange.body.encode(), headers=sent, timeout_s=timeout_s)
            exchange.status = answer.status_code
            exchange.reply = answer.content.decode("utf-8", "replace")
            exchange.reply_headers = shown_headers(answer.headers)
        except requests.Timeout:
            exchange.note = f"no answer within {timeout_s:g} s"
        except requests.RequestException as error:
            exchange.note = f"not reached: {type(error).__name__}"
        if judge:
            judge(exchange)
    return exchange


def watch(app: Flask, journal: Journal, name_of: Callable[[str], str | None]) -> None:
    """Write down each request to `app` whose path has a name; a view may fill in `g.exchange.phone`."""

    @app.before_request
    def _begin() -> None:
        what = name_of(request.path)
        body = request.get_data(as_text=True) if what else ""
        headers = shown_headers(dict(request.headers))
        g.exchange = Exchange(what or "", "", "in", request.method, request.url, body, headers)
        g.exchange.at = datetime.now(UTC).isoformat(timespec="milliseconds")
        g.begun = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        exchange: Exchange = g.exchange
        if exchange.what:
            exchange.status, exchange.reply = response.status_code, response.get_data(as_text=True)
            exchange.ms = round((time.perf_counter() - g.begun) * 1000, 1)
            journal.write(exchange)
        return response
