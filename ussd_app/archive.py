"""From Redis to the archive: a session that ended, or that nobody has touched for a while, goes to PostgreSQL.

Conversations by SMS are written here turn by turn. Of a gateway's notice only the figures are kept, never what it
says was typed and shown.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any

import structlog
from redis import Redis
from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.conversations import Conversation, ConversationHop
from core.database import transaction
from core.phone import Phone
from ussd_app.endings import SORRY, Notice, flow_of, outcome
from ussd_app.session import SESSIONS, read_receipt
from ussd_app.stores import as_text

BATCH = 200
FORGET = """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
"""
SMS_REMEMBERED = timedelta(minutes=15)

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
    with transaction() as session:
        close_texts(session)
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
    kept = _row(session, "ussd", about["provider"], about["session_id"], Phone(about["phone"]))
    last = hops[-1][1]
    kept.service_code, kept.network, kept.language = about["service_code"], about["network"], last["language"]
    kept.started_at, kept.ended_at, kept.hops = _moment(about["started_at"]), _moment(last["at"]), len(hops)
    kept.last_screen, kept.flow = last["screen"], flow_of(stored["state"])
    kept.outcome = _outcome(kept, ended=stored["ended"] == "1", lasted_s=last["at"] - about["started_at"])
    session.flush()
    rows = insert(ConversationHop).values(_hops(kept.id, hops, stored))
    session.execute(
        rows.on_conflict_do_update(
            index_elements=["conversation_id", "position"],
            set_={"waited_s": rows.excluded.waited_s},
            where=ConversationHop.waited_s.is_distinct_from(rows.excluded.waited_s),
        )
    )
    return kept


def gateway_ended(
    session: Session, provider: str, session_id: str, phone: Phone, *, service_code: str, network: str,
    status: str, error: str, duration_ms: int | None = None, hops: int | None = None, cost: str = "",
) -> None:  # fmt: skip
    """Note the gateway's own word on how a session ended. It is evidence: it may be late, doubled or missing."""
    kept = _row(session, "ussd", provider, session_id, phone)
    kept.gateway_status, kept.gateway_error = status, error or None
    kept.gateway_duration_ms, kept.gateway_hops = duration_ms, hops
    kept.gateway_cost = cost[:40] or None
    kept.service_code, kept.network = kept.service_code or service_code, kept.network or network
    if kept.hops == 0 and duration_ms is not None:
        kept.started_at = kept.ended_at - timedelta(milliseconds=duration_ms)
    lasted = kept.ended_at - kept.started_at if kept.hops else timedelta(0)
    kept.outcome = _outcome(kept, ended=kept.hops > 0 and kept.outcome == "completed", lasted_s=lasted.total_seconds())


def text_step(
    session: Session, *, conversation: str, phone: Phone, position: int, said: str, reply: str, screen: str,
    language: str, ends: bool, started_at: datetime, ms: int, flow: str = "",
) -> None:  # fmt: skip
    """Write a turn of a conversation by SMS; written twice, it stands once.

    `said` must be masked by the caller where it answers a PIN question. `flow` is what the keyword opened ("pay");
    `started_at` is when this turn's message was taken up, `ms` how long the answer took.
    """
    kept = _row(session, "sms", "sms", conversation, phone)
    earlier = list(session.scalars(_hops_before(kept.id, position)))
    added = session.scalar(
        insert(ConversationHop)
        .values(conversation_id=kept.id, position=position, said=said, reply=reply, screen=screen, at=started_at, ms=ms,
                first=all(hop.screen != screen for hop in earlier))
        .on_conflict_do_nothing()
        .returning(ConversationHop.position)
    )  # fmt: skip
    if added is None:
        return
    if earlier:
        earlier[-1].waited_s = _s_between(earlier[-1].at, started_at)
    else:
        kept.started_at = started_at
    kept.hops, kept.language, kept.last_screen, kept.ended_at = len(earlier) + 1, language, screen, started_at
    kept.flow = flow or kept.flow
    kept.outcome = "open" if not ends else "failed" if screen == SORRY else "completed"


def close_texts(session: Session) -> None:
    """A conversation by SMS whose next message is no longer waited for has run out of time."""
    session.execute(
        update(Conversation)
        .where(Conversation.outcome == "open", Conversation.ended_at < now() - SMS_REMEMBERED)
        .values(outcome="timed_out")
    )


def _hops_before(conversation_id: int, position: int) -> Select[tuple[ConversationHop]]:
    return (
        select(ConversationHop)
        .where(ConversationHop.conversation_id == conversation_id, ConversationHop.position < position)
        .order_by(ConversationHop.position)
    )


def _row(session: Session, channel: str, provider: str, session_id: str, phone: Phone) -> Conversation:
    """The session's row, made where there is none, and locked."""
    session.execute(
        insert(Conversation)
        .values(
            channel=channel, provider=provider, session_id=session_id, phone=phone, service_code="", network="",
            language="", started_at=now(), ended_at=now(), outcome="dropped", hops=0,
        )
        .on_conflict_do_nothing(index_elements=["provider", "session_id", "phone"])
    )  # fmt: skip
    return session.scalars(
        select(Conversation)
        .where(Conversation.provider == provider, Conversation.session_id == session_id, Conversation.phone == phone)
        .with_for_update()
    ).one()


def _outcome(kept: Conversation, *, ended: bool, lasted_s: float) -> str:
    notice = Notice(kept.gateway_status, kept.gateway_duration_ms)
    return outcome(ended=ended, last_screen=kept.last_screen, lasted_s=lasted_s, network=kept.network, notice=notice)


def _hops(
    conversation_id: int, hops: Sequence[tuple[int, dict[str, Any]]], stored: dict[str, str]
) -> list[dict[str, object]]:
    """The rows of a session's turns, in their order."""
    seen, rows = set[str](), list[dict[str, object]]()
    following = [hop["at"] for _, hop in hops[1:]]
    for (position, hop), next_at in zip(hops, [*following, None], strict=True):
        rows.append(
            {
                "conversation_id": conversation_id, "position": position, "said": hop["said"],
                "screen": hop["screen"], "reply": read_receipt(stored[f"receipt:{position}"])[1],
                "at": _moment(hop["at"]), "ms": hop["ms"], "first": hop["screen"] not in seen,
                "waited_s": None if next_at is None else _s_between(_moment(hop["at"]), _moment(next_at)),
            }
        )  # fmt: skip
        seen.add(hop["screen"])
    return rows


def _s_between(earlier: datetime, later: datetime) -> int:
    return max(0, int((later - earlier).total_seconds()))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
