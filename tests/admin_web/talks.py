"""Conversations as the archive keeps them, made for the office's pages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.orm import Session

from core.clock import now
from core.conversations import Conversation, ConversationHop
from core.phone import Phone

PHONE = Phone("+254700000001")
Seen = tuple[str, str, int]
"""A screen's name, what stood on it, and after how many seconds it came up."""

MENU: Seen = ("choose:read|pay", "CON Maji Safi Water\nWanjiku\n1. Read my meter\n2. Pay", 0)
AMOUNT: Seen = ("ask:amount", "CON Amount in KES:\n0. Back", 8)
DONE: Seen = ("end", "END Enter your M-Pesa PIN when asked.", 30)


def talk(
    session: Session, *seen: Seen, outcome: str = "completed", flow: str = "pay", began: datetime | None = None,
    **changed: object,
) -> Conversation:  # fmt: skip
    """A conversation of these screens; it is committed."""
    began = began or now() - timedelta(minutes=5)
    values: dict[str, object] = {
        "channel": "ussd", "provider": "africastalking", "phone": PHONE, "service_code": "*384*7#",
        "network": "63902", "language": "sw", "session_id": f"ATUid_{uuid4().hex}",
    } | changed  # fmt: skip
    kept = Conversation(
        started_at=began, ended_at=began + timedelta(seconds=seen[-1][2]), outcome=outcome, hops=len(seen), flow=flow,
        last_screen=seen[-1][0], **values,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    session.add_all(_hops(kept.id, began, seen))
    session.commit()
    return kept


def _hops(conversation_id: int, began: datetime, seen: Sequence[Seen]) -> list[ConversationHop]:
    names = [screen for screen, _, _ in seen]
    return [
        ConversationHop(
            conversation_id=conversation_id, position=position, said=str(position or ""), reply=reply, screen=screen,
            at=began + timedelta(seconds=after), ms=12, first=screen not in names[:position],
            waited_s=seen[position + 1][2] - after if position + 1 < len(seen) else None,
        )
        for position, (screen, reply, after) in enumerate(seen)
    ]  # fmt: skip
