"""Who is supplied, where, through which meter, and what the dials said."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Sequence, func, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.anomaly_models import Anomaly, AnomalySearch, ZoneSeason
from billing.arrears_models import (
    Adjustment,
    BooksCheck,
    CreditPolicy,
    DunningRound,
    DunningStep,
    PaymentPlan,
    PlanInstalment,
)
from billing.bill_models import (
    BillingRun,
    Invoice,
    InvoiceLine,
    NumberSeries,
    RunBatch,
    RunProblem,
    Tariff,
    TariffVersion,
)
from billing.bulk_edit_models import BulkEdit, BulkEditRow
from billing.contact_models import FaultReport, LinkRequest
from billing.ledger_models import Balance, LedgerEntry, Posting
from billing.reading_models import LevyRate, ReadingCorrection, SelfReading, WaterBudget
from core.database import Base
from core.phone import Phone

__all__ = [
    "ACCOUNT_BODY",
    "Adjustment",
    "Anomaly",
    "AnomalySearch",
    "Balance",
    "BillingRun",
    "BooksCheck",
    "BulkEdit",
    "BulkEditRow",
    "Connection",
    "CreditPolicy",
    "Customer",
    "CustomerPhone",
    "DunningRound",
    "DunningStep",
    "FaultReport",
    "Invoice",
    "InvoiceLine",
    "LedgerEntry",
    "LevyRate",
    "LinkRequest",
    "Meter",
    "MeterAssignment",
    "NumberSeries",
    "PaymentPlan",
    "PlanInstalment",
    "Posting",
    "Reading",
    "ReadingCorrection",
    "RunBatch",
    "RunProblem",
    "SelfReading",
    "Tariff",
    "TariffVersion",
    "WaterBudget",
    "Zone",
    "ZoneSeason",
]

PHONE_DIGEST = "encode(sha256(ltrim(phone, '+'::text)::bytea), 'hex'::text)"
"""SHA-256 of a number without its plus, in hex, as M-Pesa gives it in place of the payer's (Daraja C2B v1)."""
ACCOUNT_BODY = Sequence("account_body", start=100001, metadata=Base.metadata)


class Zone(Base):
    """An area that is read and billed together."""

    __tablename__ = "zone"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Customer(Base):
    """A person or an organisation that owes and pays.

    `pin_tries` counts wrong PINs since the last right one; `alert_above` is a month's usage worth a warning.
    """

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("kind IN ('domestic', 'commercial', 'institution')", name="kind"),
        CheckConstraint("status IN ('active', 'closed')", name="status"),
        Index("ix_customer_name", "name", "id"),
        Index("ix_customer_words", func.to_tsvector(text("'simple'"), text("name")), postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="domestic")
    language: Mapped[str]
    status: Mapped[str] = mapped_column(default="active")
    consent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    pin_hash: Mapped[str | None]
    pin_tries: Mapped[int] = mapped_column(default=0)
    alert_above: Mapped[Decimal | None]


class CustomerPhone(Base):
    """A phone speaks for one customer; a customer may have several."""

    __tablename__ = "customer_phone"
    __table_args__ = (
        Index("ix_customer_phone_digest", text(PHONE_DIGEST)),
        Index("ix_customer_phone_phone_prefix", "phone", postgresql_ops={"phone": "text_pattern_ops"}),
    )

    phone: Mapped[Phone] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    added_by: Mapped[str]
    created_at: Mapped[datetime]


class Connection(Base):
    """A place that is supplied, by the account number on its bills. It stays when its customers change."""

    __tablename__ = "connection"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status"),
        Index("ix_connection_account_no_prefix", "account_no", postgresql_ops={"account_no": "text_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_no: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"), index=True)
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff.id"), index=True)
    status: Mapped[str] = mapped_column(default="active")
    address: Mapped[str]
    building: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    prepaid: Mapped[bool] = mapped_column(default=False)
    opened_on: Mapped[date]


class Meter(Base):
    """A meter with its number of dials; it moves between the store and connections."""

    __tablename__ = "meter"
    __table_args__ = (
        CheckConstraint("digits BETWEEN 3 AND 10", name="digits"),
        CheckConstraint("status IN ('stock', 'installed', 'retired')", name="status"),
        Index("ix_meter_serial_prefix", "serial", postgresql_ops={"serial": "text_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    digits: Mapped[int]
    size_mm: Mapped[int]
    status: Mapped[str] = mapped_column(default="stock")


class MeterAssignment(Base):
    """A meter's time at a connection; at most one is open for each of them."""

    __tablename__ = "meter_assignment"
    __table_args__ = (
        Index("uq_meter_assignment_meter_open", "meter_id", unique=True, postgresql_where=text("to_on IS NULL")),
        Index(
            "uq_meter_assignment_connection_open",
            "connection_id",
            unique=True,
            postgresql_where=text("to_on IS NULL"),
        ),
        Index("ix_meter_assignment_connection_id", "connection_id", "from_on"),
        Index("ix_meter_assignment_meter_id", "meter_id", "from_on"),
        CheckConstraint("(to_on IS NULL) = (end_value IS NULL)", name="closed"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    meter_id: Mapped[int] = mapped_column(ForeignKey("meter.id"))
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    start_value: Mapped[Decimal]
    end_value: Mapped[Decimal | None]


class Reading(Base):
    """What a meter showed on a day, who said so, and the usage since the reading before it on that meter.

    `turn` says how the dials went there: 'forward', 'rollover' (past their end) or 'reversed' (a meter put in
    backwards). `doubt` is why it waits, or waited, for review.
    """

    __tablename__ = "reading"
    __table_args__ = (
        CheckConstraint("value >= 0", name="value"),
        CheckConstraint("usage >= 0", name="usage"),
        CheckConstraint(
            "source IN ('customer_ussd', 'customer_sms', 'office', 'field', 'estimate', 'opening')", name="source"
        ),
        CheckConstraint("status IN ('accepted', 'review', 'rejected', 'superseded')", name="status"),
        CheckConstraint("turn IN ('forward', 'rollover', 'reversed')", name="turn"),
        # The same number said twice on a day is one reading, however often and at once it arrives.
        Index(
            "uq_reading_said_once",
            "connection_id",
            "meter_id",
            "taken_on",
            "value",
            unique=True,
            postgresql_where=text("status IN ('accepted', 'review')"),
        ),
        Index("ix_reading_accepted", "connection_id", "taken_on", "id", postgresql_where=text("status = 'accepted'")),
        Index("ix_reading_review", "id", postgresql_where=text("status = 'review'")),
        Index("ix_reading_connection_id", "connection_id", "id"),
        Index("ix_reading_meter_id", "meter_id", "id"),
        Index("ix_reading_estimate", "connection_id", "taken_on", postgresql_where=text("source = 'estimate'")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    meter_id: Mapped[int] = mapped_column(ForeignKey("meter.id"))
    value: Mapped[Decimal]
    usage: Mapped[Decimal]
    taken_on: Mapped[date]
    source: Mapped[str]
    entered_by: Mapped[str]
    status: Mapped[str]
    turn: Mapped[str] = mapped_column(default="forward", server_default="forward")
    doubt: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
