"""Writes of a conversation, each made once: its result is recorded in the transaction that made it.

With the result stands the tape: every call that the conversation had made until then, and what it was told. A
conversation that is replayed hears the same answers again up to its last write, so it walks the same way.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Identity, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base
from core.statements import row


class Effect(Base):
    """The write with `key` of a conversation. `result` and the lines of `tape` are JSON, made by ussd_app/world.py."""

    __tablename__ = "effect"
    __table_args__ = (Index("uq_effect_key", "conversation", "key", unique=True),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    conversation: Mapped[str]
    key: Mapped[str]
    action: Mapped[str]
    tape: Mapped[str]
    result: Mapped[str | None]
    created_at: Mapped[datetime]


# With the row it is said who acts, for the audit of what she changes.
INSERT = """
    INSERT INTO effect (conversation, key, action, tape, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (conversation, key) DO NOTHING
    RETURNING id, set_config('app.actor', 'customer', true), set_config('app.source', $1, true)
"""
UPDATE = "UPDATE effect SET result = $1 WHERE id = $2 RETURNING id"
LATEST = "SELECT tape, action, result FROM effect WHERE conversation = $1 ORDER BY id DESC LIMIT 1"


class Contradiction(Exception):
    """Two different writes under one key: the conversation went another way than the one that is recorded."""


def once(session: Session, conversation: str, key: str, action: str, tape: str, act: Callable[[], str]) -> str:
    """The result of `act`, made now or before. Two at once wait for each other on the unique index.

    `act` works in the transaction of `session`, which records its result too, and must not commit. Raises
    Contradiction where the key belongs to another action.
    """
    fresh = row(session, INSERT, conversation, key, action, tape, now())
    if fresh is None:
        return _recorded(session, conversation, key, action)
    result = act()
    session.flush()
    row(session, UPDATE, result, fresh[0])
    return result


def _recorded(session: Session, conversation: str, key: str, action: str) -> str:
    effect = session.scalars(select(Effect).where(Effect.conversation == conversation, Effect.key == key)).one()
    if effect.action != action or effect.result is None:
        raise Contradiction(f"{action} at {key}, where {effect.action} is recorded")
    return effect.result


def last_of(session: Session, conversation: str) -> list[str]:
    """Every call of a conversation up to its latest write: lines of tape. Empty where it has written nothing."""
    last = row(session, LATEST, conversation)
    if last is None:
        return []
    tape, action, result = last
    return [*tape.splitlines(), f'["{action}",{result}]']
