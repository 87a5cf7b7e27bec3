"""Deposits: customers' money that is held, neither debt nor revenue, until it is used for a debt or given back."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.ledger import RECEIVABLE, Leg, balance_of, money, post
from billing.models import Connection, LedgerEntry, Posting
from core.money import Money

HELD = "deposits"
CHANNELS = {"cash:bank": "Bank", "cash:office": "Cash at the office", "cash:mpesa": "M-Pesa"}


@dataclass(frozen=True, slots=True)
class DepositRefusal:
    """Why not: 'amount' (nothing, or more than is held or owed), 'channel', 'known' (its reference is in the books)."""

    kind: str


def held(session: Session, connection_id: int) -> Money:
    """What is held for a connection."""
    minor = session.scalar(
        select(-func.coalesce(func.sum(Posting.amount_minor), 0)).where(
            Posting.connection_id == connection_id, Posting.account == HELD
        )
    )
    return money(int(minor or 0))


def take_deposit(
    session: Session, connection_id: int, amount: Money, channel: str, reference: str
) -> LedgerEntry | DepositRefusal:
    """Money received as a deposit; `reference` is the receipt's number there, which counts once."""
    if amount.minor <= 0 or not reference.strip():
        return DepositRefusal("amount")
    if channel not in CHANNELS:
        return DepositRefusal("channel")
    _alone(session, connection_id)
    legs = [Leg(channel, amount.minor), Leg(HELD, -amount.minor, connection_id)]
    entry = post(session, "deposit", f"deposit:{channel}:{reference.strip().upper()}", legs, f"Deposit {reference}")
    return entry or DepositRefusal("known")


def use_deposit(session: Session, connection_id: int, amount: Money, by: str) -> LedgerEntry | DepositRefusal:
    """Pay debts out of what is held, never more than is owed."""
    _alone(session, connection_id)
    if not 0 < amount.minor <= min(held(session, connection_id).minor, balance_of(session, connection_id).minor):
        return DepositRefusal("amount")
    legs = [Leg(HELD, amount.minor, connection_id), Leg(RECEIVABLE, -amount.minor, connection_id)]
    return _numbered(session, "deposit_used", connection_id, legs, f"Deposit used, {by}")


def return_deposit(
    session: Session, connection_id: int, amount: Money, channel: str, by: str
) -> LedgerEntry | DepositRefusal:
    """Give back what is held, or a part."""
    _alone(session, connection_id)
    if channel not in CHANNELS:
        return DepositRefusal("channel")
    if not 0 < amount.minor <= held(session, connection_id).minor:
        return DepositRefusal("amount")
    legs = [Leg(HELD, amount.minor, connection_id), Leg(channel, -amount.minor)]
    return _numbered(session, "deposit_returned", connection_id, legs, f"Deposit returned, {by}")


def _alone(session: Session, connection_id: int) -> None:
    """What is held is read and used under the connection's lock: nobody uses it twice."""
    session.execute(select(Connection.id).where(Connection.id == connection_id).with_for_update())


def _numbered(
    session: Session, kind: str, connection_id: int, legs: list[Leg], memo: str
) -> LedgerEntry | DepositRefusal:
    times = session.scalar(
        select(func.count()).select_from(LedgerEntry).join(Posting, Posting.entry_id == LedgerEntry.id)
        .where(Posting.connection_id == connection_id, Posting.account == HELD)
    )  # fmt: skip
    entry = post(session, kind, f"{kind}:{connection_id}:{times}", legs, memo)
    return entry or DepositRefusal("known")
