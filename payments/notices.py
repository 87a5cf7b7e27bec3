"""The inbox of provider notices: each is kept whole before it is answered, and worked on after."""

import hashlib
from collections.abc import Mapping

import structlog
from sqlalchemy.orm import Session

from core.clock import now
from core.outbox import after_commit
from payments.models import Notice

log = structlog.get_logger("payments")
KEPT_HEADERS = ("content-type", "user-agent", "x-forwarded-for", "x-request-id")


def store_notice(
    session: Session, kind: str, body: bytes, *, token: str | None, headers: Mapping[str, str], remote_addr: str,
    provider: str = "mpesa",
) -> Notice:  # fmt: skip
    """Keep a notice of `kind` ("stk", "paybill") and have it settled after the commit."""
    kept = {name.lower(): value[:500] for name, value in headers.items() if name.lower() in KEPT_HEADERS}
    notice = Notice(
        provider=provider,
        kind=kind,
        token=token,
        body=body,
        headers=kept,
        remote_addr=remote_addr,
        digest=hashlib.sha256(body).hexdigest(),
        received_at=now(),
    )
    session.add(notice)
    session.flush()
    after_commit(session, "payments.settle", notice.id)
    return notice


def replay(session: Session, notice_id: int, by: str) -> bool:
    """Have a notice settled once more: one that was quarantined, or that nobody has worked on. False for any other."""
    notice = session.get_one(Notice, notice_id, with_for_update=True, populate_existing=True)
    if notice.outcome not in (None, "quarantined"):
        return False
    log.info("notice.replayed", notice_id=notice.id, by=by, was=notice.note)
    notice.outcome, notice.note, notice.processed_at = None, None, None
    notice.replays, notice.replayed_by = notice.replays + 1, by
    after_commit(session, "payments.settle", notice.id)
    return True


def conclude(notice: Notice, outcome: str, note: str = "") -> None:
    """Write down what became of it: 'applied', 'duplicate' or 'quarantined', and why."""
    if outcome == "quarantined":
        log.warning("notice.quarantined", notice_id=notice.id, kind=notice.kind, why=note)
    notice.outcome, notice.note, notice.processed_at = outcome, note or None, now()
