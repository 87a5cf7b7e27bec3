"""Delivery reports: what the gateway says became of a message of ours."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.message_failures import clear, note_failure
from core.messages import Message
from core.phone import Phone

ADOPTION = timedelta(hours=24)  # how long after sending a report may name a message whose id we never learnt
FINAL = {"Success": "delivered", "Failed": "failed", "Rejected": "failed", "Expired": "failed"}


def report(session: Session, gateway_id: str, phone: Phone | None, status: str, reason: str) -> bool:
    """Take in a delivery report: late, doubled or out of order. False where no message is meant by it.

    A final state stays, except that proof of delivery outdoes a failure.
    """
    message = session.scalars(
        select(Message).where(Message.gateway_id == gateway_id, Message.direction == "out").with_for_update()
    ).first() or _unnamed(session, phone)
    if message is None:
        return False
    message.gateway_id = gateway_id
    if message.status == "delivered":
        return True
    state = FINAL.get(status)
    if state == "delivered":
        message.status, message.final_at, message.failure_reason = state, now(), None
        clear(session, message.phone)
    elif state == "failed" and message.status != "failed":
        message.status, message.final_at, message.failure_reason = state, now(), reason or status
        note_failure(session, message.phone, reason)
    elif state is None and message.status in ("sending", "unknown"):
        message.status, message.failure_reason = "sent", None
    return True


def _unnamed(session: Session, phone: Phone | None) -> Message | None:
    """The one message to `phone` whose answer was lost or is still to come; None where it could be several."""
    if phone is None:
        return None
    waiting = session.scalars(
        select(Message)
        .where(
            Message.direction == "out",
            Message.phone == phone,
            Message.gateway_id.is_(None),
            Message.status.in_(("sending", "unknown")),
            Message.sent_at > now() - ADOPTION,
        )
        .limit(2)
        .with_for_update()
    ).all()
    return waiting[0] if len(waiting) == 1 else None
