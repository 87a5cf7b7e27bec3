"""Whether this process lives, and whether the service can do its work."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import structlog
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from core.database import transaction
from ussd_app.stores import quick

ROOT = Path(__file__).resolve().parent.parent

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
