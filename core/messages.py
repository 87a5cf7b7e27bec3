"""Messages to and from phones, each a row before it is sent or answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, exists, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.config import settings
from core.database import Base
from core.i18n import Text
from core.message_bulk import BulkSend
from core.message_templates import word
from core.outbox import Outbox, after_commit
from core.phone import Phone
from core.statements import row, written
from core.text import sms_parts, to_gsm7

__all__ = ["LATER", "STATES", "BulkSend", "Message", "priority_of", "queue_message", "wake", "wake_after_commit"]

STATES = ("queued", "sending", "sent", "delivered", "failed", "unknown", "skipped", "received")
PRIORITIES = {"answer": 0, "reply": 0, "alert": 2, "bill": 3, "bulk": 4}
"""What goes out first; a kind that is not named, such as a receipt, goes at once with priority 1."""
LATER = 2
"""From this priority on nobody waits for it: only in the sending hours, and not to those who said STOP."""
SEND, DRAIN = "messages.send", "messages.drain"


class Message(Base):
    """One SMS. `key` makes an outgoing one unique by its cause; `gateway_id` makes an incoming one unique.

    `tries` are those that count: a gateway without credit is nobody's fault. `batched` says that the drain took it,
    `inbox` how far the office is with an incoming one: open, answered or closed.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint(f"status IN {STATES}", name="status"),
        CheckConstraint("inbox IN ('open', 'answered', 'closed')", name="inbox"),
        Index("uq_message_key", "key", unique=True),
        Index("uq_message_inbound", "gateway_id", unique=True, postgresql_where=text("direction = 'in'")),
        Index("ix_message_gateway_id", "gateway_id"),
        Index("ix_message_phone", "phone", "id"),
        Index("ix_message_created", "created_at", postgresql_using="brin"),  # rows come in this order
        Index("ix_message_failed", "id", postgresql_where=text("status IN ('failed', 'unknown')")),
        Index("ix_message_due", "priority", "send_after", "id", postgresql_where=text("status = 'queued'")),
        Index("ix_message_batched", "id", postgresql_where=text("status = 'sending' AND batched")),
        Index("ix_message_bulk", "bulk_id", "status", postgresql_where=text("bulk_id IS NOT NULL")),
        Index("ix_message_inbox", "inbox", "id", postgresql_where=text("inbox IS NOT NULL")),
        Index("ix_message_skipped", "id", postgresql_where=text("status = 'skipped'")),
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
    priority: Mapped[int] = mapped_column(default=1)
    send_after: Mapped[datetime] = mapped_column(default=now)
    tries: Mapped[int] = mapped_column(default=0)
    batched: Mapped[bool] = mapped_column(default=False)
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulk_send.id"))
    inbox: Mapped[str | None]
    inbox_by: Mapped[str | None]


# A message and the work of sending it are one statement; where nobody waits for it, the drain does that.
QUEUE = """
    WITH made AS (
        INSERT INTO message (direction, status, tries, batched, phone, body, kind, key, language, parts, connection_id,
                             created_at, priority, send_after)
        VALUES ('out', 'queued', 0, false, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (key) DO NOTHING RETURNING id
    ),
    work AS (
        INSERT INTO outbox (job, subject_id, run_after) SELECT 'messages.send', id, $8 FROM made WHERE $11::boolean
    )
    SELECT id FROM made
"""


def priority_of(kind: str) -> int:
    return PRIORITIES.get(kind, 1)


def queue_message(
    session: Session,
    phone: Phone,
    body: str | Text,
    kind: str,
    *,
    key: str | None = None,
    connection_id: int | None = None,
    language: str = "en",
    verbatim: bool = False,
) -> Message | None:
    """Queue an SMS to `phone`. None where a message with this `key` was queued before.

    A `Text` is said in `language`, as the office words it where it has a wording of its own. What is sent is put
    into GSM-7, unless somebody chose its signs and saw what they cost (`verbatim`). Bills, alerts and bulk wait for
    the sending hours; whether their reader has said STOP is looked up when they are sent.
    """
    if isinstance(body, Text):
        worded = word(session, body, language)
        body, verbatim = worded.body, worded.by_office
    body = body if verbatim else to_gsm7(body)
    priority, moment = priority_of(kind), now()
    facts: dict[str, Any] = {
        "phone": phone, "body": body, "kind": kind, "key": key, "language": language, "parts": sms_parts(body).parts,
        "connection_id": connection_id, "created_at": moment, "priority": priority,
        "send_after": moment if priority < LATER else settings().sending_hours().opening(moment),
    }  # fmt: skip
    added = row(session, QUEUE, *facts.values(), priority < LATER)
    if added is None:
        return None
    if priority >= LATER:
        wake_after_commit(session)
    return written(session, Message(id=added[0], direction="out", status="queued", tries=0, batched=False, **facts))


def wake(session: Session, at: datetime) -> None:
    """Have the drain look at the queue at `at`, unless it will look by then anyhow."""
    awaited = exists().where(
        Outbox.job == DRAIN, Outbox.subject_id == 0, Outbox.done_at.is_(None), Outbox.handed_at.is_(None),
        Outbox.run_after <= at,
    )  # fmt: skip
    if not session.scalar(select(awaited)):
        after_commit(session, DRAIN, 0, delay_s=max(0.0, (at - now()).total_seconds()))


def wake_after_commit(session: Session) -> None:
    """One call for a transaction, however many bills it queues. A savepoint may be rolled back, and has its own.

    Nothing is looked up here: a drain that is already under way may have seen the queue before this commits.
    """
    scope = (session.get_transaction(), session.get_nested_transaction())
    if session.info.get(DRAIN) != scope:
        session.info[DRAIN] = scope
        after_commit(session, DRAIN, 0)
