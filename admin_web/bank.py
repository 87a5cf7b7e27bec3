"""Bank statements: a file, its columns, a preview, the import; and what each line was taken for."""

import base64
import binascii

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, officer, page
from admin_web.paging import listed
from billing.customers import find_connection
from payments.bank_files import FIELDS, guessed, read_sheet
from payments.bank_statement import (
    BankRefusal,
    Preview,
    accounts,
    channel_of,
    decide_line,
    import_statement,
    open_lines,
    preview,
    remembered,
)
from payments.matching_models import BankImport, BankLine
from payments.models import Receipt
from payments.receipts import label_of
from payments.wallets.registry import wallets

MOST_BYTES = 350_000
SHOWN = 15
KINDS = {
    "slip": "Slip of an office receipt", "cheque": "Cheque of an office receipt", "returned": "Cheque returned",
    "payment": "Customer's payment", "suspense": "In suspense", "channel": "Paid out to us", "charge": "Bank charge",
    "ignored": "In the books already",
}  # fmt: skip
WHY_NOT = {
    "file": "There is no table in this file. Export the statement as CSV.", "known": "This file was imported before.",
    "empty": "There is no line in this file.", "decided": "It was decided already.",
    "kind": "That does not fit this line.", "note": "Say where it is in the books.",
}  # fmt: skip


@page("/bank", roles=DESK)
def bank(session: Session) -> ResponseReturnValue:
    """What nobody has decided yet, and the statements that were read."""
    found = listed(session, select(BankImport), [BankImport.id], newest_first=True)
    lines = open_lines(session)
    return render_template(
        "office/bank.html", found=found, lines=lines, likely={line.id: channel_of(line) for line in lines},
        accounts=accounts(), channels={name: label_of(name) for name in wallets()} | {"office": "The office's safe"},
    )  # fmt: skip


@page("/bank/new", roles=MONEY, methods=("GET", "POST"), repeatable=True)
def new_statement(session: Session) -> ResponseReturnValue:
    """Choose the file and its columns, and see what it would do. Nothing is kept here."""
    account = request.values.get("account", accounts()[0])
    if account not in accounts():
        abort(404)
    data = _sent() if request.method == "POST" else b""
    sheet = read_sheet(data) if data else None
    columns, read, why = {}, None, ""
    if request.method == "POST":
        if sheet is None:
            why = "Choose a CSV file of at most 350 kB." if not data else WHY_NOT["file"]
        else:
            columns = _columns(session, account, sheet.header)
            read = preview(account, data, columns)
            why = _words(read) if isinstance(read, BankRefusal) else ""
    return render_template(
        "office/bank_new.html", account=account, accounts=accounts(), sheet=sheet, columns=columns, fields=FIELDS,
        preview=read if isinstance(read, Preview) else None, why=why, name=_name(), shown=SHOWN,
        data=base64.b64encode(data).decode(),
    ), 422 if why else 200  # fmt: skip


@page("/bank/import", roles=MONEY, methods=("POST",))
def import_bank(session: Session) -> ResponseReturnValue:
    """Keep the lines that were seen in the preview."""
    account, data = request.form.get("account", ""), _sent()
    if account not in accounts() or not data:
        abort(400)
    columns = {field: request.form.get(f"column-{field}", "") for field in FIELDS}
    done = import_statement(session, account, _name(), data, columns, officer().actor)
    if isinstance(done, BankRefusal):
        flash(_words(done), "bad")
        return redirect(url_for("office.bank"), 303)
    known = f" {done.known} were known from an earlier statement." if done.known else ""
    flash(f"{done.lines} lines are kept.{known}", "good")
    return redirect(url_for("office.bank_import", import_id=done.id), 303)


@page("/bank/imports/<int:import_id>", roles=DESK)
def bank_import(session: Session, import_id: int) -> ResponseReturnValue:
    """The lines of one statement and what each was taken for."""
    made = session.get(BankImport, import_id) or abort(404)
    lines = select(BankLine).where(BankLine.import_id == made.id)
    found = listed(session, lines, [BankLine.id])
    ids = [line.receipt_id for line in found.rows if line.receipt_id]
    receipts = {one.id: one.receipt for one in session.scalars(select(Receipt).where(Receipt.id.in_(ids)))}
    return render_template("office/bank_import.html", made=made, found=found, kinds=KINDS, receipts=receipts)


@page("/bank/lines/<int:line_id>", roles=MONEY, methods=("POST",))
def decide_bank_line(session: Session, line_id: int) -> ResponseReturnValue:
    """Somebody says what a line is."""
    line = session.get(BankLine, line_id) or abort(404)
    kind, _, channel = request.form.get("what", "").partition(":")
    note = request.form.get("note", "")
    place = find_connection(session, note) if kind == "payment" else None
    done = decide_line(session, line.id, kind, officer().actor, channel=channel, note=note, connection=place)
    if isinstance(done, BankRefusal):
        flash("Write the account that it is for." if kind == "payment" else WHY_NOT[done.kind], "bad")
    else:
        flash("It is in the books.", "good")
    return redirect(url_for("office.bank"), 303)


def _columns(session: Session, account: str, header: tuple[str, ...]) -> dict[str, str]:
    """What the form says, else what was remembered of this account, else what the names suggest."""
    if "column-date" in request.form:
        return {field: request.form.get(f"column-{field}", "") for field in FIELDS}
    kept = remembered(session, account)
    return kept if kept and set(filter(None, kept.values())) <= set(header) else guessed(header)


def _sent() -> bytes:
    """The file, or what the page before carried of it."""
    file = request.files.get("file")
    if file is not None and file.filename:
        data = file.read(MOST_BYTES + 1)
        return data if len(data) <= MOST_BYTES else b""
    try:
        return base64.b64decode(request.form.get("data", ""), validate=True)[:MOST_BYTES]
    except binascii.Error:
        abort(400)


def _name() -> str:
    file = request.files.get("file")
    return (file.filename or "") if file is not None and file.filename else request.form.get("name", "")[:100]


def _words(refused: BankRefusal) -> str:
    return refused.why or WHY_NOT[refused.kind]
