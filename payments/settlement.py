"""Settlement: what a notice says becomes a credit, once, or is put aside for people to look at.

A push's callback is bound three ways: the unguessable token in its address finds the attempt, the CheckoutRequestID
must be the one that Daraja gave it, and the amount must be the one asked for. Anything else may be forged, credits
nothing and is quarantined; real money behind it comes by the PayBill confirmation or is found by the query.
"""

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from billing.customers import find_connection
from billing.models import Connection
from core.clock import now
from core.config import settings
from core.database import transaction
from core.messages import queue_message
from core.money import Money
from payments.daraja import FAILED
from payments.forms import PaybillPayment, PushOutcome, Unreadable, read_paybill, read_pulled, read_push
from payments.intents import move
from payments.models import STATES, Notice, PaymentIntent, Receipt
from payments.notices import conclude
from payments.receipts import Credit, MoneyIn, credit, find_receipt, language_of
from payments.texts import failure_text

BEFORE_PAID = [state for state in STATES if state != "paid"]
PAID = "0"
"""The result code of a push that was paid; on an attempt, that its own callback has said so."""


def settle(notice_id: int) -> None:
    """Work on a notice in one transaction. Run twice, it does nothing the second time."""
    with transaction() as session:
        notice = session.get(Notice, notice_id, with_for_update=True)
        if notice is None or notice.outcome is not None:
            return
        try:
            if notice.kind == "stk":
                _settle_push(session, notice, read_push(notice.body))
            else:
                read = read_pulled if notice.kind == "pull" else read_paybill
                _settle_paybill(session, notice, read(notice.body))
        except Unreadable as error:
            conclude(notice, "quarantined", str(error))


def _settle_push(session: Session, notice: Notice, outcome: PushOutcome) -> None:
    intent = session.scalar(select(PaymentIntent).where(PaymentIntent.token == notice.token).with_for_update())
    if intent is None:
        return conclude(notice, "quarantined", "no attempt has this token")
    if not _is_of(session, intent, outcome.checkout_request_id):
        return conclude(notice, "quarantined", "another CheckoutRequestID than the attempt's")
    if outcome.receipt is None:
        return _push_failed(session, notice, intent, outcome)
    return _push_paid(session, notice, intent, outcome, outcome.receipt)


def _is_of(session: Session, intent: PaymentIntent, checkout_request_id: str) -> bool:
    """Is this the attempt's own name at Daraja; or, while its answer is awaited or lost, at least no other's?"""
    if intent.checkout_request_id is not None:
        return intent.checkout_request_id == checkout_request_id
    others = select(PaymentIntent.id).where(PaymentIntent.checkout_request_id == checkout_request_id)
    return session.scalar(others) is None


def _push_paid(session: Session, notice: Notice, intent: PaymentIntent, outcome: PushOutcome, number: str) -> None:
    asked = Money(intent.amount_minor, intent.currency)
    if outcome.amount is not None and outcome.amount != asked.major:
        return conclude(notice, "quarantined", "another amount than was asked for")
    known = find_receipt(session, number)
    if intent.result_code == PAID and (known is None or known.intent_id != intent.id):
        # A push is paid once. Should this money be real, the PayBill's confirmation or the pull brings it.
        return conclude(notice, "quarantined", "another receipt than the attempt's")
    connection = session.get_one(Connection, intent.connection_id)
    when = outcome.paid_at or now()
    paid = MoneyIn(number, asked, intent.phone, connection.account_no, when, connection, intent.id)
    credited = credit(session, paid)
    if credited is Credit.CONTRADICTED:
        return conclude(notice, "quarantined", "its receipt is known as other money")
    # A receipt that was only guessed to be this attempt's gives way to the one that its callback names.
    session.execute(
        update(Receipt).where(Receipt.intent_id == intent.id, Receipt.receipt != number.upper()).values(intent_id=None)
    )
    intent.checkout_request_id = outcome.checkout_request_id
    intent.merchant_request_id = outcome.merchant_request_id
    intent.result_code, intent.result_text = PAID, outcome.result_text
    move(session, intent.id, "paid", BEFORE_PAID, next_poll_at=None)
    return conclude(notice, "applied" if credited is Credit.FRESH else "duplicate")


def _push_failed(session: Session, notice: Notice, intent: PaymentIntent, outcome: PushOutcome) -> None:
    """Failed only for codes that surely moved no money; anything else stays to be asked about."""
    if outcome.result_code not in FAILED:
        return conclude(notice, "quarantined", f"result {outcome.result_code} is not known to be final")
    failed = fail(session, intent, outcome.result_code, outcome.result_text)
    return conclude(notice, "applied" if failed else "duplicate")


def fail(session: Session, intent: PaymentIntent, code: str, text: str) -> bool:
    """The attempt moved no money: say so to the customer, once. False where it was decided before."""
    come_from = ("created", "sending", "sent", "unknown")
    if not move(session, intent.id, "failed", come_from, result_code=code, result_text=text, next_poll_at=None):
        return False
    connection = session.get_one(Connection, intent.connection_id)
    said = failure_text(
        code, Money(intent.amount_minor, intent.currency), connection.account_no, settings().mpesa_shortcode
    )
    language = language_of(session, connection)
    queue_message(
        session,
        intent.phone,
        said,
        "notice",
        key=f"failed:{intent.id}",
        connection_id=connection.id,
        language=language,
    )
    return True


def _settle_paybill(session: Session, notice: Notice, payment: PaybillPayment) -> None:
    """A confirmation cannot be refused, the money is ours already: to the account, or to suspense."""
    ours = settings()
    if payment.shortcode != ours.mpesa_shortcode:
        return conclude(notice, "quarantined", "another short code than ours")
    try:
        amount = Money.of(payment.amount, ours.currency)
    except ValueError:
        return conclude(notice, "quarantined", "an amount that is not one")
    connection = find_connection(session, payment.account)
    # Its twin is locked before the receipt is posted, as the push's callback does: so that the two never deadlock.
    twin = _receiptless(session, connection, amount) if connection else None
    said = payment.account.strip()
    credited = credit(session, MoneyIn(payment.receipt, amount, payment.phone, said, payment.paid_at, connection))
    if credited is Credit.CONTRADICTED:
        return conclude(notice, "quarantined", "its receipt is known as other money")
    if twin is not None:
        _attach(session, twin, payment.receipt)
    return conclude(notice, "applied" if credited is Credit.FRESH else "duplicate", "" if connection else "in suspense")


def _receiptless(session: Session, connection: Connection, amount: Money) -> PaymentIntent | None:
    """The oldest push of this amount that lacks only its receipt: known to be paid, or its answer was lost."""
    return session.scalar(
        select(PaymentIntent)
        .where(
            PaymentIntent.connection_id == connection.id,
            or_(
                PaymentIntent.state == "confirmed",
                and_(PaymentIntent.state == "unknown", PaymentIntent.checkout_request_id.is_(None)),
            ),
            PaymentIntent.amount_minor == amount.minor,
        )
        .order_by(PaymentIntent.id)
        .limit(1)
        .with_for_update()
    )


def _attach(session: Session, intent: PaymentIntent, number: str) -> None:
    receipt = find_receipt(session, number)
    if receipt is None or receipt.intent_id is not None or receipt.connection_id != intent.connection_id:
        return
    if move(session, intent.id, "paid", ["confirmed", "unknown"], next_poll_at=None):
        receipt.intent_id = intent.id
