"""Writes of a conversation, each made once: its result is recorded in the transaction that made it.

With the result stands the tape: every call that the conversation had made until then, and what it was told. A
conversation that is replayed hears the same answers again up to its last write, so it walks the same way.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Identity, Index, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, transaction


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


class Contradiction(Exception):
    """Two different writes under one key: the conversation went another way than the one that is recorded."""


def once(conversation: str, key: str, action: str, tape: str, act: Callable[[Session], str]) -> str:
    """The result of `act`, made now or before. Two at once wait for each other on the unique index.

    `act` works in the transaction that records its result and must not commit. Raises Contradiction where the
    key belongs to another action.
    """
    with transaction() as session:
        fresh = session.execute(
            insert(Effect)
            .values(conversation=conversation, key=key, action=action, tape=tape, created_at=now())
            .on_conflict_do_nothing(index_elements=["conversation", "key"])
            .returning(Effect.id)
        ).scalar_one_or_none()
        if fresh is None:
            return _recorded(session, conversation, key, action)
        result = act(session)
        session.execute(update(Effect).where(Effect.id == fresh).values(result=result))
        return result


def _recorded(session: Session, conversation: str, key: str, action: str) -> str:
    effect = session.scalars(select(Effect).where(Effect.conversation == conversation, Effect.key == key)).one()
    if effect.action != action or effect.result is None:
        raise Contradiction(f"{action} at {key}, where {effect.action} is recorded")
    return effect.result


def last_of(conversation: str) -> Effect | None:
    """The latest write of a conversation."""
    with transaction() as session:
        return session.scalars(
            select(Effect).where(Effect.conversation == conversation).order_by(Effect.id.desc()).limit(1)
        ).one_or_none()
