"""Orders to cut off and to reconnect: given out, done by somebody in the field, or withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.arrears import overdue_since
from billing.issuing import due_after
from billing.ledger import RECEIVABLE, Leg, post
from billing.models import Connection, DunningStep
from billing.moments import here
from billing.policies import policy_of
from billing.reminder_texts import tell
from core.clock import now

FEE_ACCOUNT = "revenue:reconnection"


@dataclass(frozen=True, slots=True)
class OrderRefusal:
    """Why not: 'state' (done, withdrawn or not suspended), 'paid' (she has paid meanwhile: it was withdrawn), 'owes'
    (less than the class's share of the debt is paid)."""

    kind: str


def open_orders(session: Session, limit: int = 100) -> Sequence[DunningStep]:
    """What waits to be done in the field, the oldest first."""
    return session.scalars(
        select(DunningStep).where(DunningStep.status == "open").order_by(DunningStep.id).limit(limit)
    ).all()


def order_done(session: Session, order_id: int, by: str) -> DunningStep | OrderRefusal:
    """The supply is cut off, or is back. Who has paid before the fitter came is not cut off: it is withdrawn."""
    order = session.get_one(DunningStep, order_id, with_for_update=True, populate_existing=True)
    connection = session.get_one(Connection, order.connection_id, with_for_update=True, populate_existing=True)
    if order.status != "open":
        return OrderRefusal("state")
    if order.step == "disconnection" and overdue_since(session, connection.id) is None:
        _close(session, order, "withdrawn", by)
        return OrderRefusal("paid")
    if connection.status != "closed":
        connection.status = "suspended" if order.step == "disconnection" else "active"
    return _close(session, order, "done", by)


def withdraw(session: Session, order_id: int, by: str) -> DunningStep | OrderRefusal:
    """Take an order back."""
    order = session.get_one(DunningStep, order_id, with_for_update=True, populate_existing=True)
    return _close(session, order, "withdrawn", by) if order.status == "open" else OrderRefusal("state")


def reconnect(session: Session, connection_id: int, by: str) -> DunningStep | OrderRefusal:
    """Order a suspended supply back once enough of the debt it was cut off for is paid; its fee is charged, once."""
    connection = session.get_one(Connection, connection_id, with_for_update=True, populate_existing=True)
    cut = session.scalar(
        select(DunningStep)
        .where(DunningStep.connection_id == connection_id, DunningStep.step == "disconnection",
               DunningStep.status == "done")
        .order_by(DunningStep.id.desc()).limit(1)
    )  # fmt: skip
    known = cut and session.scalar(select(DunningStep.id).where(
        DunningStep.connection_id == connection_id, DunningStep.step == "reconnection", DunningStep.since == cut.since
    ))  # fmt: skip
    if connection.status != "suspended" or cut is None or known is not None:
        return OrderRefusal("state")
    policy, overdue = policy_of(session, connection_id), overdue_since(session, connection_id)
    if overdue is not None and overdue[1] > cut.amount_minor * (1 - policy.reconnection_share):
        return OrderRefusal("owes")
    order = DunningStep(
        connection_id=connection_id, step="reconnection", since=cut.since, amount_minor=policy.reconnection_minor,
        status="open", created_by=by, created_at=now(),
    )  # fmt: skip
    session.add(order)
    session.flush()
    if fee := policy.reconnection_minor:
        legs = [Leg(RECEIVABLE, fee, connection_id), Leg(FEE_ACCOUNT, -fee)]
        post(session, "reconnection", f"reconnection:{order.id}", legs, "Reconnection fee", due_on=due_after(here()))
    tell(session, connection_id, "reconnection", 0, f"dunning:{order.id}", here())
    return order


def _close(session: Session, order: DunningStep, status: str, by: str) -> DunningStep:
    order.status, order.closed_by, order.closed_at = status, by, now()
    session.flush()
    return order
