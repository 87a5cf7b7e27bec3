"""Levies that are gazetted month by month: series of dated rates, apart from the tariff's versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.models import Invoice, LevyRate, Reading, TariffVersion
from billing.months import month_of
from core.clock import now


@dataclass(frozen=True, slots=True)
class LevyRefusal:
    """Why not: 'known' (the series has a rate for that month), 'billed' (a bill of that month or later used it)."""

    kind: str


def rates_in(session: Session, month: date) -> dict[str, Decimal]:
    """The rate of each series for readings of a month: the newest that is not later."""
    rows = session.execute(
        select(LevyRate.series, LevyRate.rate)
        .where(LevyRate.month <= month_of(month))
        .distinct(LevyRate.series)
        .order_by(LevyRate.series, LevyRate.month.desc())
    )
    # NUMERIC(20, 8) comes back with all its zeros, which are no part of a rate.
    return {series: rate.normalize() + 0 for series, rate in rows.tuples()}


def add_rate(session: Session, series: str, month: date, rate: Decimal, by: str) -> LevyRate | LevyRefusal:
    """Enter the rate of a series from a month on; a negative one is a rebate. A rate that billed is never changed."""
    month = month_of(month)
    if _billed(session, series, month):
        return LevyRefusal("billed")
    made = session.scalar(
        insert(LevyRate)
        .values(series=series, month=month, rate=rate, entered_by=by, entered_at=now())
        .on_conflict_do_nothing()
        .returning(LevyRate)
    )
    return made if made is not None else LevyRefusal("known")


def rates_of(session: Session, *, limit: int = 200) -> Sequence[LevyRate]:
    """The rates as they were gazetted, by series, the newest first."""
    return session.scalars(select(LevyRate).order_by(LevyRate.series, LevyRate.month.desc()).limit(limit)).all()


def series_named(session: Session) -> list[str]:
    """The series that tariffs ask for, or that have rates already."""
    named = set(session.scalars(select(LevyRate.series).distinct()))
    for rules in session.scalars(select(TariffVersion.rules)):
        named |= {levy["series"] for levy in rules.get("per_unit_charges") or () if levy.get("series")}
    return sorted(named)


def _billed(session: Session, series: str, month: date) -> bool:
    """Whether a bill, void ones too, went by this series with a reading of that month or a later one."""
    used = exists().where(
        Invoice.tariff_version_id == TariffVersion.id,
        TariffVersion.rules["per_unit_charges"].contains([{"series": series}]),
        Invoice.closing_reading_id == Reading.id,
        Reading.taken_on >= month,
    )
    return bool(session.scalar(select(used)))
