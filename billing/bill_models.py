"""Tariffs, billing runs and invoices."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class Tariff(Base):
    """A price list by its name; what it says is in its versions."""

    __tablename__ = "tariff"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    customer_class: Mapped[str]


class TariffVersion(Base):
    """The rules of a tariff from a day on, as the documented JSON. Once a bill used it, it is frozen."""

    __tablename__ = "tariff_version"
    __table_args__ = (
        UniqueConstraint("tariff_id", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="valid"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    rules: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class BillingRun(Base):
    """One run over the connections for a month. `done` counts invoices made, `failed` those on the worklist.

    `skipped` counts connections that another run has billed. Numbers are one range without gaps. `inputs` names what
    it was started with: the version of each tariff. While it is `paused` its batches wait. `review` are the sums and
    outliers of a large run, made once by a job.
    """

    __tablename__ = "billing_run"
    __table_args__ = (
        CheckConstraint("status IN ('computing', 'review', 'issuing', 'issued', 'cancelled')", name="status"),
        CheckConstraint("extract(day FROM period) = 1", name="period"),
        # Two open runs could both lean on a bill that one of them takes back.
        Index(
            "uq_billing_run_open",
            "kind",
            unique=True,
            postgresql_where=text("status IN ('computing', 'review', 'issuing')"),
        ),
        Index("ix_billing_run_period", "period", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    period: Mapped[date]
    kind: Mapped[str] = mapped_column(default="regular")
    status: Mapped[str]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    issued: Mapped[int] = mapped_column(default=0)
    notify: Mapped[bool] = mapped_column(default=True)
    number_from: Mapped[int | None]
    number_to: Mapped[int | None]
    issue_on: Mapped[date | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    issued_by: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    paused: Mapped[bool] = mapped_column(default=False)
    inputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    review: Mapped[dict[str, Any] | None]


class RunBatch(Base):
    """A range of connections that one worker takes at a time, both ends included."""

    __tablename__ = "run_batch"
    __table_args__ = (CheckConstraint("status IN ('waiting', 'computed', 'issued')", name="status"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("billing_run.id"), index=True)
    first_connection: Mapped[int]
    last_connection: Mapped[int]
    status: Mapped[str] = mapped_column(default="waiting")
    invoices: Mapped[int] = mapped_column(default=0)
    number_from: Mapped[int | None]


class RunProblem(Base):
    """A connection that a run could not bill, and why."""

    __tablename__ = "run_problem"

    run_id: Mapped[int] = mapped_column(ForeignKey("billing_run.id"), primary_key=True, autoincrement=False)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True, autoincrement=False)
    reason: Mapped[str]


class NumberSeries(Base):
    """The next free number of a series; runs take ranges of it under the row's lock."""

    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int]


class Invoice(Base):
    """A bill for a month. A draft has no number and no postings; an issued one can be made void and nothing else.

    `replaces` are bills by readings that the dials have overtaken: they are made void when this one is issued.
    Instead of foreign keys, triggers look at all invoices of a statement at once: both readings are its connection's,
    its run and tariff version are there, and nobody can take away what bills lean on.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        Index(
            "uq_invoice_period", "connection_id", "period_start", "kind", unique=True,
            postgresql_where=text("status <> 'void'"),
        ),
        Index("uq_invoice_number", "number", unique=True, postgresql_where=text("number IS NOT NULL")),
        CheckConstraint("status IN ('draft', 'issued', 'void')", name="status"),
        CheckConstraint("(status = 'draft') = (number IS NULL)", name="numbered"),
        Index("ix_invoice_run_id", "run_id", "connection_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    number: Mapped[str | None]
    run_id: Mapped[int | None]
    connection_id: Mapped[int]
    kind: Mapped[str] = mapped_column(default="regular")
    period_start: Mapped[date]
    period_end: Mapped[date]
    due_on: Mapped[date | None]
    usage: Mapped[Decimal]
    days: Mapped[int]
    cycles: Mapped[int]
    amount_minor: Mapped[int]
    arrears_minor: Mapped[int] = mapped_column(default=0)
    status: Mapped[str]
    tariff_version_id: Mapped[int] = mapped_column(index=True)
    opening_reading_id: Mapped[int]
    closing_reading_id: Mapped[int]
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    replaces: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))


class InvoiceLine(Base):
    """One line of a bill; `account` is where the ledger credits it.

    Lines go with their invoice: triggers see to it for all rows of a statement at once, as a foreign key cannot.
    """

    __tablename__ = "invoice_line"

    invoice_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str]
    label: Mapped[str]
    quantity: Mapped[Decimal | None]
    rate: Mapped[Decimal | None] = mapped_column(Numeric(20, 8))
    amount_minor: Mapped[int]
    account: Mapped[str]
