"""What the gateway's word on a message does to its row, to its number and to the queue."""

from datetime import timedelta

from sqlalchemy.orm import Session

from core.clock import now
from core.message_bulk import BulkSend
from core.message_failures import note_failure
from core.message_hold import hold
from core.messages import Message, wake
from ussd_app.gateways.any_sms import Accepted, NotSent, Outcome, Refused, Unclear

MOST_TRIES = {"message": 8, "gateway": 30}
"""After how many tries a message is given up: refused for itself, or at a gateway that is out of reach for hours."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)


def settle(session: Session, gateway: str, message: Message, outcome: Outcome) -> None:
    """Write down what the gateway said. A delivery report may have come before its answer, and knows better."""
    if isinstance(outcome, Accepted | Unclear):
        message.gateway_id = message.gateway_id or outcome.gateway_id or None
    if message.status == "unknown" and isinstance(outcome, Accepted):
        message.status = "sending"  # it was given up for lost while its answer was on the way
    if message.status != "sending":
        return
    match outcome:
        case Accepted():
            message.status, message.failure_reason = "sent", None
        case Refused(reason):
            message.status, message.failure_reason, message.final_at = "failed", reason, now()
            note_failure(session, message.phone, reason)
        case NotSent():
            _again(session, gateway, message, outcome)
        case Unclear(reason):
            message.status, message.failure_reason = "unknown", reason


def _again(session: Session, gateway: str, message: Message, refusal: NotSent) -> None:
    """Put it back, for later; given up after enough tries. Where the account is at fault no try is counted."""
    message.status, message.failure_reason = "queued", refusal.reason
    message.sent_at, message.gateway_id, message.batched = None, None, False
    if refusal.fault != "account":
        message.tries += 1
        if message.tries >= MOST_TRIES[refusal.fault]:
            message.status, message.final_at = "failed", now()
            message.failure_reason = f"gave up: {refusal.reason}"
    if refusal.fault == "message":
        message.send_after = now() + min(FIRST_WAIT * 2 ** (message.tries - 1), LONGEST_WAIT)
    else:
        message.send_after = hold(session, gateway, refusal.fault, refusal.reason)
    if message.bulk_id is not None and session.get_one(BulkSend, message.bulk_id).status == "cancelled":
        message.status, message.failure_reason, message.final_at = "skipped", "withdrawn", now()
    if message.status == "queued":
        wake(session, message.send_after)
