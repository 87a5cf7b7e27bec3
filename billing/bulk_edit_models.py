"""One change to many connections, and what each of them was before."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

ACTIONS = ("activate", "suspend", "tariff", "zone")
STATES = ("draft", "changing", "done", "dropped", "undoing", "undone")
ROW_STATES = ("waiting", "changed", "same", "refused", "undone", "kept")


class BulkEdit(Base):
    """What is to be done to the connections chosen: `target_id` is the tariff or zone they are to get."""

    __tablename__ = "bulk_edit"
    __table_args__ = (
        CheckConstraint(f"action IN {ACTIONS}", name="action"),
        CheckConstraint(f"status IN {STATES}", name="status"),
        CheckConstraint("(action IN ('tariff', 'zone')) = (target_id IS NOT NULL)", name="target"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    action: Mapped[str]
    target_id: Mapped[int | None]
    chosen_by: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="draft")
    total: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class BulkEditRow(Base):
    """One connection of the choice. `before` and `after` are what the changed column held, as text."""

    __tablename__ = "bulk_edit_row"
    __table_args__ = (
        CheckConstraint(f"state IN {ROW_STATES}", name="state"),
        Index("ix_bulk_edit_row_state", "edit_id", "state", "connection_id"),
        Index("ix_bulk_edit_row_connection_id", "connection_id"),
    )

    edit_id: Mapped[int] = mapped_column(ForeignKey("bulk_edit.id"), primary_key=True, autoincrement=False)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(default="waiting")
    before: Mapped[str] = mapped_column(default="")
    after: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
