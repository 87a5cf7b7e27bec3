"""What a connection is meant to need in a month, for tariffs whose bounds are multiples of that."""

from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.models import Connection, Invoice, WaterBudget
from billing.moments import here
from billing.months import month_of, next_month
from core.clock import now


def budget_in(session: Session, connection_id: int, month: date) -> Decimal | None:
    """The connection's own budget of a month; None where the tariff's holds."""
    return session.scalar(
        select(WaterBudget.amount)
        .where(WaterBudget.connection_id == connection_id, WaterBudget.since <= month)
        .order_by(WaterBudget.since.desc())
        .limit(1)
    )


def latest_budget(session: Session, connection_id: int) -> Decimal | None:
    """The connection's own budget as it was set last, which may hold from the next bill on only."""
    return budget_in(session, connection_id, date.max)


def set_budget(session: Session, connection_id: int, amount: Decimal | None, by: str) -> date:
    """Give a connection a budget of its own (None: the tariff's again); the month from which on it holds.

    That is the one after the last that was billed, so that every bill can be rated again as it was.
    """
    session.execute(select(Connection.id).where(Connection.id == connection_id).with_for_update(key_share=True))
    billed = session.scalar(select(func.max(Invoice.period_start)).where(Invoice.connection_id == connection_id))
    opened = session.get_one(Connection, connection_id).opened_on
    since = next_month(billed) if billed else min(month_of(opened), month_of(here()))
    values = {"amount": amount, "set_by": by, "set_at": now()}
    session.execute(
        insert(WaterBudget)
        .values(connection_id=connection_id, since=since, **values)
        .on_conflict_do_update(index_elements=["connection_id", "since"], set_=values)
    )
    return since
