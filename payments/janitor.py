"""The janitor: attempts that have gone silent are asked about, ever more slowly, and after two days left to people.

20 s, 45 s, 90 s, 3 min and 10 min after the prompt went out; then every ten minutes for as long as M-Pesa's list
goes back. What M-Pesa knows no name of, or lacks only its receipt, is looked for in that list instead.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from core.clock import now
from core.database import transaction
from core.outbox import after_commit
from payments import pulling
from payments.intents import move
from payments.models import PaymentIntent, Receipt
from payments.settlement import attach
from payments.wallets import mpesa
from payments.wallets.pace import gap_of

WAITS_S = (25, 45, 90, 420)
"""After the first question, at 20 s for M-Pesa: within the five queries a minute that Daraja's sandbox allows."""
THEN_S = 600
LEFT_TO_PEOPLE = pulling.REACH
SENDING_S = 60
SLOW_S = 2
BATCH = 500


def sweep() -> None:
    """Mark pushes whose sender died, and have the silent ones asked about. Run every few seconds."""
    with transaction() as session:
        _give_up_sending(session)
        _ask_about_silent(session)


def left_to_people() -> ColumnElement[bool]:
    """Holds of an attempt that nothing asks about any more, and of which nobody knows whether money moved."""
    return and_(PaymentIntent.next_poll_at.is_(None), PaymentIntent.state.in_(["unknown", "confirmed"]))


def _give_up_sending(session: Session) -> None:
    stale = (
        select(PaymentIntent.id)
        .where(PaymentIntent.state == "sending", PaymentIntent.updated_at < now() - timedelta(seconds=SENDING_S))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    for intent_id in session.scalars(stale).all():
        why = "the sender died before an answer came"
        move(session, intent_id, "unknown", ["sending"], result_text=why, next_poll_at=now())


def _ask_about_silent(session: Session) -> None:
    due = (
        select(PaymentIntent)
        .where(PaymentIntent.next_poll_at <= now(), PaymentIntent.state.in_(["sent", "unknown", "confirmed"]))
        .order_by(PaymentIntent.next_poll_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    # Where queries are few, the list says sooner what was paid than the question of which there may be only one.
    lacks_receipt, is_slow = False, gap_of(session, mpesa.NAME) > SLOW_S
    for intent in session.scalars(due).all():
        listed = _only_listed(intent)
        if listed and _found(session, intent):
            continue
        lacks_receipt = lacks_receipt or listed or (is_slow and intent.provider == mpesa.NAME)
        if not listed:
            after_commit(session, "payments.query", intent.id)
        _next_time(session, intent)
    if lacks_receipt:
        pulling.read_soon(session)


def _only_listed(intent: PaymentIntent) -> bool:
    """Is M-Pesa's list all that is left to ask? A query gives no receipt, and after a day it gives nothing."""
    if intent.provider != mpesa.NAME:
        return False
    return intent.state == "confirmed" or intent.checkout_request_id is None or intent.polls > len(WAITS_S)


def _found(session: Session, intent: PaymentIntent) -> bool:
    """Has money come for it by another road, that no attempt has claimed?"""
    receipt = session.scalar(
        select(Receipt)
        .where(
            Receipt.connection_id == intent.connection_id,
            Receipt.provider == intent.provider,
            Receipt.amount_minor == intent.amount_minor,
            Receipt.intent_id.is_(None),
            Receipt.created_at >= intent.created_at,
        )
        .order_by(Receipt.id)
        .limit(1)
        .with_for_update()
    )
    return receipt is not None and attach(session, intent, receipt)


def _next_time(session: Session, intent: PaymentIntent) -> None:
    asked = intent.polls
    intent.polls = asked + 1
    if asked < len(WAITS_S):
        intent.next_poll_at = now() + timedelta(seconds=WAITS_S[asked])
        return
    move(session, intent.id, "unknown", ["sent"])
    is_over = intent.created_at < now() - LEFT_TO_PEOPLE
    intent.next_poll_at = None if is_over else now() + timedelta(seconds=THEN_S)
