"""Conversations as the customer saw them, kept for the office after they ended."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base
from core.phone import Phone

OUTCOMES = ("completed", "dropped", "failed")
"""She reached an END; she or the network left before; our answer could not be used."""


class Conversation(Base):
    """One session at a gateway. The gateway's own word on its end is evidence, kept apart from what we saw."""

    __tablename__ = "conversation"
    __table_args__ = (
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        Index("uq_conversation_session", "provider", "session_id", "phone", unique=True),
        Index("ix_conversation_phone", "phone", "id"),
        Index("ix_conversation_started", "started_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    channel: Mapped[str]
    provider: Mapped[str]
    session_id: Mapped[str]
    phone: Mapped[Phone]
    service_code: Mapped[str]
    network: Mapped[str]
    language: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    outcome: Mapped[str]
    hops: Mapped[int]
    gateway_status: Mapped[str | None]
    gateway_error: Mapped[str | None]


class ConversationHop(Base):
    """One turn: what she typed and what she then saw. `ms` is our own time to answer, in milliseconds."""

    __tablename__ = "conversation_hop"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    said: Mapped[str]
    reply: Mapped[str]
    screen: Mapped[str]
    at: Mapped[datetime]
    ms: Mapped[int]


def recent(
    session: Session, *, phone: Phone | None = None, before_id: int | None = None, limit: int = 50
) -> list[Conversation]:
    """The latest conversations, newest first; of one `phone`, or older than the one with `before_id`, where given."""
    query = select(Conversation).order_by(Conversation.id.desc()).limit(limit)
    if phone is not None:
        query = query.where(Conversation.phone == phone)
    if before_id is not None:
        query = query.where(Conversation.id < before_id)
    return list(session.scalars(query))


def find(session: Session, conversation_id: int) -> Conversation | None:
    return session.get(Conversation, conversation_id)


def hops_of(session: Session, conversation_id: int) -> list[ConversationHop]:
    """Its turns in the order in which they were taken."""
    return list(
        session.scalars(
            select(ConversationHop)
            .where(ConversationHop.conversation_id == conversation_id)
            .order_by(ConversationHop.position)
        )
    )
