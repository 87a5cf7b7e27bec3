"""Messages that customers send: a row at once, an answer by the job behind it."""

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.config import settings
from core.database import transaction
from core.messages import Message, queue_message
from core.outbox import after_commit, job
from core.phone import Phone
from core.text import sms_parts
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
        .on_conflict_do_nothing(index_elements=["gateway_id"], index_where=Message.direction == "in")
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
    reply = answer(message.phone, message_id, message.body)
    with transaction() as session:
        queue_message(session, message.phone, reply.text, "answer", key=reply_key(message_id), language=reply.language)
