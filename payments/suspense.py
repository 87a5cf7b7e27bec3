"""Suspense: money that is ours but nobody's yet, and how it gets to its account and back."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.ledger import money
from billing.models import Connection
from core.database import transaction
from core.money import Money
from core.outbox import job
from payments.approvals import MoneyRefusal, afterwards, available, lock_receipt, propose
from payments.matching import certain, suggest
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.thanks import thank

MATCHER = "matching"
"""Who allocates what needs no person."""


def allocate(
    session: Session, receipt_id: int, connection_id: int, reason: str, by: str, amount: Money | None = None
) -> MoneyMove | MoneyRefusal:
    """Take money out of suspense for a connection: all that is held, or a part of it."""
    receipt = lock_receipt(session, receipt_id)
    place = session.get(Connection, connection_id)
    if place is None:
        return MoneyRefusal("account")
    part = amount or available(session, receipt, None)
    return propose(session, receipt, "allocation", part, None, place.id, reason, by)


def give_back(session: Session, receipt_id: int, connection_id: int, reason: str, by: str) -> MoneyMove | MoneyRefusal:
    """It was not this account's money: all of it that stands there goes back to suspense, by a contra entry."""
    receipt = lock_receipt(session, receipt_id)
    whole = available(session, receipt, connection_id)
    return propose(session, receipt, "return", whole, connection_id, None, reason, by)


def held(session: Session) -> tuple[int, Money]:
    """How many receipts wait, and how much money."""
    count, minor = session.execute(
        select(func.count(), func.coalesce(func.sum(Receipt.held_minor), 0)).where(Receipt.held_minor > 0)
    ).one()
    return int(count), money(int(minor))


def oldest(session: Session, limit: int = 1) -> Sequence[Receipt]:
    """What waits longest."""
    return session.scalars(select(Receipt).where(Receipt.held_minor > 0).order_by(Receipt.id).limit(limit)).all()


@afterwards("allocation")
def _credited(session: Session, move: MoneyMove, receipt: Receipt) -> None:
    """The receipt is hers now; where it was split, each part is thanked for."""
    assert move.to_id is not None
    place = session.get_one(Connection, move.to_id)
    if receipt.connection_id is None and receipt.held_minor == 0:
        receipt.connection_id = place.id
    thank(session, receipt, place, part=move)


@job("payments.match")
def match(receipt_id: int) -> None:
    """Allocate what the payer wrote clearly and her phone bears out; everything else waits for a person."""
    with transaction() as session:
        receipt = lock_receipt(session, receipt_id)
        if receipt.held_minor != receipt.amount_minor:
            return
        found = certain(suggest(session, receipt))
        if found is not None:
            allocate(session, receipt.id, found.connection_id, "; ".join(found.reasons), MATCHER)
