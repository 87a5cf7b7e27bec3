"""Statements of M-Pesa's portal: a file, what its rows are, and what became of those that the books lacked."""

from collections.abc import Iterator
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, office, officer, page
from admin_web.paging import listed
from core.clock import now
from payments.janitor import left_to_people
from payments.models import Notice, PaymentIntent, Receipt
from payments.mpesa_models import MpesaStatement, MpesaStatementRow
from payments.pulling import unread_since
from payments.statement_csv import NoStatement
from payments.statement_import import enter, take_in, tallies

MOST_BYTES = 20 * 1024 * 1024
"""A month of a large utility; the office's other forms are short."""
VERDICTS = {
    "payment": ("warn", "Not in the books"), "differs": ("bad", "Another amount"),
    "unreadable": ("bad", "Cannot be read"), "known": ("good", "In the books"), "charge": ("off", "Charge"),
    "other": ("off", "Not a payment"), "failed": ("off", "Failed"),
}  # fmt: skip
OUTCOMES = {"applied": ("good", "Entered"), "duplicate": ("good", "In the books"), "quarantined": ("bad", "Put aside")}
WAITS = ("busy", "Being entered")


def tasks(session: Session) -> Iterator[tuple[str, str, str, str, str, bool]]:
    """What waits for somebody: words, why, where, what to do, its sign, and whether it is urgent."""
    if (since := unread_since(session)) is not None:
        hours = int((now() - since).total_seconds() // 3600)
        yield (
            f"M-Pesa's list was not read for {hours} hours",
            "After 48 hours it forgets. Then payments of which we were not told are in its portal's statement alone.",
            url_for("office.mpesa_statements"), "Read a statement", "warn", True,
        )  # fmt: skip
    if left := session.scalar(select(func.count()).select_from(PaymentIntent).where(left_to_people())):
        yield (
            f"{left:,} payment{'' if left == 1 else 's'} never cleared up",
            "Two days have passed without an answer. The portal's statement says whether money has moved.",
            url_for("office.payments", show="people"), "Look", "payments", True,
        )  # fmt: skip


@office.url_value_preprocessor
def _room(endpoint: str | None, _parts: dict[str, Any] | None) -> None:
    """Said before anything reads the form."""
    if endpoint == "office.read_mpesa_statement":
        request.max_content_length = MOST_BYTES


@page("/payments/statements", roles=DESK)
def mpesa_statements(session: Session) -> ResponseReturnValue:
    """The statements that were read, the latest first, and a form for the next one."""
    return _all(session)


@page("/payments/statements", roles=MONEY, methods=("POST",))
def read_mpesa_statement(session: Session) -> ResponseReturnValue:
    """Read a file. Nothing is entered yet: its page says what would be."""
    sent = request.files.get("file")
    raw = sent.stream.read() if sent else b""
    if not raw:
        return _all(session, "Choose the file that you exported."), 422
    name = (sent.filename if sent else None) or "statement.csv"
    read = take_in(session, name, raw, officer().actor)
    if isinstance(read, NoStatement):
        return _all(session, read.why), 422
    return redirect(url_for("office.mpesa_statement", statement_id=read.id), 303)


def _all(session: Session, wrong: str = "") -> str:
    found = listed(session, select(MpesaStatement), [MpesaStatement.id], newest_first=True)
    return render_template("office/mpesa_statements.html", found=found, wrong=wrong)


@page("/payments/statements/<int:statement_id>", roles=DESK)
def mpesa_statement(session: Session, statement_id: int) -> ResponseReturnValue:
    """What the rows of one statement were taken for, and what became of each that was entered."""
    statement = session.get(MpesaStatement, statement_id) or abort(404)
    counted = tallies(session, statement.id)
    show = request.args.get("show", "") or (counted[0].verdict if counted else "")
    query = select(MpesaStatementRow).where(
        MpesaStatementRow.statement_id == statement.id, MpesaStatementRow.verdict == show
    )
    found = listed(session, query, [MpesaStatementRow.line])
    return render_template(
        "office/mpesa_statement.html",
        statement=statement,
        tallies=counted,
        to_enter=next((tally for tally in counted if tally.verdict == "payment"), None),
        found=found,
        show=show,
        badges={row.line: badge for row, badge in _badges(session, found.rows)},
        receipts=_receipts(session, found.rows),
        verdicts=VERDICTS,
    )


@page("/payments/statements/<int:statement_id>/enter", roles=MONEY, methods=("POST",))
def enter_mpesa_statement(session: Session, statement_id: int) -> ResponseReturnValue:
    """Enter what the books lack; each receipt is credited once, whichever road it came by."""
    statement = session.get(MpesaStatement, statement_id) or abort(404)
    if enter(session, statement.id, officer().actor):
        flash("The payments are being entered. Each row says what became of it.", "good")
    return redirect(url_for("office.mpesa_statement", statement_id=statement.id, show="payment"), 303)


def _badges(session: Session, rows: Any) -> list[tuple[MpesaStatementRow, tuple[str, str, str]]]:
    """Each row with its colour, what it is, and why."""
    ids = [row.notice_id for row in rows if row.notice_id]
    notices = {notice.id: notice for notice in session.scalars(select(Notice).where(Notice.id.in_(ids)))}
    found = []
    for row in rows:
        colour, words = VERDICTS[row.verdict]
        notice, why = notices.get(row.notice_id), row.note
        if notice is not None:
            colour, words = OUTCOMES.get(notice.outcome or "", WAITS)
            why = notice.note or why
        found.append((row, (colour, words, why)))
    return found


def _receipts(session: Session, rows: Any) -> dict[str, int]:
    """Receipt -> its page, of those that are in the books."""
    query = select(Receipt.receipt, Receipt.id).where(
        Receipt.provider == "mpesa", Receipt.receipt.in_([row.receipt for row in rows])
    )
    return {row.receipt: row.id for row in session.execute(query)}
