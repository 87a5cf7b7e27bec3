"""A message of the office to many: drafted, counted, confirmed, then queued in batches, each person once."""

from collections.abc import Mapping

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.audiences import Audience, Estimate, estimate, people, text_for
from core.clock import now
from core.config import settings
from core.message_bulk import FILL, BulkSend
from core.messages import PRIORITIES, Message, wake_after_commit
from core.outbox import after_commit
from core.text import sms_parts

BATCH = 1000


def draft(session: Session, title: str, audience: Audience, texts: Mapping[str, str], by: str) -> BulkSend:
    """Keep it, sent to nobody yet. The texts are kept as they were written, by language; empty ones are left out."""
    bulk = BulkSend(
        title=title, audience=audience.as_json(), texts={lang: text for lang, text in texts.items() if text},
        created_at=now(), created_by=by,
    )  # fmt: skip
    session.add(bulk)
    session.flush()
    return bulk


def counted(session: Session, bulk: BulkSend) -> Estimate:
    """What it would take if it were confirmed now."""
    return estimate(session, Audience.of(bulk.audience), bulk.texts)


def confirm(session: Session, bulk_id: int, by: str) -> BulkSend | None:
    """Have it sent; None where it is no draft any more."""
    bulk = session.get(BulkSend, bulk_id, with_for_update=True, populate_existing=True)
    if bulk is None or bulk.status != "draft":
        return None
    expected = counted(session, bulk)
    bulk.status, bulk.confirmed_at, bulk.confirmed_by = "filling", now(), by
    bulk.recipients, bulk.parts, bulk.price = expected.recipients, expected.parts, settings().sms_price
    after_commit(session, FILL, bulk.id)
    return bulk


def fill(session: Session, bulk_id: int, *, batch: int = BATCH) -> bool:
    """Queue the next people's messages; whether there may be more. Run twice or at once, each is queued once."""
    bulk = session.get(BulkSend, bulk_id, with_for_update=True, populate_existing=True)
    if bulk is None or bulk.status != "filling":
        return False
    found = people(session, Audience.of(bulk.audience), after=bulk.filled_to, limit=batch)
    moment = now()
    due = settings().sending_hours().opening(moment)
    rows = [
        {
            "direction": "out", "phone": phone, "body": body, "kind": "bulk", "key": f"bulk:{bulk.id}:{phone}",
            "language": language, "status": "queued", "parts": sms_parts(body).parts, "created_at": moment,
            "priority": PRIORITIES["bulk"], "send_after": due, "bulk_id": bulk.id,
        }
        for _, phone, language in found
        if (body := text_for(language, bulk.texts))
    ]  # fmt: skip
    if rows:
        session.execute(insert(Message).values(rows).on_conflict_do_nothing(index_elements=["key"]))
        wake_after_commit(session)
    if found:
        bulk.filled_to = found[-1].id
    if len(found) < batch:
        bulk.status = "sending"
    return bulk.status == "filling"


def cancel(session: Session, bulk_id: int) -> bool:
    """Stop it: what is not sent yet is not sent. False where there was nothing to stop."""
    bulk = session.get(BulkSend, bulk_id, with_for_update=True, populate_existing=True)
    if bulk is None or bulk.status == "cancelled":
        return False
    bulk.status = "cancelled"
    session.execute(
        update(Message)
        .where(Message.bulk_id == bulk_id, Message.status == "queued")
        .values(status="skipped", failure_reason="withdrawn", final_at=now())
    )
    return True


def progress(session: Session, bulk_id: int) -> dict[str, int]:
    """How many of its messages are in each state."""
    rows = session.execute(
        select(Message.status, func.count()).where(Message.bulk_id == bulk_id).group_by(Message.status)
    )
    return dict(rows.tuples().all())
