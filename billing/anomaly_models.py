"""Months whose usage is not like the others of a connection, and how far a run has been looked through for them."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Double, ForeignKey, Identity, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

KINDS = ("leak", "drop", "stuck", "zero_streak")


class Anomaly(Base):
    """A month that stands out. People decide what it is: `open` until one has `confirmed` or `dismissed` it.

    `daily` and `usual` are units a day: what the bill says, and what would be usual in that month. `score` is the
    rule's own measure of how far it is off, comparable within a kind only.
    """

    __tablename__ = "anomaly"
    __table_args__ = (
        UniqueConstraint("connection_id", "month", "kind"),
        Index("ix_anomaly_status", "status", "id"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("status IN ('open', 'confirmed', 'dismissed')", name="status"),
        CheckConstraint("(status = 'open') = (reviewed_by IS NULL)", name="reviewed"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    month: Mapped[date]
    kind: Mapped[str]
    score: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    daily: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    usual: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    status: Mapped[str] = mapped_column(default="open")
    note: Mapped[str] = mapped_column(default="")
    told: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]


class ZoneSeason(Base):
    """How many times their usual the connections of a zone used in a month: the median over them, as last measured."""

    __tablename__ = "zone_season"

    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"), primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    share: Mapped[float] = mapped_column(Double)


class AnomalySearch(Base):
    """The search of one issued run: connections up to `after` are looked at, `found` months stood out."""

    __tablename__ = "anomaly_search"

    run_id: Mapped[int] = mapped_column(ForeignKey("billing_run.id"), primary_key=True, autoincrement=False)
    after: Mapped[int] = mapped_column(default=0)
    looked: Mapped[int] = mapped_column(default=0)
    found: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
