"""A message of the office to many: who is meant, what it says in each language, and how far it is."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Identity
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

FILL = "billing.fill_bulk"
"""The job that queues its messages; its name puts it among the bulk work."""
STATES = ("draft", "filling", "sending", "cancelled")


class BulkSend(Base):
    """`audience` is read by billing/audiences.py; `texts` are by language; `filled_to` is the last customer queued.

    `recipients` and `parts` are the estimate that was confirmed, at `price` for a part (major units, as text).
    """

    __tablename__ = "bulk_send"
    __table_args__ = (CheckConstraint(f"status IN {STATES}", name="status"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    title: Mapped[str]
    audience: Mapped[dict[str, Any]]
    texts: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default="draft")
    recipients: Mapped[int] = mapped_column(default=0)
    parts: Mapped[int] = mapped_column(default=0)
    price: Mapped[str] = mapped_column(default="0")
    filled_to: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
