"""What is kept beside the readings: what they said before, how far customers are believed, dated levies."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class ReadingCorrection(Base):
    """What a reading in the books said before somebody corrected it, and why. Rows are only added."""

    __tablename__ = "reading_correction"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason"),
        Index("ix_reading_correction_reading_id", "reading_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("reading.id"))
    old_value: Mapped[Decimal]
    old_usage: Mapped[Decimal]
    new_value: Mapped[Decimal]
    new_usage: Mapped[Decimal]
    reason: Mapped[str]
    corrected_by: Mapped[str]
    corrected_at: Mapped[datetime]


class SelfReading(Base):
    """How far the readings are believed that customers send of a connection.

    `streak` counts them since somebody of the utility last read the meter, on `audited_on`; what was found then makes
    the state: 'new' (never compared), 'trusted', or 'watched' (the dials did not agree).
    """

    __tablename__ = "self_reading"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'trusted', 'watched')", name="state"),
        CheckConstraint("streak >= 0", name="streak"),
        Index("ix_self_reading_streak", "streak", "connection_id"),
    )

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True, autoincrement=False)
    state: Mapped[str]
    streak: Mapped[int]
    audited_on: Mapped[date | None]


class LevyRate(Base):
    """A levy's rate for readings of a month and of those after it, until the next; a negative one is a rebate."""

    __tablename__ = "levy_rate"
    __table_args__ = (CheckConstraint("extract(day FROM month) = 1", name="month"),)

    series: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric(20, 8))
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]


class WaterBudget(Base):
    """What a connection is meant to need in a month, from the month `since` on; no `amount`: as its tariff says.

    Tariffs with budgets have bounds that are multiples of it. What a bill went by is never changed.
    """

    __tablename__ = "water_budget"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("extract(day FROM since) = 1", name="since"),
    )

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True, autoincrement=False)
    since: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[Decimal | None]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
