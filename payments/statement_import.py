"""A statement of M-Pesa's portal: read first, looked at by somebody, and entered when she says so.

Only what the books do not know yet is entered, as a notice of its own for each row; a receipt is credited once,
whichever road it came by.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from core.clock import now
from core.config import settings
from core.database import transaction
from core.money import Money
from core.outbox import after_commit, job
from payments.forms import read_row
from payments.models import Notice, Receipt
from payments.mpesa_models import MpesaStatement, MpesaStatementRow
from payments.notices import store_notice
from payments.settlement import enter_payment, settles
from payments.statement_csv import NoStatement, Row, read_statement
from payments.validation import is_ours
from payments.wallets import mpesa

CHUNK = 500
COMPLETED = "completed"
OURS = ("revers", "settlement", "transfer of funds", "organization", "float")
"""Words of rows by which money came in that no customer paid."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were taken for what, and what those that came in are worth."""

    verdict: str
    rows: int
    amount: Money


def take_in(session: Session, name: str, raw: bytes, by: str) -> MpesaStatement | NoStatement:
    """Keep a statement with what each row is taken for; nothing is entered yet. The same file is the same statement."""
    digest = hashlib.sha256(raw).hexdigest()
    before = session.scalar(select(MpesaStatement).where(MpesaStatement.digest == digest))
    if before is not None:
        return before
    read = read_statement(raw)
    if isinstance(read, NoStatement):
        return read
    if read.shortcode and not is_ours(read.shortcode):
        return NoStatement(f"It is the statement of {read.shortcode}, and ours is {settings().mpesa_shortcode}.")
    statement = MpesaStatement(
        name=name[:100], digest=digest, shortcode=settings().mpesa_shortcode, read_by=by, read_at=now()
    )
    session.add(statement)
    session.flush()
    seen: set[str] = set()
    for first in range(0, len(read.rows), CHUNK):
        rows = read.rows[first : first + CHUNK]
        known = _known(session, [row.receipt for row in rows])
        session.execute(insert(MpesaStatementRow), [_kept(statement.id, row, known, seen) for row in rows])
    return statement


def _known(session: Session, receipts: list[str]) -> dict[str, int]:
    """Receipt -> minor units, of those that the books have."""
    query = select(Receipt.receipt, Receipt.amount_minor).where(
        Receipt.provider == mpesa.NAME, Receipt.shortcode == settings().mpesa_shortcode, Receipt.receipt.in_(receipts)
    )
    return {row.receipt: row.amount_minor for row in session.execute(query)}


def _kept(statement_id: int, row: Row, known: dict[str, int], seen: set[str]) -> dict[str, object]:
    minor = Money.of(row.paid_in - row.withdrawn, settings().currency).minor
    verdict, note = _verdict(row, minor, known, seen)
    if verdict in ("payment", "known", "differs"):
        seen.add(row.receipt)
    return {
        "statement_id": statement_id, "line": row.line, "receipt": row.receipt, "completed_at": row.completed_at,
        "amount_minor": minor, "account_said": row.account, "payer": f"{row.phone} - {row.payer}".strip(" -"),
        "details": row.details, "verdict": verdict, "note": note,
    }  # fmt: skip


def _verdict(row: Row, minor: int, known: dict[str, int], seen: set[str]) -> tuple[str, str]:
    words = f"{row.reason} {row.details}".lower()
    if row.wrong:
        return "unreadable", f"{row.wrong} cannot be read"
    if row.status.lower() != COMPLETED:
        return "failed", f"M-Pesa says: {row.status or 'nothing'}"
    if minor <= 0:
        return ("charge" if "charge" in words else "other"), row.reason
    if any(word in words for word in OURS):
        return "other", row.reason
    if row.receipt in seen:
        return "unreadable", "the same receipt stands on another line"
    if row.receipt not in known:
        return "payment", ""
    ours = Money(known[row.receipt], settings().currency)
    return ("known", "") if ours.minor == minor else ("differs", f"the books say {ours}")


def tallies(session: Session, statement_id: int) -> list[Tally]:
    """What the rows of a statement were taken for, the most important first."""
    query = (
        select(MpesaStatementRow.verdict, func.count(), func.sum(MpesaStatementRow.amount_minor))
        .where(MpesaStatementRow.statement_id == statement_id)
        .group_by(MpesaStatementRow.verdict)
    )
    found = {verdict: (rows, int(minor)) for verdict, rows, minor in session.execute(query)}
    order = ("payment", "differs", "unreadable", "known", "charge", "other", "failed")
    return [Tally(name, found[name][0], Money(found[name][1], settings().currency)) for name in order if name in found]


def enter(session: Session, statement_id: int, by: str) -> bool:
    """Have the payments of a statement entered. False where that was done before."""
    fresh = session.scalar(
        update(MpesaStatement)
        .where(MpesaStatement.id == statement_id, MpesaStatement.entered_at.is_(None))
        .values(entered_by=by, entered_at=now())
        .returning(MpesaStatement.id)
    )
    if fresh is not None:
        after_commit(session, "payments.enter_statement", statement_id)
    return fresh is not None


@job("payments.enter_statement")
def enter_rows(statement_id: int) -> None:
    """Make a notice of each payment, some hundreds at a time; a run after a crash goes on where that one ended."""
    while True:
        with transaction() as session:
            rows = session.scalars(
                select(MpesaStatementRow)
                .where(
                    MpesaStatementRow.statement_id == statement_id,
                    MpesaStatementRow.verdict == "payment",
                    MpesaStatementRow.notice_id.is_(None),
                )
                .order_by(MpesaStatementRow.line)
                .limit(CHUNK)
                .with_for_update()
            ).all()
            _notice(session, rows)
        if len(rows) < CHUNK:
            return


def _notice(session: Session, rows: Iterable[MpesaStatementRow]) -> None:
    for row in rows:
        phone, _, payer = row.payer.rpartition(" - ")
        said = {
            "transactionId": row.receipt, "amount": str(Money(row.amount_minor, settings().currency).major),
            "billreference": row.account_said, "msisdn": phone, "payer": payer,
            "shortcode": settings().mpesa_shortcode,
            "paidAt": row.completed_at.isoformat() if row.completed_at else "",
        }  # fmt: skip
        notice = store_notice(
            session,
            "statement",
            json.dumps(said).encode(),
            token=f"statement:{row.receipt}",
            headers={},
            remote_addr="",
        )
        row.notice_id = notice.id


@settles("statement")
def _settle_row(session: Session, notice: Notice) -> None:
    enter_payment(session, notice, read_row(notice.body))
