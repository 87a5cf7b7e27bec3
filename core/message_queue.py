"""The queue of outgoing messages: what is due, in which order, and to whom it is not sent after all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.clock import now
from core.config import settings
from core.message_failures import flagged_among
from core.message_hold import held
from core.messages import LATER, PRIORITIES, Message, wake
from core.opt_outs import stopped_among
from core.phone import Phone

ORDER = sorted({1, *PRIORITIES.values()})
SOON = timedelta(seconds=0.5)


@dataclass(slots=True)
class Consignment:
    """Messages of one text for one call: their ids and our references, by phone."""

    body: str
    ids: dict[Phone, int] = field(default_factory=dict)
    references: dict[Phone, str] = field(default_factory=dict)


def take_due(session: Session, limit: int, *, calls: int, at_once: int, names: bool) -> tuple[list[Consignment], int]:
    """Take up to `limit` messages that are due, as `calls` consignments at most, and mark them as being sent.

    The second figure is how many were looked at: 0 says that nothing is due. Only bulk messages, which are alike,
    share a consignment, of `at_once` at most. `names`: the gateway takes message ids of ours.
    """
    due = _due(session, limit)
    unwanted = _unwanted(session, [message for message in due if message.priority >= LATER])
    consignments: dict[tuple[object, ...], Consignment] = {}
    for message in due:
        if message.phone in unwanted and message.priority >= LATER:
            message.status, message.failure_reason, message.final_at = "skipped", unwanted[message.phone], now()
            continue
        alike = (message.bulk_id, message.body) if message.bulk_id else (None, message.id)
        one = consignments.get(alike)
        if one is None or len(one.ids) >= at_once or message.phone in one.ids:
            if len(consignments) >= calls:
                continue
            one = consignments[alike] = Consignment(message.body)
        reference = begin(message, names=names)
        message.batched = True
        one.ids[message.phone], one.references[message.phone] = message.id, reference
    session.flush()
    return list(consignments.values()), len(due)


def begin(message: Message, *, names: bool) -> str:
    """Mark a message as being sent; returns our own id for this attempt. A crash from here on leaves it unclear."""
    reference = f"mita-{message.id}-{token_hex(6)}"
    message.status, message.sent_at = "sending", now()
    message.gateway_id = reference if names else None
    return reference


def _due(session: Session, limit: int) -> list[Message]:
    """The most urgent first. One look for each priority, so that a full queue behind costs nothing."""
    moment = now()
    found: list[Message] = []
    for priority in ORDER:
        if len(found) >= limit or (priority >= LATER and not settings().sending_hours().open_at(moment)):
            break
        found += session.scalars(
            select(Message)
            .where(Message.status == "queued", Message.priority == priority, Message.send_after <= moment)
            .order_by(Message.send_after, Message.id)
            .limit(limit - len(found))
            .with_for_update(skip_locked=True)
        )
    return found


def _unwanted(session: Session, messages: Sequence[Message]) -> dict[Phone, str]:
    """Phones that are sent nothing of this kind, and why."""
    phones = {message.phone for message in messages}
    if not phones:
        return {}
    return dict.fromkeys(flagged_among(session, phones), "flagged") | dict.fromkeys(
        stopped_among(session, phones), "stopped"
    )


def adopt_orphans(session: Session) -> int:
    """What a drain that died had in its hands may have been sent, and is not sent again. Call it as the only drain."""
    adopted = session.scalars(
        update(Message)
        .where(Message.status == "sending", Message.batched)
        .values(status="unknown", failure_reason="died")
        .returning(Message.id)
    )
    return len(adopted.all())


def wake_when_due(session: Session, gateway: str) -> None:
    """Have the drain come back when the next message is due, if any waits."""
    moment, hours = now(), settings().sending_hours()
    first = []
    for priority in ORDER:
        earliest = session.scalar(
            select(func.min(Message.send_after)).where(Message.status == "queued", Message.priority == priority)
        )
        if earliest is not None:
            at = max(earliest, moment)
            first.append(hours.opening(at) if priority >= LATER else at)
    if not first:
        return
    hold = held(session, gateway)
    wake(session, max(min(first), hold.next_try_at if hold else moment, moment + SOON))
