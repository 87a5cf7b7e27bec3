"""Settlement: what a notice says becomes a credit, once, or is put aside for people to look at.

A push's callback is bound three ways: the unguessable token in its address finds the attempt, the CheckoutRequestID
must be the one that Daraja gave it, and the amount must be the one asked for. Anything else may be forged, credits
nothing and is quarantined; real money behind it comes by the PayBill confirmation or is found by the query.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from billing.models import Connection
from core.clock import now
from core.config import settings
from core.database import transaction
from core.messages import queue_message
from core.money import Money
from payments.daraja import FAILED
from payments.forms import PaybillPayment, PushOutcome, Unreadable, read_paybill, read_push, read_row
from payments.intents import move
from payments.models import STATES, Notice, PaymentIntent, Receipt
from payments.notices import conclude
from payments.receipts import Credit, MoneyIn, credit, find_receipt, language_of
from payments.texts import failure_text
from payments.typed import find_typed
from payments.validation import is_ours
from payments.wallets.registry import cause_of

BEFORE_PAID = [state for state in STATES if state != "paid"]
PAID = "0"
"""The result code of a push that was paid; on an attempt, that its own callback has said so."""
Settler = Callable[[Session, Notice], None]
SETTLERS: dict[str, Settler] = {}


def settles(kind: str) -> Callable[[Settler], Settler]:
    """Register what is done with notices of `kind`. It may raise Unreadable, and concludes the notice otherwise."""

    def register(settler: Settler) -> Settler:
        SETTLERS[kind] = settler
        return settler

    return register


def settle(notice_id: int) -> None:
    """Work on a notice in a transaction of its own."""
    with transaction() as session:
        settle_kept(session, notice_id)


def settle_kept(session: Session, notice_id: int) -> None:
    """Work on a notice. Run twice, it does nothing the second time."""
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None or notice.outcome is not None:
        return
    try:
        SETTLERS[notice.kind](session, notice)
    except Unreadable as error:
        conclude(notice, "quarantined", str(error))


@settles("stk")
def _settle_push(session: Session, notice: Notice) -> None:
    outcome = read_push(notice.body)
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
    named = {"checkout_request_id": outcome.checkout_request_id, "merchant_request_id": outcome.merchant_request_id}
    entered = enter_paid(session, intent, number, outcome.amount, outcome.paid_at, outcome.result_text, named=named)
    if isinstance(entered, str):
        return conclude(notice, "quarantined", entered)
    return conclude(notice, "applied" if entered is Credit.FRESH else "duplicate")


def enter_paid(
    session: Session, intent: PaymentIntent, number: str, amount: Decimal | None, paid_at: datetime | None,
    text: str = "", shortcode: str = "", named: Mapping[str, str] | None = None,
) -> Credit | str:  # fmt: skip
    """An attempt, locked, was paid under this receipt `number`, as its provider says: credit it, or say why not.

    `amount` is in major units, None where the provider does not say it; `shortcode` is our account there, where
    that is not the PayBill, and `named` the provider's names for the attempt, to be kept with it.
    """
    asked = Money(intent.amount_minor, intent.currency)
    if amount is not None and amount != asked.major:
        return "another amount than was asked for"
    if intent.result_code == PAID:
        known = find_receipt(session, number, intent.provider, shortcode)
        if known is None or known.intent_id != intent.id:
            # An attempt is paid once. Should this money be real, the PayBill's confirmation or the pull brings it.
            return "another receipt than the attempt's"
    connection = session.get_one(Connection, intent.connection_id)
    when = paid_at or now()
    paid = MoneyIn(number, asked, intent.phone, connection.account_no, when, connection, intent.id, intent.provider,
                   shortcode)  # fmt: skip
    credited = credit(session, paid)
    if credited is Credit.CONTRADICTED:
        return "its receipt is known as other money"
    if intent.state == "paid":
        # A receipt that was only guessed to be this attempt's gives way to the one that its callback names.
        others = update(Receipt).where(Receipt.intent_id == intent.id, Receipt.receipt != number.upper())
        session.execute(others.values(intent_id=None))
    said = {"result_code": PAID, "result_text": text, **(named or {})}
    if not move(session, intent.id, "paid", BEFORE_PAID, next_poll_at=None, **said):
        for name, value in said.items():
            setattr(intent, name, value)
    return credited


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
    amount, paybill = Money(intent.amount_minor, intent.currency), settings().mpesa_shortcode
    said = failure_text(cause_of(intent.provider, code), amount, connection.account_no, paybill, intent.provider)
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


@settles("paybill")
def _settle_confirmation(session: Session, notice: Notice) -> None:
    enter_payment(session, notice, read_paybill(notice.body))


@settles("pull")
def _settle_pulled(session: Session, notice: Notice) -> None:
    enter_payment(session, notice, read_row(notice.body))


def enter_payment(session: Session, notice: Notice, payment: PaybillPayment) -> None:
    """Money that the customer sent herself cannot be refused, it is ours already: to the account, or to suspense."""
    ours = settings()
    if not is_ours(payment.shortcode):
        return conclude(notice, "quarantined", "another short code than ours")
    try:
        amount = Money.of(payment.amount, ours.currency)
    except ValueError:
        return conclude(notice, "quarantined", "an amount that is not one")
    connection = find_typed(session, payment.account)
    # Its twin is locked before the receipt is posted, as the push's callback does: so that the two never deadlock.
    twin = _receiptless(session, connection, amount) if connection else None
    said = payment.account.strip()
    paid = MoneyIn(payment.receipt, amount, payment.phone, said, payment.paid_at, connection, payer=payment.name)
    credited = credit(session, paid)
    if credited is Credit.CONTRADICTED:
        return conclude(notice, "quarantined", "its receipt is known as other money")
    receipt = find_receipt(session, payment.receipt) if twin is not None else None
    if twin is not None and receipt is not None:
        attach(session, twin, receipt)
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


def attach(session: Session, intent: PaymentIntent, receipt: Receipt) -> bool:
    """A receipt that nobody claims is taken for an attempt's, which is paid then. Both are locked."""
    if receipt.intent_id is not None or receipt.connection_id != intent.connection_id:
        return False
    if not move(session, intent.id, "paid", ["confirmed", "unknown"], next_poll_at=None):
        return False
    receipt.intent_id = intent.id
    return True
