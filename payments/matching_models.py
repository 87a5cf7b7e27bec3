"""What banks and providers say of the same money, line by line, and how each day was reconciled."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from payments.models import Receipt

BANK_KINDS = ("slip", "cheque", "returned", "payment", "suspense", "channel", "charge", "ignored")


class BankProfile(Base):
    """How a bank writes its statements: which column says what. Remembered from the last import."""

    __tablename__ = "bank_profile"

    account: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[dict[str, Any]]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class BankImport(Base):
    """A statement that was read. The digest of the file makes it the only one."""

    __tablename__ = "bank_import"
    __table_args__ = (Index("uq_bank_import_digest", "account", "digest", unique=True),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account: Mapped[str]
    name: Mapped[str]
    digest: Mapped[str]
    lines: Mapped[int]
    known: Mapped[int]
    imported_by: Mapped[str]
    imported_at: Mapped[datetime]


class BankLine(Base):
    """One movement of the bank account, into it above zero. `digest` keeps overlapping statements from counting twice.

    `kind` says what it was taken for: a `slip` or `cheque` that an office receipt knows, a `returned` cheque, a
    customer's own `payment`, money in `suspense`, a `channel` paying out (M-Pesa, the office), a bank `charge`.
    """

    __tablename__ = "bank_line"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint(f"kind IN {BANK_KINDS}", name="kind"),
        CheckConstraint("(kind IS NULL) = (decided_at IS NULL)", name="decided"),
        Index("uq_bank_line_digest", "digest", unique=True),
        Index("ix_bank_line_import_id", "import_id", "id"),
        Index("ix_bank_line_open", "id", postgresql_where=text("kind IS NULL")),
        Index("ix_bank_line_booked_on", "booked_on", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey(BankImport.id))
    account: Mapped[str]
    booked_on: Mapped[date]
    amount_minor: Mapped[int]
    narrative: Mapped[str]
    reference: Mapped[str]
    digest: Mapped[str]
    kind: Mapped[str | None]
    channel: Mapped[str] = mapped_column(default="", server_default="")
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey(Receipt.id))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))
    note: Mapped[str] = mapped_column(default="", server_default="")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class ProviderLine(Base):
    """A payment as the provider's own list has it (pulled, or in its statement), to be held against the receipts."""

    __tablename__ = "provider_line"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount"),
        Index("uq_provider_line_receipt", "provider", "shortcode", "receipt", unique=True),
        Index("ix_provider_line_day", "provider", "day"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    provider: Mapped[str]
    shortcode: Mapped[str]
    receipt: Mapped[str]
    amount_minor: Mapped[int]
    day: Mapped[date]
    account_said: Mapped[str]
    source: Mapped[str]
    noted_at: Mapped[datetime]


class DayClosing(Base):
    """One day of one channel: what the provider, the ledger and the bank say, and who said that it is right."""

    __tablename__ = "day_closing"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="status"),
        Index("uq_day_closing_channel", "day", "channel", unique=True),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    day: Mapped[date]
    channel: Mapped[str]
    provider_minor: Mapped[int | None]
    ledger_minor: Mapped[int]
    bank_minor: Mapped[int]
    status: Mapped[str]
    note: Mapped[str] = mapped_column(default="", server_default="")
    prepared_at: Mapped[datetime]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]


class DayDifference(Base):
    """Something of one day that does not agree, and what was decided about it. Nothing is ever taken away."""

    __tablename__ = "day_difference"
    __table_args__ = (
        CheckConstraint("kind IN ('not_in_ledger', 'not_at_provider', 'amount', 'drawer')", name="kind"),
        CheckConstraint("status IN ('open', 'gone', 'decided')", name="status"),
        CheckConstraint("(status = 'decided') = (decided_by IS NOT NULL)", name="decided"),
        Index("uq_day_difference", "day", "channel", "kind", "reference", unique=True),
        Index("ix_day_difference_open", "id", postgresql_where=text("status = 'open'")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    day: Mapped[date]
    channel: Mapped[str]
    kind: Mapped[str]
    reference: Mapped[str]
    provider_minor: Mapped[int]
    ledger_minor: Mapped[int]
    status: Mapped[str]
    decision: Mapped[str] = mapped_column(default="", server_default="")
    found_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
