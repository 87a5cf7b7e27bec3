"""The inbox of provider notices: each is kept whole before it is answered, and worked on after."""

import hashlib
import json
from collections.abc import Mapping

import structlog
from sqlalchemy.orm import Session

from core.clock import now
from core.outbox import after_commit
from core.statements import row, written
from payments.models import Notice

log = structlog.get_logger("payments")
KEPT_HEADERS = ("content-type", "user-agent", "x-forwarded-for", "x-request-id")

# The provider waits for it, so the notice and its work are one statement.
KEEP = """
    WITH kept AS (
        INSERT INTO notice (provider, kind, token, body, headers, remote_addr, digest, received_at)
        VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8) RETURNING id
    ),
    work AS (INSERT INTO outbox (job, subject_id, run_after) SELECT 'payments.settle', id, $8 FROM kept)
    SELECT id FROM kept
"""


def store_notice(
    session: Session, kind: str, body: bytes, *, token: str | None, headers: Mapping[str, str], remote_addr: str,
    provider: str = "mpesa",
) -> Notice:  # fmt: skip
    """Keep a notice of `kind` ("stk", "paybill") and have it settled after the commit."""
    kept = {name.lower(): value[:500] for name, value in headers.items() if name.lower() in KEPT_HEADERS}
    moment, digest = now(), hashlib.sha256(body).hexdigest()
    made = row(session, KEEP, provider, kind, token, body, json.dumps(kept), remote_addr, digest, moment)
    assert made is not None
    notice = Notice(
        id=made[0], provider=provider, kind=kind, token=token, body=body, headers=kept, remote_addr=remote_addr,
        digest=digest, received_at=moment, outcome=None, note=None, processed_at=None, replays=0, replayed_by=None,
    )  # fmt: skip
    return written(session, notice)


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
