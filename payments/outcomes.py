"""What a provider says of an attempt when it is asked becomes a state, and money where there is some."""

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from billing.models import Connection
from core.clock import now
from core.money import Money
from core.outbox import after_commit
from payments.intents import move
from payments.models import PaymentIntent
from payments.receipts import Credit, MoneyIn, credit
from payments.settlement import enter_paid, fail
from payments.wallets.protocol import Busy, Failed, Missing, Outcome, Paid, Processing, Wallet

log = structlog.get_logger("payments")
RESEND_WITHIN_S = 120
"""A prompt that comes later than this after she asked for it would only frighten her."""
MISSING = "missing"
BUSY_S = 15


def enter(session: Session, intent: PaymentIntent, wallet: Wallet, outcome: Outcome) -> str:
    """Enter what the status says of an attempt, locked: "applied", "duplicate", "open", or why it cannot be entered."""
    match outcome:
        case Paid(receipt=None):
            moved = move(session, intent.id, "confirmed", ["sent", "unknown"], result_text=outcome.message,
                         next_poll_at=now())  # fmt: skip
            return "applied" if moved else "open"
        case Paid():
            return _paid(session, intent, wallet, outcome)
        case Failed(code, message):
            return _failed(session, intent, wallet, code, message)
        case Missing():
            return _missing(session, intent, wallet)
        case Processing():
            return "open"
        case Busy():
            return _unasked(intent)
        case _:
            log.info("wallet.unclear", wallet=wallet.name, intent_id=intent.id, why=outcome.why)
            return "open"


def _unasked(intent: PaymentIntent) -> str:
    """The question was refused at the gate, so it does not count as one of those that an attempt is worth."""
    intent.polls = max(0, intent.polls - 1)
    if intent.next_poll_at is not None:
        intent.next_poll_at = min(intent.next_poll_at, now() + timedelta(seconds=BUSY_S))
    return "open"


def _paid(session: Session, intent: PaymentIntent, wallet: Wallet, paid: Paid) -> str:
    assert paid.receipt is not None
    asked = Money(intent.amount_minor, intent.currency)
    if paid.amount is not None and paid.amount != asked.major:
        return _paid_otherwise(session, intent, wallet, paid.receipt, Money.of(paid.amount, intent.currency))
    entered = enter_paid(session, intent, paid.receipt, paid.amount, None, paid.message, wallet.shortcode)
    if isinstance(entered, str):
        return entered
    return "applied" if entered is Credit.FRESH else "duplicate"


def _paid_otherwise(session: Session, intent: PaymentIntent, wallet: Wallet, receipt: str, amount: Money) -> str:
    """The provider itself says that she paid another amount: real money, and people decide whose. Nothing is lost."""
    account_no = session.get_one(Connection, intent.connection_id).account_no
    paid = MoneyIn(receipt, amount, intent.phone, account_no, now(), None, provider=wallet.name,
                   shortcode=wallet.shortcode)  # fmt: skip
    credited = credit(session, paid)
    log.warning("wallet.other_amount", wallet=wallet.name, intent_id=intent.id)
    move(session, intent.id, "unknown", ["sending", "sent", "confirmed"], next_poll_at=None)
    intent.next_poll_at, intent.result_text = None, "paid another amount; it lies in suspense"
    return "applied" if credited is Credit.FRESH else "duplicate"


def _failed(session: Session, intent: PaymentIntent, wallet: Wallet, code: str, message: str) -> str:
    """No money moved: believed at once, or at the second time where the provider's word has been seen to be wrong."""
    if wallet.facts.status_is_final or intent.result_code == code:
        return "applied" if fail(session, intent, code, message) else "duplicate"
    intent.result_code, intent.result_text = code, message
    return "open"


def _missing(session: Session, intent: PaymentIntent, wallet: Wallet) -> str:
    """Never heard of: sent again under the same id while she still waits for it, else it has failed."""
    young = now() - intent.created_at < timedelta(seconds=RESEND_WITHIN_S)
    if wallet.facts.resend_is_safe and young:
        if move(session, intent.id, "unknown", ["sent"]) or intent.state in ("sending", "unknown"):
            after_commit(session, "payments.push", intent.id)
        return "open"
    if intent.result_code == MISSING:
        return "applied" if fail(session, intent, MISSING, "the provider does not know it") else "duplicate"
    intent.result_code, intent.result_text = MISSING, "the provider does not know it"
    return "open"
