"""Asking a customer to pay, and the states of that attempt."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.config import settings
from core.money import CURRENCY_DIGITS, Money
from core.outbox import after_commit
from core.phone import Phone
from payments.models import IntentEvent, PaymentIntent

MPESA_MOST = 250_000
REPEAT_S = 120
"""M-Pesa refuses the same amount from the same customer within two minutes (Daraja result code 17)."""


@dataclass(frozen=True, slots=True)
class Requested:
    """The prompt will be sent; the same `key` again gives the same intent."""

    intent: PaymentIntent


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not: 'amount', 'not_mobile' or 'duplicate_recent'."""

    reason: str


def request_payment(session: Session, connection_id: int, amount: Money, phone: Phone, key: str) -> Requested | Refused:
    """Have the M-Pesa prompt for `amount` (whole units) sent to `phone` once this conversation has ended."""
    if made := session.scalar(select(PaymentIntent).where(PaymentIntent.key == key)):
        return Requested(made)
    if reason := _objection(session, amount, phone):
        return Refused(reason)
    intent = session.scalar(
        insert(PaymentIntent)
        .values(
            token=secrets.token_hex(20),
            key=key,
            provider="mpesa",
            connection_id=connection_id,
            phone=phone,
            amount_minor=amount.minor,
            currency=amount.currency,
            state="created",
            created_at=now(),
            updated_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(PaymentIntent)
    )
    if intent is None:  # another worker was first with the same key
        return Requested(session.scalars(select(PaymentIntent).where(PaymentIntent.key == key)).one())
    _note_state(session, intent.id, "created")
    after_commit(session, "payments.push", intent.id, delay_s=settings().mpesa_push_delay_s)
    return Requested(intent)


def _objection(session: Session, amount: Money, phone: Phone) -> str | None:
    unit: int = 10 ** CURRENCY_DIGITS[amount.currency]
    if amount.minor % unit or not unit <= amount.minor <= MPESA_MOST * unit or amount.currency != "KES":
        return "amount"
    if not phone.startswith(("+2547", "+2541")):
        return "not_mobile"
    recent = select(PaymentIntent.id).where(
        PaymentIntent.phone == phone,
        PaymentIntent.amount_minor == amount.minor,
        PaymentIntent.created_at > now() - timedelta(seconds=REPEAT_S),
        PaymentIntent.state != "failed",
    )
    return "duplicate_recent" if session.scalar(recent.limit(1)) else None


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
    row = insert(IntentEvent).values(intent_id=intent_id, state=state, created_at=now())
    session.execute(row.on_conflict_do_nothing(index_elements=["intent_id", "state"]))
