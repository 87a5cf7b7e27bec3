"""From Redis to the archive: a session that ended, or that nobody has touched for a while, goes to PostgreSQL."""

import json
from datetime import UTC, datetime
from time import time
from typing import Any

import structlog
from redis import Redis
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.conversations import Conversation, ConversationHop
from core.database import transaction
from core.phone import Phone
from ussd_app.session import SESSIONS, read_receipt
from ussd_app.stores import as_text

BATCH = 200
FORGET = """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
"""
GATEWAY_STATES = {"Success": "completed", "Incomplete": "dropped", "Failed": "failed"}

log = structlog.get_logger("archive")


def drain(redis: "Redis") -> int:
    """Archive the sessions that are due, at most a batch of them. Returns how many. Doing it twice does no harm."""
    forget = redis.register_script(FORGET)
    due: list[tuple[bytes, float]] = redis.zrangebyscore(SESSIONS, "-inf", time(), 0, BATCH, withscores=True)  # type: ignore[assignment]
    for name, score in due:
        key = as_text(name)
        stored = {as_text(field): as_text(value) for field, value in redis.hgetall(key).items()}
        if stored:
            _kept(key, stored)
        # A turn that came in meanwhile has put the session back with a later time: then it stays.
        forget(keys=[SESSIONS], args=[key, int(score)])
    return len(due)


def _kept(key: str, stored: dict[str, str]) -> None:
    try:
        with transaction() as session:
            keep(session, stored)
    except (KeyError, ValueError, IndexError):  # not in our form; it must not stand in the way of the others
        log.exception("archive.unreadable", key=key)


def keep(session: Session, stored: dict[str, str]) -> Conversation:
    """Write a session's turns; those that are there already stay as they are."""
    about = json.loads(stored["about"])
    hops = sorted(
        (int(name.removeprefix("hop:")), json.loads(value)) for name, value in stored.items() if name.startswith("hop:")
    )
    kept = _row(session, about["provider"], about["session_id"], Phone(about["phone"]))
    kept.service_code, kept.network, kept.language = about["service_code"], about["network"], hops[-1][1]["language"]
    kept.started_at, kept.ended_at, kept.hops = _moment(about["started_at"]), _moment(hops[-1][1]["at"]), len(hops)
    if kept.gateway_status != "Failed":
        kept.outcome = "completed" if stored["ended"] == "1" else "dropped"
    session.flush()
    session.execute(
        insert(ConversationHop)
        .values([_hop(kept.id, position, hop, stored[f"receipt:{position}"]) for position, hop in hops])
        .on_conflict_do_nothing()
    )
    return kept


def gateway_ended(
    session: Session, provider: str, session_id: str, phone: Phone, *, service_code: str, network: str,
    status: str, error: str,
) -> None:  # fmt: skip
    """Note the gateway's own word on how a session ended. It is evidence: it may be late, doubled or missing."""
    kept = _row(session, provider, session_id, phone)
    kept.gateway_status, kept.gateway_error = status, error or None
    kept.service_code, kept.network = kept.service_code or service_code, kept.network or network
    if kept.hops == 0 or status == "Failed":
        kept.outcome = GATEWAY_STATES.get(status, "dropped")


def _row(session: Session, provider: str, session_id: str, phone: Phone) -> Conversation:
    """The session's row, made where there is none, and locked."""
    session.execute(
        insert(Conversation)
        .values(
            channel="ussd", provider=provider, session_id=session_id, phone=phone, service_code="", network="",
            language="", started_at=now(), ended_at=now(), outcome="dropped", hops=0,
        )
        .on_conflict_do_nothing(index_elements=["provider", "session_id", "phone"])
    )  # fmt: skip
    return session.scalars(
        select(Conversation)
        .where(Conversation.provider == provider, Conversation.session_id == session_id, Conversation.phone == phone)
        .with_for_update()
    ).one()


def _hop(conversation_id: int, position: int, hop: dict[str, Any], receipt: str) -> dict[str, object]:
    return {
        "conversation_id": conversation_id, "position": position, "said": hop["said"], "screen": hop["screen"],
        "reply": read_receipt(receipt)[1], "at": _moment(hop["at"]), "ms": hop["ms"],
    }  # fmt: skip


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
