"""Messages that customers send: a row at once, an answer by the job behind it."""

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.config import settings
from core.database import transaction
from core.i18n import say
from core.messages import Message, queue_message
from core.outbox import after_commit, job
from core.phone import Phone
from core.text import sms_parts
from flows.keywords import ends_all
from ussd_app.limits import too_many
from ussd_app.texting import answer

log = structlog.get_logger("inbound")


def receive(session: Session, gateway_id: str, phone: Phone, body: str, *, answerable: bool) -> bool:
    """Keep an incoming message and have it answered. False where the gateway brought it before."""
    added = session.execute(
        insert(Message)
        .values(
            direction="in", phone=phone, body=body, kind="inbound", language=settings().default_language,
            gateway_id=gateway_id, status="received", parts=sms_parts(body).parts, created_at=now(),
        )
        # As text: PostgreSQL finds no partial index by a parameter once the statement has become a generic plan.
        .on_conflict_do_nothing(index_elements=["gateway_id"], index_where=text("direction = 'in'"))
        .returning(Message.id)
    ).scalar_one_or_none()  # fmt: skip
    if added is not None and answerable:
        after_commit(session, "inbound.answer", added)
    return added is not None


def reply_key(message_id: int) -> str:
    """The key that makes the answer to a message the only one."""
    return f"answer:{message_id}"


@job("inbound.answer")
def answer_message(message_id: int) -> None:
    """Answer an incoming message once; run again after a crash, it finds how far it had come."""
    with transaction() as session:
        message = session.get_one(Message, message_id)
        if session.scalar(select(Message.id).where(Message.key == reply_key(message_id))) is not None:
            return
    refused = None if ends_all(message.body) else too_many(message.phone, "messages")  # STOP is always heard
    if refused is not None:
        if refused.first:  # one answer says it; more would only feed a machine that answers ours
            reply_with(message, say(refused.sentence, message.language), message.language)
        return
    reply = answer(message.phone, message_id, message.body)
    reply_with(message, reply.text, reply.language)


def reply_with(message: Message, text: str, language: str) -> None:
    """Queue the only answer to a message."""
    with transaction() as session:
        queue_message(session, message.phone, text, "answer", key=reply_key(message.id), language=language)
