"""Settlement: what a notice says becomes a credit, once, or is put aside for people to look at.

A push's callback is bound three ways: the unguessable token in its address finds the attempt, the CheckoutRequestID
must be the one that Daraja gave it, and the amount must be the one asked for. Anything else may be forged, credits
nothing and is quarantined; real money behind it comes by the PayBill confirmation or is found by the query.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.customers import find_connection, phones_of
from billing.ledger import RECEIVABLE, SUSPENSE, Leg, balance_of, post
from billing.models import Connection, Customer
from core.clock import now
from core.config import settings
from core.database import transaction
from core.i18n import say
from core.messages import queue_message
from core.money import Money
from core.phone import Phone
from payments.daraja import FAILED
from payments.forms import PaybillPayment, PushOutcome, Unreadable, read_paybill, read_pulled, read_push
from payments.intents import move
from payments.models import STATES, Notice, PaymentIntent, Receipt
from payments.notices import conclude
from payments.texts import failure_text, receipt_text

CASH = "cash:mpesa"
BEFORE_PAID = [state for state in STATES if state != "paid"]


@dataclass(frozen=True, slots=True)
class MoneyIn:
    """What the provider says it received, and for whom."""

    receipt: str
    amount: Money
    phone: str
    account_said: str
    paid_at: datetime
    connection: Connection | None
    intent_id: int | None = None


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
    if intent.checkout_request_id not in (None, outcome.checkout_request_id):
        return conclude(notice, "quarantined", "another CheckoutRequestID than the attempt's")
    asked = Money(intent.amount_minor, intent.currency)
    if outcome.receipt is None:
        return _push_failed(session, notice, intent, outcome)
    if outcome.amount is not None and outcome.amount != asked.major:
        return conclude(notice, "quarantined", "another amount than was asked for")
    connection = session.get_one(Connection, intent.connection_id)
    fresh = credit(
        session,
        MoneyIn(
            outcome.receipt, asked, intent.phone, connection.account_no, outcome.paid_at or now(), connection, intent.id
        ),
    )
    intent.checkout_request_id = outcome.checkout_request_id
    intent.merchant_request_id = outcome.merchant_request_id
    move(session, intent.id, "paid", BEFORE_PAID, result_code="0", result_text=outcome.result_text, next_poll_at=None)
    return conclude(notice, "applied" if fresh else "duplicate")


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
        say(said, language),
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
    said = payment.account.strip()
    fresh = credit(session, MoneyIn(payment.receipt, amount, payment.phone, said, payment.paid_at, connection))
    if connection is not None:
        _attach(session, connection, payment.receipt, amount)
    return conclude(notice, "applied" if fresh else "duplicate", "" if connection else "in suspense")


def _attach(session: Session, connection: Connection, number: str, amount: Money) -> None:
    """A push that lacks its receipt gets that of its twin: one known to be paid, or one whose answer was lost."""
    receipt = _receipt(session, number)
    if receipt is None or receipt.intent_id is not None:
        return
    intent = session.scalar(
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
    if intent is not None and move(session, intent.id, "paid", ["confirmed", "unknown"], next_poll_at=None):
        receipt.intent_id = intent.id


def credit(session: Session, paid: MoneyIn) -> bool:
    """Credit a receipt, once for its number, whichever road it came by; false where it was credited before."""
    ours = settings()
    number, minor = paid.receipt.upper(), paid.amount.minor
    connection_id = paid.connection.id if paid.connection else None
    account = RECEIVABLE if paid.connection else SUSPENSE
    entry = post(
        session,
        "payment",
        f"receipt:mpesa:{ours.mpesa_shortcode}:{number}",
        [Leg(CASH, minor), Leg(account, -minor, connection_id)],
        memo=f"M-Pesa {number}",
    )
    if entry is None:
        earlier = _receipt(session, number)
        if earlier is not None and earlier.intent_id is None and paid.intent_id is not None:
            earlier.intent_id = paid.intent_id
        return False
    receipt = session.scalars(
        insert(Receipt)
        .values(
            provider="mpesa",
            shortcode=ours.mpesa_shortcode,
            receipt=number,
            amount_minor=minor,
            currency=paid.amount.currency,
            phone=paid.phone,
            account_said=paid.account_said,
            paid_at=paid.paid_at,
            intent_id=paid.intent_id,
            connection_id=connection_id,
            entry_id=entry.id,
            created_at=now(),
        )
        .returning(Receipt)
    ).one()
    if paid.connection is not None:
        _thank(session, receipt, paid, paid.connection)
    return True


def _receipt(session: Session, number: str) -> Receipt | None:
    return session.scalar(
        select(Receipt).where(
            Receipt.provider == "mpesa",
            Receipt.shortcode == settings().mpesa_shortcode,
            Receipt.receipt == number.upper(),
        )
    )


def _thank(session: Session, receipt: Receipt, paid: MoneyIn, connection: Connection) -> None:
    """The receipt's SMS, to the phone that paid or else to the customer's own."""
    phone = Phone(paid.phone) if paid.intent_id else _own_phone(session, connection)
    if phone is None:
        return
    language = language_of(session, connection)
    said = receipt_text(paid.amount, connection.account_no, receipt.receipt, balance_of(session, connection.id))
    queue_message(
        session,
        phone,
        say(said, language),
        "receipt",
        key=f"receipt:{receipt.id}",
        connection_id=connection.id,
        language=language,
    )


def _own_phone(session: Session, connection: Connection) -> Phone | None:
    phones = phones_of(session, connection.customer_id) if connection.customer_id else []
    return phones[0] if phones else None


def language_of(session: Session, connection: Connection) -> str:
    customer = session.get(Customer, connection.customer_id) if connection.customer_id else None
    return customer.language if customer else settings().default_language
