"""Money that moves after it was received: who asks, who approves, and the one entry that does it.

Nothing is changed or taken away. Each move is an entry of its own in the books, and undone by another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.ledger import RECEIVABLE, SUSPENSE, Leg, post
from billing.models import LedgerEntry, Posting
from core.clock import now
from core.config import settings
from core.money import Money
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.receipts import label_of, source_of

WAITS_OVER_LIMIT = ("transfer", "refund")
After = Callable[[Session, MoneyMove, Receipt], None]
AFTER: dict[str, After] = {}


@dataclass(frozen=True, slots=True)
class MoneyRefusal:
    """Why not: 'reason', 'amount' (nothing, or more than is there), 'account' (unknown, closed or the same),
    'state' (decided already, or not to be undone), 'same_person' (who asked may not approve)."""

    kind: str


def afterwards(kind: str) -> Callable[[After], After]:
    """Register what follows when a move of `kind` is in the books, in the same transaction."""

    def register(after: After) -> After:
        AFTER[kind] = after
        return after

    return register


def limit() -> Money:
    """Up to this much one person moves money; above it a second one approves."""
    return Money.of(settings().approval_limit, settings().currency)


def lock_receipt(session: Session, receipt_id: int) -> Receipt:
    """The receipt as it is now, in this transaction's hands: its moves are made one after another."""
    return session.get_one(Receipt, receipt_id, with_for_update=True, populate_existing=True)


def standing(session: Session, receipt: Receipt) -> dict[int | None, int]:
    """Where the receipt's money stands, in minor units: by connection, None for suspense. The ledger itself says."""
    first = source_of("suspense", receipt.provider, receipt.shortcode, receipt.receipt)
    moved = select(MoneyMove.entry_id).where(MoneyMove.receipt_id == receipt.id, MoneyMove.entry_id.is_not(None))
    entries = select(LedgerEntry.id).where(LedgerEntry.source == first).union_all(moved)
    ids = [receipt.entry_id, *session.scalars(entries)]
    rows = session.execute(
        select(Posting.connection_id, -func.sum(Posting.amount_minor))
        .where(Posting.entry_id.in_(ids), Posting.account.in_((RECEIVABLE, SUSPENSE)))
        .group_by(Posting.account, Posting.connection_id)
    )
    return {connection_id: int(minor) for connection_id, minor in rows.tuples() if minor}


def available(session: Session, receipt: Receipt, place: int | None) -> Money:
    """What of a receipt may leave a place: what stands there, less what is proposed already."""
    promised = session.scalar(
        select(func.coalesce(func.sum(MoneyMove.amount_minor), 0)).where(
            MoneyMove.receipt_id == receipt.id, MoneyMove.status == "proposed",
            MoneyMove.from_id.is_(None) if place is None else MoneyMove.from_id == place,
        )
    )  # fmt: skip
    return Money(standing(session, receipt).get(place, 0) - int(promised or 0), receipt.currency)


def propose(
    session: Session, receipt: Receipt, kind: str, amount: Money, source: int | None, to: int | None,
    reason: str, by: str,
) -> MoneyMove | MoneyRefusal:  # fmt: skip
    """Move `amount` of a locked receipt from one place to another: at once, or after approval over the limit."""
    reason = " ".join(reason.split())
    if not reason:
        return MoneyRefusal("reason")
    if not 0 < amount.minor <= available(session, receipt, source).minor:
        return MoneyRefusal("amount")
    move = MoneyMove(
        receipt_id=receipt.id, kind=kind, amount_minor=amount.minor, from_id=source, to_id=to, reason=reason,
        status="proposed", proposed_by=by, proposed_at=now(),
    )  # fmt: skip
    session.add(move)
    session.flush()
    if kind in WAITS_OVER_LIMIT and amount > limit():
        return move
    return _enter(session, move, receipt, by)


def decide(session: Session, move_id: int, by: str, *, approve: bool) -> MoneyMove | MoneyRefusal:
    """A second person's decision. Who proposed a move may take it back, not approve it."""
    asked = session.get_one(MoneyMove, move_id)
    receipt = lock_receipt(session, asked.receipt_id)
    move = session.get_one(MoneyMove, move_id, with_for_update=True, populate_existing=True)
    if move.status != "proposed":
        return MoneyRefusal("state")
    if not approve:
        move.status, move.decided_by, move.decided_at = "rejected", by, now()
        session.flush()
        return move
    if by == move.proposed_by:
        return MoneyRefusal("same_person")
    return _enter(session, move, receipt, by)


def waiting(session: Session) -> Sequence[MoneyMove]:
    """What waits for a second person, the oldest first."""
    return session.scalars(select(MoneyMove).where(MoneyMove.status == "proposed").order_by(MoneyMove.id)).all()


def moves_of(session: Session, receipt_id: int) -> Sequence[MoneyMove]:
    """All moves of a receipt, the first one first."""
    return session.scalars(select(MoneyMove).where(MoneyMove.receipt_id == receipt_id).order_by(MoneyMove.id)).all()


def _enter(session: Session, move: MoneyMove, receipt: Receipt, by: str) -> MoneyMove:
    entry = post(
        session, "payment" if move.kind == "allocation" else move.kind, f"move:{move.id}", _legs(move),
        f"{label_of(receipt.provider)} {receipt.receipt}: {move.reason}",
    )  # fmt: skip
    assert entry is not None, "a move is entered under its row's lock, once"
    move.entry_id, move.status, move.decided_by, move.decided_at = entry.id, "posted", by, now()
    if move.kind == "refund":
        move.payout = "owed"
    if move.from_id is None:
        receipt.held_minor -= move.amount_minor
    if move.kind == "return":
        receipt.held_minor += move.amount_minor
        if receipt.held_minor == receipt.amount_minor:
            receipt.connection_id = None
    session.flush()
    if move.kind in AFTER:
        AFTER[move.kind](session, move, receipt)
    return move


def _legs(move: MoneyMove) -> list[Leg]:
    amount = move.amount_minor
    taken = Leg(RECEIVABLE, amount, move.from_id) if move.from_id is not None else Leg(SUSPENSE, amount)
    given = {
        "allocation": Leg(RECEIVABLE, -amount, move.to_id), "transfer": Leg(RECEIVABLE, -amount, move.to_id),
        "return": Leg(SUSPENSE, -amount), "refund": Leg("refunds", -amount), "bounce": Leg("cash:cheques", -amount),
    }  # fmt: skip
    return [taken, given[move.kind]]
