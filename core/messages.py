"""Messages to and from phones, each a row before it is sent or answered."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base
from core.outbox import after_commit
from core.phone import Phone
from core.text import sms_parts, to_gsm7

STATES = ("queued", "sending", "sent", "delivered", "failed", "unknown", "received")


class Message(Base):
    """One SMS. `key` makes an outgoing one unique by its cause; `gateway_id` makes an incoming one unique."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint(f"status IN {STATES}", name="status"),
        Index("uq_message_key", "key", unique=True),
        Index("uq_message_inbound", "gateway_id", unique=True, postgresql_where=text("direction = 'in'")),
        Index("ix_message_gateway_id", "gateway_id"),
        Index("ix_message_phone", "phone", "id"),
        Index("ix_message_failed", "id", postgresql_where=text("status IN ('failed', 'unknown')")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    direction: Mapped[str]
    phone: Mapped[Phone]
    body: Mapped[str]
    kind: Mapped[str]
    language: Mapped[str]
    key: Mapped[str | None]
    gateway_id: Mapped[str | None]
    status: Mapped[str]
    failure_reason: Mapped[str | None]
    parts: Mapped[int]
    connection_id: Mapped[int | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    final_at: Mapped[datetime | None]


def queue_message(
    session: Session,
    phone: Phone,
    body: str,
    kind: str,
    *,
    key: str | None = None,
    connection_id: int | None = None,
    language: str = "en",
) -> Message | None:
    """Queue an SMS to `phone`, in GSM-7. None where a message with this `key` was queued before."""
    body = to_gsm7(body)
    added = session.execute(
        insert(Message)
        .values(
            direction="out",
            phone=phone,
            body=body,
            kind=kind,
            key=key,
            language=language,
            status="queued",
            parts=sms_parts(body).parts,
            connection_id=connection_id,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Message)
    ).scalar_one_or_none()
    if added is not None:
        after_commit(session, "messages.send", added.id)
    return added
