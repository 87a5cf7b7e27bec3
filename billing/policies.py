"""How each class of customers is treated when it owes."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import Connection, CreditPolicy, Customer
from core.clock import now


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a class; amounts in minor units, shares of one, days from the due date."""

    approval_minor: int
    least_minor: int
    late_fee_minor: int
    late_fee_share: Decimal
    late_fee_days: int
    reminder_days: int
    notice_days: int
    order_days: int
    reconnection_minor: int
    reconnection_share: Decimal


def policy_of(session: Session, connection_id: int) -> CreditPolicy:
    """That of the connection's customer; a place without one is treated as a household."""
    kind = session.scalar(
        select(Customer.kind)
        .join(Connection, Connection.customer_id == Customer.id)
        .where(Connection.id == connection_id)
    )
    return session.get_one(CreditPolicy, kind or "domestic")


def policies(session: Session) -> list[CreditPolicy]:
    """All of them."""
    return list(session.scalars(select(CreditPolicy).order_by(CreditPolicy.kind)))


def set_policy(session: Session, kind: str, policy: Policy, by: str) -> CreditPolicy | None:
    """Keep a class's settings; None where the steps would not follow each other."""
    if not 0 <= policy.reminder_days < policy.notice_days < policy.order_days:
        return None
    kept = session.get_one(CreditPolicy, kind, with_for_update=True)
    for name in Policy.__dataclass_fields__:
        setattr(kept, name, getattr(policy, name))
    kept.changed_by, kept.changed_at = by, now()
    session.flush()
    return kept
