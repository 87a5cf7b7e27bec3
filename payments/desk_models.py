"""Money over the counter: a cashier's day with her drawer, and what she took."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from payments.models import Receipt

METHODS = ("cash", "cheque", "bank")


class DeskDay(Base):
    """One cashier's day at one office. What it took in cash lies in the ledger account of her drawer.

    Closed, it takes no more: `counted` says how many of each note and coin, `ledger_minor` what should have been
    there, and `kept_minor` what stays in the drawer as change for the next day.
    """

    __tablename__ = "desk_day"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="status"),
        CheckConstraint("(status = 'closed') = (counted_minor IS NOT NULL)", name="counted"),
        CheckConstraint("kept_minor >= 0", name="kept"),
        Index("uq_desk_day_cashier", "cashier", "day", unique=True),
        Index("uq_desk_day_open", "cashier", unique=True, postgresql_where=text("status = 'open'")),
        Index("ix_desk_day_day", "day", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    office: Mapped[str]
    cashier: Mapped[str]
    day: Mapped[date]
    status: Mapped[str]
    opened_at: Mapped[datetime]
    counted: Mapped[dict[str, Any] | None]
    counted_minor: Mapped[int | None]
    ledger_minor: Mapped[int | None]
    kept_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]


class DeskPayment(Base):
    """What stands on an office receipt beside the money: how it was paid, by whom, the number of cheque or slip."""

    __tablename__ = "desk_payment"
    __table_args__ = (
        CheckConstraint(f"method IN {METHODS}", name="method"),
        CheckConstraint("(method = 'cash') = (reference = '')", name="reference"),
        Index("ix_desk_payment_day_id", "day_id", "receipt_id"),
        Index("uq_desk_payment_reference", "method", "bank", "reference", unique=True,
              postgresql_where=text("reference <> ''")),
    )  # fmt: skip

    receipt_id: Mapped[int] = mapped_column(ForeignKey(Receipt.id), primary_key=True, autoincrement=False)
    day_id: Mapped[int] = mapped_column(ForeignKey(DeskDay.id))
    method: Mapped[str]
    payer: Mapped[str]
    bank: Mapped[str]
    reference: Mapped[str]
    taken_by: Mapped[str]
