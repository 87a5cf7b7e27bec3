"""The janitor: pushes that have gone silent are asked about, a few times and ever more slowly, then left to people."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.database import transaction
from core.outbox import after_commit
from payments.intents import move
from payments.models import PaymentIntent

FIRST_POLL_S = 20
WAITS_S = (25, 45, 90, 420)
"""After 20 s, 45 s, 90 s, 3 min and 10 min: within the five queries a minute that Daraja's sandbox allows."""
SENDING_S = 60
BATCH = 100


def sweep() -> None:
    """Mark pushes whose sender died, and have the silent ones asked about. Run every few seconds."""
    with transaction() as session:
        _give_up_sending(session)
        _ask_about_silent(session)


def _give_up_sending(session: Session) -> None:
    stale = (
        select(PaymentIntent.id)
        .where(PaymentIntent.state == "sending", PaymentIntent.updated_at < now() - timedelta(seconds=SENDING_S))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    for intent_id in session.scalars(stale).all():
        why = "the sender died before M-Pesa's answer"
        move(session, intent_id, "unknown", ["sending"], result_text=why, next_poll_at=now())


def _ask_about_silent(session: Session) -> None:
    due = (
        select(PaymentIntent)
        .where(PaymentIntent.next_poll_at <= now(), PaymentIntent.state.in_(["sent", "unknown", "confirmed"]))
        .order_by(PaymentIntent.next_poll_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    for intent in session.scalars(due).all():
        # Without a CheckoutRequestID there is nothing to ask about, and after a "paid" only the receipt is missing.
        nameless = intent.provider == "mpesa" and (intent.state == "confirmed" or intent.checkout_request_id is None)
        after_commit(session, "payments.pull" if nameless else "payments.query", intent.id)
        asked = intent.polls
        intent.polls = asked + 1
        if asked < len(WAITS_S):
            intent.next_poll_at = now() + timedelta(seconds=WAITS_S[asked])
        else:
            intent.next_poll_at = None
            move(session, intent.id, "unknown", ["sent"])
