"""Money given back to who paid it: entered as owed first, then paid out by the wallet itself or by the cashier."""

from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.ledger import Leg, balance_of, post
from billing.models import Connection
from core.config import settings
from core.database import transaction
from core.messages import queue_message
from core.money import Money
from core.outbox import after_commit, job
from payments.approvals import MoneyRefusal, afterwards, lock_receipt, propose
from payments.models import PaymentIntent, Receipt
from payments.move_models import MoneyMove
from payments.mpesa_models import MpesaRequest
from payments.operations import ask_reversal, heard, initiator
from payments.texts_moves import refunded_text
from payments.thanks import language_of, own_phone, payers_phone, paying_phone
from payments.wallets import mpesa
from payments.wallets.protocol import Accepted, Refund, Refused, Unknown
from payments.wallets.registry import wallets

PAYABLE = "refunds"
SENT = ("owed", "failed")


def refund(
    session: Session, receipt_id: int, source_id: int | None, amount: Money, reason: str, by: str
) -> MoneyMove | MoneyRefusal:
    """Give back what came by a receipt, from a connection's credit or from suspense; over the limit it waits."""
    receipt = lock_receipt(session, receipt_id)
    return propose(session, receipt, "refund", amount, source_id, None, reason, by)


def owed(session: Session) -> Sequence[MoneyMove]:
    """Refunds that are approved and not known to be paid out, the oldest first: finance's list."""
    waits = select(MoneyMove).where(MoneyMove.payout != "paid", MoneyMove.status == "posted")
    return session.scalars(waits.order_by(MoneyMove.id)).all()


def by_wallet(receipt: Receipt, move: MoneyMove) -> bool:
    """Whether the provider itself gives the money back when we ask: M-Pesa only the whole payment, by its reversal."""
    wallet = wallets().get(receipt.provider)
    if receipt.provider == mpesa.NAME and wallet is not None:
        return move.amount_minor == receipt.amount_minor and initiator() is not None
    return wallet is not None and wallet.facts.refunds


def ask_wallet(session: Session, move: MoneyMove, receipt: Receipt) -> None:
    """Have the provider asked to give it back. It is asked for once, or under the same reference again."""
    if receipt.provider != mpesa.NAME:
        after_commit(session, "payments.refund", move.id)
    elif move.payout in SENT:
        asked = ask_reversal(session, receipt.receipt, Money(move.amount_minor, receipt.currency), f"refund {move.id}")
        if asked is not None:
            move.payout = "sending"


@heard("reversal")
def _reversed(session: Session, request: MpesaRequest) -> None:
    """M-Pesa's word on a reversal: the refund that asked for it is paid out, or finance's again."""
    move = session.scalar(
        select(MoneyMove)
        .join(Receipt, Receipt.id == MoneyMove.receipt_id)
        .where(Receipt.provider == mpesa.NAME, Receipt.receipt == request.receipt, MoneyMove.kind == "refund",
               MoneyMove.payout != "paid", MoneyMove.amount_minor == request.amount_minor)
        .order_by(MoneyMove.id)
        .limit(1)
    )  # fmt: skip
    if move is None:
        return
    if request.state == "done":
        pay_out(session, move.id, f"cash:{mpesa.NAME}", "reversed by M-Pesa")
    else:
        move.payout, move.payout_note = "failed", f"{request.result_code or ''} {request.result_text or ''}".strip()


def pay_out(session: Session, move_id: int, cash: str, note: str) -> bool:
    """The payer has her money: out of the ledger account `cash`. False where that was known before."""
    move = session.get_one(MoneyMove, move_id, with_for_update=True, populate_existing=True)
    if move.kind != "refund" or move.payout in (None, "paid"):
        return False
    legs = [Leg(PAYABLE, move.amount_minor), Leg(cash, -move.amount_minor)]
    entry = post(session, "refund", f"payout:{move.id}", legs, f"Refund paid out: {note}")
    assert entry is not None, "a refund is paid out under its row's lock, once"
    move.payout, move.payout_note, move.payout_entry_id = "paid", note, entry.id
    session.flush()
    return True


@afterwards("refund")
def _promised(session: Session, move: MoneyMove, receipt: Receipt) -> None:
    if by_wallet(receipt, move):
        ask_wallet(session, move, receipt)
    place = session.get(Connection, move.from_id) if move.from_id is not None else None
    phone = paying_phone(session, receipt) or (own_phone(session, place) if place else None)
    if phone is None:
        return
    balance = balance_of(session, place.id) if place else None
    said = refunded_text(Money(move.amount_minor, receipt.currency), receipt.receipt, balance)
    language = language_of(session, place) if place else settings().default_language
    queue_message(session, phone, said, "notice", key=f"move:{move.id}", connection_id=move.from_id, language=language)


@job("payments.refund")
def send(move_id: int) -> None:
    """Ask the wallet to give the money back, under a reference that is the same however often this runs.

    A refund whose answer was lost is asked for again only where the wallet knows our reference; else it waits for a
    person, who looks at the provider's own list.
    """
    with transaction() as session:
        move = session.get_one(MoneyMove, move_id, with_for_update=True, populate_existing=True)
        receipt = session.get_one(Receipt, move.receipt_id)
        wallet = wallets().get(receipt.provider)
        again = wallet is not None and wallet.facts.resend_is_safe and move.payout in ("sending", "unknown")
        if wallet is None or not wallet.facts.refunds or not (move.payout in SENT or again):
            return
        asked = _request(session, move, receipt)
        if asked is None:
            move.payout, move.payout_note = "failed", "the payer's phone is not known"
            return
        move.payout = "sending"
    answer = wallet.refund(asked)
    with transaction() as session:
        if isinstance(answer, Accepted):
            pay_out(session, move_id, f"cash:{wallet.name}", f"by {wallet.label}")
        else:
            _not_paid(session, move_id, answer)


def _request(session: Session, move: MoneyMove, receipt: Receipt) -> Refund | None:
    """What the wallet is asked; None where a payment came without its payer's number."""
    phone = payers_phone(session, receipt)
    intent = session.get(PaymentIntent, receipt.intent_id) if receipt.intent_id else None
    reference = str(uuid5(NAMESPACE_URL, f"mita:refund:{move.id}"))
    amount = Money(move.amount_minor, receipt.currency)
    ours = intent.reference if intent else ""
    return Refund(reference, receipt.receipt, ours, phone, amount, move.reason) if phone else None


def _not_paid(session: Session, move_id: int, answer: Refused | Unknown) -> None:
    move = session.get_one(MoneyMove, move_id, with_for_update=True, populate_existing=True)
    if move.payout == "sending":
        clear = isinstance(answer, Refused)
        move.payout = "failed" if clear else "unknown"
        move.payout_note = f"{answer.code} {answer.message}" if isinstance(answer, Refused) else answer.why
