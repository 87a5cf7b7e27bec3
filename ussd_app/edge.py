"""The WSGI application: the steps of USSD sessions on a short way, everything else through Flask.

A step is read by the same dialect and taken by the same function as in Flask's route for it. Whatever is not a lawful
step, Flask gets to see as it came and refuses or keeps in its own words; so the two cannot differ but in speed.
"""

from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from time import perf_counter
from typing import Any
from urllib.parse import unquote_plus

from core.config import settings
from ussd_app import metrics
from ussd_app.app import create_app
from ussd_app.gateways.dialect import Dialect, Fields, Latest, read_json
from ussd_app.gateways.secret import admitted
from ussd_app.gateways.web import DIALECTS, LARGEST_BODY, METHODS
from ussd_app.take import take_step
from ussd_app.turn import Turn

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000  # as many as Flask takes


class Edge:
    """Stands before `rest`, the application for all but the steps of sessions."""

    def __init__(self, rest: Wsgi, dialects: Iterable[Dialect]) -> None:
        self._rest = rest
        self._dialects: Mapping[str, Dialect] = {dialect.name: dialect for dialect in dialects}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        began = perf_counter()
        dialect = self._asked(environ)
        fields = _fields(dialect, environ) if dialect is not None else None
        step = dialect.read(fields) if dialect is not None and fields is not None else None
        if dialect is None or not isinstance(step, (Turn, Latest)):
            return self._rest(environ, start_response)
        wire = dialect.write(step.session_id, take_step(step))
        start_response(
            "200 OK", [("Content-Type", wire.content_type), ("Content-Length", str(len(wire.body))), *wire.headers]
        )
        metrics.request(f"/ussd/<secret>/{dialect.name}", environ["REQUEST_METHOD"], 200, perf_counter() - began)
        return (wire.body,)

    def _asked(self, environ: Environ) -> Dialect | None:
        """The dialect whose gateway sends this, from where and with the secret it should; None for all else."""
        parts = environ["PATH_INFO"].split("/")
        if len(parts) != 4 or parts[1] != "ussd":
            return None
        dialect = self._dialects.get(parts[3])
        if dialect is None or environ["REQUEST_METHOD"] not in METHODS[dialect.fields_in]:
            return None
        return dialect if admitted(dialect.name, parts[2], environ) else None


def _fields(dialect: Dialect, environ: Environ) -> Fields | None:
    """The fields of a request of the plain kind that gateways send; None for one that Flask should look at.

    The body is left to be read again.
    """
    if environ["REQUEST_METHOD"] == "GET":
        return _pairs(environ.get("QUERY_STRING", "").encode("latin-1"))
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    if dialect.fields_in == "json":
        return read_json(body)
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    return _pairs(body) if kind == FORM else None


def _pairs(encoded: bytes) -> Fields | None:
    """The first of each field, decoded as Flask does it; most values have nothing to decode."""
    if encoded.count(b"&") >= MOST_FIELDS:
        return None
    try:
        pairs = [pair.partition("=") for pair in encoded.decode().split("&") if pair]
    except UnicodeDecodeError:
        return None
    return {_decoded(name): _decoded(value) for name, _, value in reversed(pairs)}


def _decoded(written: str) -> str:
    return unquote_plus(written, errors="werkzeug.url_quote") if "%" in written or "+" in written else written


def application() -> Wsgi:
    """The service as gunicorn or granian serve it."""
    metrics.start()
    return Edge(create_app(settings()).wsgi_app, DIALECTS)
