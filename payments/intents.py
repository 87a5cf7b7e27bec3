"""Asking a customer to pay, and the states of that attempt."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.models import Connection
from core.clock import now
from core.config import settings
from core.money import CURRENCY_DIGITS, Money
from core.phone import Phone
from core.statements import row
from payments.models import PaymentIntent
from payments.urls import callback_url
from payments.wallets.protocol import Attempt, Wallet
from payments.wallets.registry import wallets, wallets_for

REPEAT_S = 120
"""M-Pesa refuses the same amount from the same customer within two minutes (Daraja result code 17), and so do we."""


@dataclass(frozen=True, slots=True)
class Requested:
    """The prompt will be sent; the same `key` again gives the same intent."""

    intent: PaymentIntent


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not: 'amount', 'not_mobile' (no such wallet for this phone) or 'duplicate_recent'."""

    reason: str


# One statement: the conversation waits for it. A wait for a twin's key ends with nothing made here.
ASK = """
    WITH before AS (SELECT id FROM payment_intent WHERE key = $1),
    recent AS (
        SELECT id FROM payment_intent
        WHERE phone = $2 AND amount_minor = $3 AND created_at > $4 AND state <> 'failed' LIMIT 1
    ),
    made AS (
        INSERT INTO payment_intent (token, key, provider, connection_id, phone, amount_minor, currency, state,
                                    created_at, updated_at)
        SELECT $5, $1, $10, $6, $2, $3, $7, 'created', $8, $8
        WHERE NOT EXISTS (SELECT FROM before) AND NOT EXISTS (SELECT FROM recent)
        ON CONFLICT (key) DO NOTHING RETURNING id
    ),
    noted AS (INSERT INTO intent_event (intent_id, state, created_at) SELECT id, 'created', $8 FROM made),
    waiting AS (INSERT INTO outbox (job, subject_id, run_after) SELECT 'payments.push', id, $9 FROM made)
    SELECT coalesce((SELECT id FROM before), (SELECT id FROM made)), EXISTS (SELECT FROM recent)
"""
NOTE = "INSERT INTO intent_event (intent_id, state, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
BY_KEY = "SELECT id FROM payment_intent WHERE key = $1"


def request_payment(
    session: Session, connection_id: int, amount: Money, phone: Phone, key: str, wallet: str | None = None
) -> Requested | Refused:
    """Have the prompt for `amount` (whole units) sent to `phone` once this conversation has ended.

    `wallet` is the one to pay from; None for the one that the phone's network suggests.
    """
    asked = ask_for_payment(session, connection_id, amount, phone, key, wallet)
    return asked if isinstance(asked, Refused) else Requested(session.get_one(PaymentIntent, asked))


def ask_for_payment(
    session: Session, connection_id: int, amount: Money, phone: Phone, key: str, wallet: str | None = None
) -> int | Refused:
    """The same, giving the intent's id."""
    payer = _chosen(phone, wallet)
    reason = _objection(amount, payer)
    if payer is None or reason is not None:
        made = row(session, BY_KEY, key)
        return made[0] if made is not None else Refused(reason or "not_mobile")
    moment = now()
    asked = row(
        session, ASK, key, phone, amount.minor, moment - timedelta(seconds=REPEAT_S), secrets.token_hex(20),
        connection_id, amount.currency, moment, moment + timedelta(seconds=settings().mpesa_push_delay_s), payer.name,
    )  # fmt: skip
    assert asked is not None
    intent_id, is_repeated = asked
    if intent_id is None and is_repeated:
        return Refused("duplicate_recent")
    if intent_id is None:  # another worker was first with the same key
        twin = row(session, BY_KEY, key)
        assert twin is not None
        return int(twin[0])
    return int(intent_id)


def _chosen(phone: Phone, name: str | None) -> Wallet | None:
    """The wallet to pay from, or None where this phone cannot have it."""
    if name is None:
        return next(iter(wallets_for(phone)), None)
    payer = wallets().get(name)
    return payer if payer is not None and payer.takes(phone) else None


def _objection(amount: Money, payer: Wallet | None) -> str | None:
    unit: int = 10 ** CURRENCY_DIGITS[amount.currency]
    if amount.minor % unit or amount.minor < unit or amount.currency != settings().currency:
        return "amount"
    return "amount" if payer is not None and amount.minor > payer.facts.most * unit else None


def attempt_of(session: Session, intent: PaymentIntent) -> Attempt:
    """An intent as its provider needs it, to be kept beyond the transaction."""
    return Attempt(
        reference=intent.reference,
        named=intent.checkout_request_id,
        phone=intent.phone,
        amount=Money(intent.amount_minor, intent.currency),
        account_no=session.get_one(Connection, intent.connection_id).account_no,
        callback_url=callback_url(settings(), intent.provider, intent.token),
    )


def newest_intent(session: Session, connection_id: int) -> PaymentIntent | None:
    """The latest attempt to pay for a connection."""
    return session.scalar(
        select(PaymentIntent)
        .where(PaymentIntent.connection_id == connection_id)
        .order_by(PaymentIntent.id.desc())
        .limit(1)
    )


def move(session: Session, intent_id: int, to: str, come_from: Iterable[str], **values: Any) -> bool:
    """Change the state, where it is one of `come_from`; false where it is another, and nothing has changed."""
    moved = session.scalar(
        update(PaymentIntent)
        .where(PaymentIntent.id == intent_id, PaymentIntent.state.in_(list(come_from)))
        .values(state=to, updated_at=now(), **values)
        .returning(PaymentIntent.id)
        .execution_options(synchronize_session="fetch")
    )
    if moved is None:
        return False
    _note_state(session, intent_id, to)
    return True


def _note_state(session: Session, intent_id: int, state: str) -> None:
    row(session, NOTE, intent_id, state, now())
