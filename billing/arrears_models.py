"""Corrections of what was billed, and what is done about debts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

ADJUSTMENTS = ("credit_note", "debit_note", "adjustment", "write_off", "void")
STEPS = ("reminder", "notice", "disconnection", "reconnection")


class Adjustment(Base):
    """A correction of a customer's debt with its reason; `amount_minor` is what it adds to the debt.

    It is `proposed` where a second person has to decide, and has its number from when it is posted.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        Index("uq_adjustment_number", "number", unique=True, postgresql_where=text("number IS NOT NULL")),
        Index(
            "uq_adjustment_void", "invoice_id", unique=True,
            postgresql_where=text("kind = 'void' AND status <> 'rejected'"),
        ),
        Index("ix_adjustment_connection_id", "connection_id", "id"),
        Index("ix_adjustment_proposed", "id", postgresql_where=text("status = 'proposed'")),
        CheckConstraint(f"kind IN {ADJUSTMENTS}", name="kind"),
        CheckConstraint("status IN ('proposed', 'posted', 'rejected')", name="status"),
        CheckConstraint("amount_minor <> 0 OR kind = 'void'", name="amount"),
        CheckConstraint("(kind = 'void') <= (invoice_id IS NOT NULL)", name="invoice"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("(status = 'posted') = (number IS NOT NULL)", name="numbered"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    number: Mapped[str | None]
    kind: Mapped[str]
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    amount_minor: Mapped[int]
    account: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))


class CreditPolicy(Base):
    """How a class of customers is treated when they owe; days count from the due date of the oldest open debt.

    Adjustments over `approval_minor` need a second person. Debts below `least_minor` are left alone. A late fee is
    a fixed part and a share of what is open, once a month. After `reconnection_share` of the debt is paid the supply
    is reconnected, for a fee.
    """

    __tablename__ = "credit_policy"
    __table_args__ = (
        CheckConstraint("kind IN ('domestic', 'commercial', 'institution')", name="kind"),
        CheckConstraint(
            "reminder_days >= 0 AND notice_days > reminder_days AND order_days > notice_days", name="order"
        ),
        CheckConstraint("late_fee_share BETWEEN 0 AND 1 AND reconnection_share BETWEEN 0 AND 1", name="shares"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    approval_minor: Mapped[int]
    least_minor: Mapped[int]
    late_fee_minor: Mapped[int]
    late_fee_share: Mapped[Decimal] = mapped_column(Numeric(6, 4))
    late_fee_days: Mapped[int]
    reminder_days: Mapped[int]
    notice_days: Mapped[int]
    order_days: Mapped[int]
    reconnection_minor: Mapped[int]
    reconnection_share: Mapped[Decimal] = mapped_column(Numeric(6, 4))
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class PaymentPlan(Base):
    """A debt that may be paid in instalments. A connection has one active plan at most."""

    __tablename__ = "payment_plan"
    __table_args__ = (
        Index("uq_payment_plan_active", "connection_id", unique=True, postgresql_where=text("status = 'active'")),
        Index("ix_payment_plan_status", "status", "id"),
        CheckConstraint("status IN ('active', 'kept', 'broken', 'cancelled')", name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    amount_minor: Mapped[int]
    status: Mapped[str]
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class PlanInstalment(Base):
    """One part of a plan. Its ledger entry charges it for its day, so whether it is paid is known as of any debt."""

    __tablename__ = "plan_instalment"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    plan_id: Mapped[int] = mapped_column(ForeignKey("payment_plan.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    due_on: Mapped[date]
    amount_minor: Mapped[int]
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"))


class DunningStep(Base):
    """A step taken against a debt that is due since `since`, once: SMS are `sent`, orders `open` until done."""

    __tablename__ = "dunning_step"
    __table_args__ = (
        UniqueConstraint("connection_id", "step", "since", name="uq_dunning_step_once"),
        Index("ix_dunning_step_open", "id", postgresql_where=text("status = 'open'")),
        CheckConstraint(f"step IN {STEPS}", name="step"),
        CheckConstraint("status IN ('sent', 'open', 'done', 'withdrawn')", name="status"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    step: Mapped[str]
    since: Mapped[date]
    amount_minor: Mapped[int]
    status: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]


class DunningRound(Base):
    """Everybody who is due is told, or charged: debtors up to `after` are done. One of a kind goes on at a time."""

    __tablename__ = "dunning_round"
    __table_args__ = (
        Index("uq_dunning_round_open", "kind", unique=True, postgresql_where=text("done_at IS NULL")),
        CheckConstraint("kind IN ('steps', 'fees')", name="kind"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    day: Mapped[date]
    after: Mapped[int]
    taken: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class BooksCheck(Base):
    """What the check of the books found: each broken promise with its number of violations and a sample."""

    __tablename__ = "books_check"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    checked_at: Mapped[datetime]
    violations: Mapped[int]
    found: Mapped[dict[str, Any]]
