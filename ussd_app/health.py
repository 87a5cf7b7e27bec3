"""Whether this process lives, whether the service can do its work, and the figures for those who watch it."""

from collections.abc import Callable
from functools import cache
from hmac import compare_digest
from ipaddress import ip_address
from pathlib import Path
from time import perf_counter

import structlog
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, g, jsonify, request
from sqlalchemy import text

from core.config import settings
from core.database import transaction
from ussd_app import exposition, metrics
from ussd_app.stores import quick

ROOT = Path(__file__).resolve().parent.parent
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
"""A proxy on this machine puts one of these; without a token nobody is let in through one."""

health = Blueprint("health", __name__)
log = structlog.get_logger("health")


@health.get("/healthz")
def alive() -> Response:
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """200 where PostgreSQL, its schema and Redis are as they should be, else 503; the body says which."""
    checks: dict[str, Callable[[], bool]] = {
        "postgres": _postgres, "migrations": _migrated, "redis": lambda: bool(quick().ping()),
    }  # fmt: skip
    found = {name: _holds(name, check) for name, check in checks.items()}
    return jsonify({name: "ok" if fine else "failed" for name, fine in found.items()}), 200 if all(
        found.values()
    ) else 503


@health.get("/metrics")
def figures() -> Response:
    """The metrics of the whole service, from any of its processes, for who has the token or is on this machine."""
    if not _may_watch():
        headers = {"WWW-Authenticate": "Bearer"} if settings().metrics_token else {}
        return Response("Not for you.\n", 401 if headers else 404, headers, content_type="text/plain; charset=utf-8")
    return Response(exposition.page(quick()), content_type=exposition.CONTENT_TYPE)


def _may_watch() -> bool:
    token = settings().metrics_token
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return compare_digest(given.encode(), token.encode())
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:  # a unix socket has no address
        return False


@health.before_app_request
def begin() -> None:
    g.counted_from = perf_counter()


@health.after_app_request
def finish(response: Response) -> Response:
    rule = request.url_rule.rule if request.url_rule else ""
    metrics.request(rule, request.method, response.status_code, perf_counter() - g.get("counted_from", perf_counter()))
    return response


def _holds(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception as error:
        log.warning("health.failed", check=name, error=type(error).__name__)
        return False


def _postgres() -> bool:
    with transaction() as session:
        return bool(session.scalar(text("SELECT true")))


def _migrated() -> bool:
    with transaction() as session:
        return bool(session.scalar(text("SELECT version_num = :head FROM alembic_version"), {"head": head()}))


@cache
def head() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head()
