"""What customers ask the office for: a fault mended, a connection linked to their phone."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from core.phone import Phone

FAULTS = ("leak", "no_supply", "low_supply", "quality", "meter", "bill", "pin", "other")
"""What is reported; "pin" is a forgotten PIN that the office is to clear."""


class FaultReport(Base):
    """A report with its ticket number. `key` makes it the only one of its place in a conversation."""

    __tablename__ = "fault_report"
    __table_args__ = (
        CheckConstraint(f"kind IN {FAULTS}", name="kind"),
        CheckConstraint("status IN ('open', 'assigned', 'closed')", name="status"),
        Index("uq_fault_report_key", "key", unique=True),
        Index("ix_fault_report_open", "id", postgresql_where=text("status <> 'closed'")),
        Index("ix_fault_report_phone", "phone", "id"),
        Index("ix_fault_report_connection_id", "connection_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("connection.id"))
    phone: Mapped[Phone]
    note: Mapped[str] = mapped_column(default="")
    key: Mapped[str]
    channel: Mapped[str]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    answer: Mapped[str] = mapped_column(default="")


class LinkRequest(Base):
    """A phone asks to speak for a connection, where the utility wants to approve that first."""

    __tablename__ = "link_request"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'approved', 'rejected')", name="status"),
        Index(
            "uq_link_request_pending",
            "phone",
            "connection_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_link_request_pending", "id", postgresql_where=text("status = 'pending'")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    phone: Mapped[Phone]
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    name: Mapped[str]
    language: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending")
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
