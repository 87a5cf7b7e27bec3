"""It was the wrong account: money goes from one connection to another, and both owners are told."""

from sqlalchemy.orm import Session

from billing.ledger import balance_of
from billing.models import Connection
from core.messages import queue_message
from core.money import Money
from payments.approvals import MoneyRefusal, afterwards, lock_receipt, propose
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.texts_moves import moved_text
from payments.thanks import language_of, own_phone, thank


def transfer(
    session: Session, receipt_id: int, source_id: int, to_id: int, amount: Money, reason: str, by: str
) -> MoneyMove | MoneyRefusal:
    """Move what was paid to `source_id` in error; over the limit it waits for a second person."""
    receipt = lock_receipt(session, receipt_id)
    to = session.get(Connection, to_id)
    if to is None or to_id == source_id:
        return MoneyRefusal("account")
    return propose(session, receipt, "transfer", amount, source_id, to_id, reason, by)


@afterwards("transfer")
def _told(session: Session, move: MoneyMove, receipt: Receipt) -> None:
    """The one who gets it is thanked as for any payment, the other hears why her balance went up."""
    assert move.from_id is not None
    assert move.to_id is not None
    thank(session, receipt, session.get_one(Connection, move.to_id), part=move)
    lost = session.get_one(Connection, move.from_id)
    phone = own_phone(session, lost)
    if phone is not None:
        said = moved_text(
            Money(move.amount_minor, receipt.currency), lost.account_no, receipt.receipt, balance_of(session, lost.id)
        )
        queue_message(
            session, phone, said, "notice", key=f"move:{move.id}:from", connection_id=lost.id,
            language=language_of(session, lost),
        )  # fmt: skip
