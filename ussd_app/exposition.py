"""What Prometheus reads: the counted sums, and what the database and the queues say at that moment.

Business operations are those of the last hour. Each is asked of the newest rows only, so that a scrape costs the
same however large the tables are.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

import structlog
from redis import Redis, RedisError
from sqlalchemy import Select, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session

from billing.models import Reading
from core.clock import now
from core.conversations import Conversation
from core.database import transaction
from core.messages import Message
from core.outbox import Outbox
from payments.models import PaymentIntent
from ussd_app.metrics import series_of, sums
from ussd_app.queues import BULK, PROMPT
from ussd_app.session import SESSIONS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
WINDOW = timedelta(hours=1)
NEWEST = 20_000
PATIENCE_MS = 2000

FAMILIES: Mapping[str, tuple[str, str]] = {
    "mita_http_requests_total": ("counter", "HTTP requests by route, method and status."),
    "mita_http_request_seconds": ("histogram", "Time to answer an HTTP request."),
    "mita_turns_total": ("counter", "Turns of conversations by how they stood to their session."),
    "mita_turn_seconds": ("histogram", "Time to answer a turn."),
    "mita_screens_total": ("counter", "Screens shown."),
    "mita_conversations": ("gauge", "Conversations begun in the last hour, by how they ended."),
    "mita_readings": ("gauge", "Readings entered in the last hour, by status."),
    "mita_payments": ("gauge", "Payments asked for in the last hour, by state."),
    "mita_messages": ("gauge", "SMS of the last hour, by direction and state."),
    "mita_outbox_waiting": ("gauge", "Work in the outbox that is not done."),
    "mita_outbox_due": ("gauge", "Work in the outbox whose time has come."),
    "mita_outbox_oldest_seconds": ("gauge", "How long the oldest due work has waited."),
    "mita_queue_jobs": ("gauge", "Jobs in a queue, not yet taken by a worker."),
    "mita_sessions_open": ("gauge", "Sessions not yet in the archive."),
    "mita_part_up": ("gauge", "Whether a part of the service answered this scrape."),
}

log = structlog.get_logger("metrics")


def page(redis: "Redis") -> str:
    """Everything, in Prometheus' text format. A part that does not answer is left out and said to be down."""
    found: dict[str, float] = {}
    parts: dict[str, Callable[[], Mapping[str, float]]] = {
        "redis": lambda: {**sums(redis), **_queues(redis)},
        "postgres": _database,
    }
    for name, ask in parts.items():
        try:
            found.update(ask())
            up = True
        except (RedisError, SQLAlchemyError) as error:
            log.warning("metrics.part_missing", part=name, error=type(error).__name__)
            up = False
        found[series_of("mita_part_up", part=name)] = float(up)
    return "\n".join(_written(found)) + "\n"


def _queues(redis: "Redis") -> dict[str, float]:
    depth = {series_of("mita_queue_jobs", queue=name): float(redis.llen(f"rq:queue:{name}")) for name in (PROMPT, BULK)}
    return depth | {"mita_sessions_open": float(redis.zcard(SESSIONS))}


def _database() -> dict[str, float]:
    with transaction() as session:
        session.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))
        return {
            **_counted(session, "mita_conversations", _conversations(), "channel", "outcome"),
            **_counted(session, "mita_readings", _latest(Reading.id, Reading.created_at, Reading.status), "status"),
            **_counted(
                session, "mita_payments", _latest(PaymentIntent.id, PaymentIntent.created_at, PaymentIntent.state),
                "state",
            ),
            **_counted(
                session, "mita_messages", _latest(Message.id, Message.created_at, Message.direction, Message.status),
                "direction", "state",
            ),
            **_outbox(session),
        }  # fmt: skip


def _conversations() -> Select[Any]:
    kinds = (Conversation.channel, Conversation.outcome)
    return select(*kinds, func.count()).where(Conversation.started_at > now() - WINDOW).group_by(*kinds)


def _latest(number: InstrumentedAttribute[int], at: InstrumentedAttribute[Any], *by: Any) -> Select[Any]:
    """Counts of a table's newest rows by some of its columns. They are read backwards from the end of the key."""
    newest = select(at.label("at"), *by).order_by(number.desc()).limit(NEWEST).subquery()
    kinds = [newest.c[column.key] for column in by]
    return select(*kinds, func.count()).where(newest.c["at"] > now() - WINDOW).group_by(*kinds)


def _counted(session: Session, name: str, query: Select[Any], *labels: str) -> dict[str, float]:
    return {
        series_of(name, **dict(zip(labels, values, strict=True))): float(count)
        for *values, count in session.execute(query).all()
    }


def _outbox(session: Session) -> dict[str, float]:
    due = Outbox.run_after <= now()
    waiting, ready, oldest = session.execute(
        select(func.count(), func.count().filter(due), func.min(Outbox.run_after).filter(due)).where(
            Outbox.done_at.is_(None)
        )
    ).one()
    return {
        "mita_outbox_waiting": float(waiting),
        "mita_outbox_due": float(ready),
        "mita_outbox_oldest_seconds": (now() - oldest).total_seconds() if oldest else 0.0,
    }


def _written(found: Mapping[str, float]) -> Iterator[str]:
    for name, (kind, what) in FAMILIES.items():
        series = _histogram(found, name) if kind == "histogram" else _plain(found, name)
        lines = [f"{label} {_number(value)}" for label, value in series]
        if lines:
            yield from (f"# HELP {name} {what}", f"# TYPE {name} {kind}", *lines)


def _plain(found: Mapping[str, float], name: str) -> list[tuple[str, float]]:
    return sorted((series, value) for series, value in found.items() if series.partition("{")[0] == name)


def _histogram(found: Mapping[str, float], name: str) -> Iterator[tuple[str, float]]:
    """Counts by class as they were counted, into counts up to each class, as Prometheus wants them."""
    classes = [(*_split(series), count) for series, count in _plain(found, f"{name}_bucket")]
    for labels, group in groupby(sorted(classes, key=lambda row: (row[0], row[1])), key=lambda row: row[0]):
        so_far = 0.0
        for _, bound, count in group:
            so_far += count
            yield f'{name}_bucket{{{labels},le="{bound:g}"}}'.replace('"inf"', '"+Inf"'), so_far
        if bound != float("inf"):
            yield f'{name}_bucket{{{labels},le="+Inf"}}', so_far
        yield f"{name}_sum{{{labels}}}", found.get(f"{name}_sum{{{labels}}}", 0.0)
        yield f"{name}_count{{{labels}}}", so_far


def _split(series: str) -> tuple[str, float]:
    """The labels of a class without its bound, and the bound."""
    labels, _, bound = series.partition("{")[2].removesuffix('"}').rpartition(',le="')
    return labels, float(bound)


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else f"{value:.6f}".rstrip("0")
