"""Outgoing messages: the job that sends one."""

from datetime import datetime
from functools import cache

import structlog

from core.clock import now
from core.config import settings
from core.database import transaction
from core.messages import Message
from core.outbox import job
from core.phone import mask
from ussd_app.gateways.africastalking_sms import Accepted, NotSent, Outcome, Refused, SmsGateway, Unclear
from ussd_app.jobs import TryLater

log = structlog.get_logger("sms")


@cache
def gateway() -> SmsGateway:
    return SmsGateway(settings())


@job("messages.send")
def send(message_id: int) -> None:
    """Send a queued message. Committed as 'sending' before the call, so a crash in between leaves it 'unknown'."""
    message = _begun(message_id)
    if message is None:
        return
    outcome = gateway().send(message.phone, message.body)
    with transaction() as session:
        sent = session.get_one(Message, message_id, with_for_update=True)
        _settle(sent, outcome, now())
    if isinstance(outcome, NotSent):
        raise TryLater(outcome.reason)
    if not isinstance(outcome, Accepted):
        log.warning("sms.not_accepted", message_id=message_id, phone=mask(message.phone), reason=outcome.reason)


def _begun(message_id: int) -> Message | None:
    """The message, now 'sending'; None where there is nothing to send."""
    with transaction() as session:
        message = session.get_one(Message, message_id, with_for_update=True)
        if message.status == "sending":
            # An earlier attempt died between the call and its answer. It is not sent again blindly.
            message.status, message.failure_reason = "unknown", "the sender stopped before the answer came"
            return None
        if message.status != "queued" or message.direction != "out":
            return None
        message.status, message.sent_at = "sending", now()
        return message


def _settle(message: Message, outcome: Outcome, moment: datetime) -> None:
    """Write down what the gateway said. A delivery report may have come before its answer, and knows better."""
    if isinstance(outcome, Accepted):
        message.gateway_id = message.gateway_id or outcome.gateway_id or None
    if message.status != "sending":
        return
    match outcome:
        case Accepted():
            message.status = "sent"
        case Refused(reason):
            message.status, message.failure_reason, message.final_at = "failed", reason, moment
        case NotSent(reason):
            message.status, message.failure_reason, message.sent_at = "queued", reason, None
        case Unclear(reason):
            message.status, message.failure_reason = "unknown", reason
