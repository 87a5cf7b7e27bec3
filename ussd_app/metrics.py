"""Counters and times of this process, summed over all processes in one Redis hash, for Prometheus to read.

Counting is a few additions in memory. Each process adds what it has counted to the hash every few seconds, so
it makes no difference which process, worker or machine is asked for the sums. No label holds anything of a customer's.
"""

import atexit
import os
import re
from bisect import bisect_left
from collections.abc import Mapping
from functools import lru_cache
from threading import Event, Lock, Thread

import structlog
from redis import Redis, RedisError

from ussd_app.stores import as_text, quick

SUMS = "mita:metrics"
EVERY_S = 5.0
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.0, 10.0)
"""Upper ends of the classes of times; 4 s is when we end a turn ourselves, 10 s when a gateway gives us up."""
CLASSES = (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf")

SCREEN = re.compile(r"\A[a-z]+(:[a-z_|]{1,100})?\Z")
"""A screen's name of our own making. Older sessions hold account numbers in some; those are counted as one."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_counts: dict[str, float] = {}
_lock = Lock()
_stop = Event()
_started = False

log = structlog.get_logger("metrics")


def turn(kind: str, channel: str, screen: str, seconds: float) -> None:
    """Count a turn: how it stood to the session (first, next, repeat, stale, gap, conflict), what it led to, and how
    long the answer took. `screen` is its name, or "" where a turn moved nothing."""
    told, shown, classes, total = _turn_series(kind, channel, screen)
    series = classes[bisect_left(BOUNDS_S, seconds)]
    with _lock:
        _counts[told] = _counts.get(told, 0) + 1
        _counts[series] = _counts.get(series, 0) + 1
        _counts[total] = _counts.get(total, 0) + seconds
        if shown:
            _counts[shown] = _counts.get(shown, 0) + 1


def request(rule: str, method: str, status: int, seconds: float) -> None:
    """Count an HTTP request by the rule that its address matched ("" for none), never by the address itself."""
    told, classes, total = _request_series(rule, method if method in METHODS else "other", status)
    series = classes[bisect_left(BOUNDS_S, seconds)]
    with _lock:
        _counts[told] = _counts.get(told, 0) + 1
        _counts[series] = _counts.get(series, 0) + 1
        _counts[total] = _counts.get(total, 0) + seconds


@lru_cache(maxsize=4096)
def _turn_series(kind: str, channel: str, screen: str) -> tuple[str, str, tuple[str, ...], str]:
    name = screen if SCREEN.match(screen) else "other"
    return (
        series_of("mita_turns_total", channel=channel, kind=kind),
        series_of("mita_screens_total", channel=channel, screen=name) if screen else "",
        tuple(series_of("mita_turn_seconds_bucket", channel=channel, le=le) for le in CLASSES),
        series_of("mita_turn_seconds_sum", channel=channel),
    )


@lru_cache(maxsize=4096)
def _request_series(rule: str, method: str, status: int) -> tuple[str, tuple[str, ...], str]:
    return (
        series_of("mita_http_requests_total", method=method, rule=rule, status=str(status)),
        tuple(series_of("mita_http_request_seconds_bucket", rule=rule, le=le) for le in CLASSES),
        series_of("mita_http_request_seconds_sum", rule=rule),
    )


def series_of(name: str, **labels: str) -> str:
    """A series as Prometheus writes it: name{label="value",...}."""
    inside = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{inside}}}" if inside else name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def flush(redis: "Redis") -> None:
    """Add what this process has counted to the sums. What could not be added is kept for the next time."""
    with _lock:
        counted = dict(_counts)
        _counts.clear()
    if not counted:
        return
    try:
        with redis.pipeline(transaction=True) as pipeline:
            for series, count in counted.items():
                pipeline.hincrbyfloat(SUMS, series, count)
            pipeline.execute()
    except RedisError as error:
        with _lock:
            for series, count in counted.items():
                _counts[series] = _counts.get(series, 0) + count
        log.warning("metrics.not_added", error=type(error).__name__)


def sums(redis: "Redis") -> Mapping[str, float]:
    """The sums of all processes by series. Raises redis.RedisError."""
    flush(redis)
    found: dict[bytes, bytes] = redis.hgetall(SUMS)  # type: ignore[assignment]
    return {as_text(series): float(as_text(count)) for series, count in found.items()}


def start() -> None:
    """Have this process, and those that are forked from it, add their counts every few seconds and when they end."""
    global _started
    if not _started:
        _started = True
        atexit.register(_last_words)
        _begin_adding()


def _begin_adding() -> None:
    Thread(target=_keep_adding, name="metrics", daemon=True).start()


def _keep_adding() -> None:
    while not _stop.wait(EVERY_S):
        flush(quick())


def _last_words() -> None:
    _stop.set()
    flush(quick())


def _begin_anew() -> None:
    """A forked process has counted nothing yet: its parent still has these. No thread came along; a held lock may."""
    global _lock
    _lock = Lock()
    _counts.clear()
    if _started:
        _begin_adding()


os.register_at_fork(after_in_child=_begin_anew)
