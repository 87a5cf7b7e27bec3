"""Connections with what stands beside them on pages: zone, tariff, meter, balance, usage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from admin_web import bars
from billing.models import Balance, Connection, Invoice, Meter, MeterAssignment, Tariff, Zone
from core.config import settings
from core.money import Money

USAGE_MONTHS = 13
UNIT = "m³"


@dataclass(frozen=True, slots=True)
class Place:
    """One connection as pages show it."""

    connection: Connection
    zone: str
    tariff: str
    meter: Meter | None
    balance: Money


def places(session: Session, condition: ColumnElement[bool]) -> list[Place]:
    """The connections that satisfy `condition`, in the order of their numbers."""
    open_assignment = (MeterAssignment.connection_id == Connection.id) & MeterAssignment.to_on.is_(None)
    rows = session.execute(
        select(Connection, Zone.name, Tariff.name, Meter, func.coalesce(Balance.amount_minor, 0))
        .join(Zone, Zone.id == Connection.zone_id)
        .join(Tariff, Tariff.id == Connection.tariff_id)
        .outerjoin(MeterAssignment, open_assignment)
        .outerjoin(Meter, Meter.id == MeterAssignment.meter_id)
        .outerjoin(Balance, Balance.connection_id == Connection.id)
        .where(condition)
        .order_by(Connection.id)
    )
    currency = settings().currency
    return [
        Place(connection, zone, tariff, meter, Money(int(minor), currency))
        for connection, zone, tariff, meter, minor in rows
    ]


def total_owed(some: Sequence[Place]) -> Money:
    """What these owe together; negative where they are in credit."""
    return sum((place.balance for place in some), Money.zero(settings().currency))


def account_numbers(session: Session, connection_ids: Sequence[int | None]) -> dict[int, str]:
    """The account number of each of these connections."""
    ids = {connection_id for connection_id in connection_ids if connection_id is not None}
    rows = session.execute(select(Connection.id, Connection.account_no).where(Connection.id.in_(ids)))
    return dict(rows.tuples().all())


def usage_chart(session: Session, connection_ids: Sequence[int]) -> bars.Chart | None:
    """What these connections used by billed month, the last thirteen."""
    rows = session.execute(
        select(Invoice.period_start, func.sum(Invoice.usage))
        .where(Invoice.connection_id.in_(connection_ids), Invoice.status == "issued")
        .group_by(Invoice.period_start)
        .order_by(Invoice.period_start.desc())
        .limit(USAGE_MONTHS)
    ).all()
    months: list[tuple[date, Decimal]] = [(month, usage) for month, usage in reversed(rows)]
    return bars.by_month(months, UNIT)
