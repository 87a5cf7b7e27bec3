"""Conversations as the customer saw them, kept for the office after they ended."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base
from core.phone import Phone

OUTCOMES = ("open", "completed", "dropped", "timed_out", "failed")
"""Still going on (by SMS); she reached an END; she left before; her time ran out; our answer was none she could use."""


class Conversation(Base):
    """One session at a gateway. The gateway's own word on its end is evidence, kept apart from what we saw.

    `flow` is what it was about, by the name of the option she took ("pay"), or "" where she took none. `last_screen`
    is where it stands or stood: for a conversation that was dropped, the screen she left.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        Index("uq_conversation_session", "provider", "session_id", "phone", unique=True),
        Index("ix_conversation_phone", "phone", "id"),
        Index(
            "ix_conversation_started",
            "started_at",
            postgresql_include=["id", "channel", "flow", "language", "network", "outcome", "last_screen"],
        ),
        Index("ix_conversation_outcome", "outcome", "id", postgresql_where=text("outcome <> 'completed'")),
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
    flow: Mapped[str] = mapped_column(default="", server_default="")
    last_screen: Mapped[str] = mapped_column(default="", server_default="")
    gateway_status: Mapped[str | None]
    gateway_error: Mapped[str | None]
    gateway_duration_ms: Mapped[int | None]
    gateway_hops: Mapped[int | None]
    gateway_cost: Mapped[str | None]


class ConversationHop(Base):
    """One turn: what she typed and what she then saw. `ms` is our own time to answer, in milliseconds.

    `waited_s` is how many whole seconds she then took for her next answer, None for the last turn. `first` says that
    the conversation had not shown this screen before.
    """

    __tablename__ = "conversation_hop"
    __table_args__ = (
        Index(
            "ix_conversation_hop_screen",
            "conversation_id",
            postgresql_include=["screen", "position", "first", "waited_s"],
        ),
    )

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    said: Mapped[str]
    reply: Mapped[str]
    screen: Mapped[str]
    at: Mapped[datetime]
    ms: Mapped[int]
    first: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    waited_s: Mapped[int | None]


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
