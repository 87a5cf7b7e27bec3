"""The gateway's word on a session's end: evidence for the archive, no more. It may come late, twice or never."""

from contextlib import suppress

from redis import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.conversations import Conversation
from core.database import transaction
from ussd_app.archive import gateway_ended
from ussd_app.gateways.dialect import Dialect, Ended
from ussd_app.session import key_of
from ussd_app.stores import as_text, quick


def keep_end(dialect: Dialect, ended: Ended) -> None:
    """Note that a session is over, in a transaction of its own."""
    run = _run_of(dialect, ended) if dialect.last_only else ""
    with transaction() as session:
        name = f"{ended.session_id}~{run}" if run else ended.session_id
        if dialect.last_only and not run:
            name = _archived_name(session, dialect, ended) or name
        gateway_ended(
            session, dialect.name, name, ended.phone, service_code=ended.service_code, network=ended.network,
            status=ended.status, error=ended.error, duration_ms=ended.duration_ms, hops=ended.hops, cost=ended.cost,
        )  # fmt: skip


def _run_of(dialect: Dialect, ended: Ended) -> str:
    """What the store adds to the id of a session that it puts together itself; "" where it knows of none of hers."""
    with suppress(RedisError):
        run, bound = quick().hmget(key_of(dialect.name, ended.session_id), ["run", "bound"])
        if run and bound and as_text(bound).startswith(f"{ended.phone} "):
            return as_text(run)
    return ""


def _archived_name(session: Session, dialect: Dialect, ended: Ended) -> str | None:
    """The latest session of hers by that id in the archive, for a notice that comes when the store has forgotten it."""
    return session.scalars(
        select(Conversation.session_id)
        .where(
            Conversation.provider == dialect.name,
            Conversation.phone == ended.phone,
            Conversation.session_id.startswith(f"{ended.session_id}~", autoescape=True),
        )
        .order_by(Conversation.id.desc())
        .limit(1)
    ).first()
