"""The ledger's tables: append-only, and every entry sums to zero. The database itself holds both rules."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class LedgerEntry(Base):
    """One event in the books. `source` names its cause ("invoice:12") and is unique: posted once.

    What it charges is due on `due_on`, else at once. `reverses_id` is the entry that it takes back, once.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_created_at", "created_at", "id"),
        Index(
            "uq_ledger_entry_reverses_id", "reverses_id", unique=True, postgresql_where=text("reverses_id IS NOT NULL")
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    memo: Mapped[str]
    source: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    due_on: Mapped[date | None]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))


class Posting(Base):
    """One leg of an entry, in minor units: debit positive, credit negative. A trigger on it looks for the entry."""

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("account <> 'receivable' OR connection_id IS NOT NULL", name="receivable"),
        Index("ix_posting_account", "account", "id"),
        Index("ix_posting_connection_id", "connection_id", "id", postgresql_where=text("connection_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    entry_id: Mapped[int] = mapped_column(index=True)
    account: Mapped[str]
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("connection.id"))
    amount_minor: Mapped[int]


class Balance(Base):
    """What a connection owes (negative: its credit). A trigger on `posting` keeps it; nothing else writes it."""

    __tablename__ = "balance"
    __table_args__ = (Index("ix_balance_owing", "amount_minor", "connection_id"),)

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True, autoincrement=False)
    amount_minor: Mapped[int]


class Unsettled(Base):
    """An entry whose legs did not come together. A trigger looks at it before the transaction commits."""

    __tablename__ = "ledger_unsettled"

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
