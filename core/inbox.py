"""What customers wrote and no keyword understood: the office reads it and answers."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.messages import Message
from core.phone import Phone


def pass_to_office(session: Session, message_id: int) -> bool:
    """Put an incoming message before the office. False where it is none, or was there before."""
    passed = session.scalar(
        update(Message)
        .where(Message.id == message_id, Message.direction == "in", Message.inbox.is_(None))
        .values(inbox="open")
        .returning(Message.id)
    )
    return passed is not None


def waiting(session: Session) -> int:
    """How many messages wait for the office."""
    return session.scalar(select(func.count()).select_from(Message).where(Message.inbox == "open")) or 0


def settle(session: Session, phone: Phone, how: Literal["answered", "closed"], by: str, *, up_to: int) -> int:
    """Mark what `phone` wrote as answered or closed, up to the message that was on the screen; how many there were.

    A message that came in the meantime stays open.
    """
    settled = session.scalars(
        update(Message)
        .where(Message.phone == phone, Message.inbox == "open", Message.id <= up_to)
        .values(inbox=how, inbox_by=by)
        .returning(Message.id)
    )
    return len(settled.all())


def talk(session: Session, phone: Phone, *, limit: int = 30) -> Sequence[Message]:
    """The latest messages of a phone in both directions, the oldest first."""
    latest = session.scalars(
        select(Message).where(Message.phone == phone).order_by(Message.id.desc()).limit(limit)
    ).all()
    return latest[::-1]
