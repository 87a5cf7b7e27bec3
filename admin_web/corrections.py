"""Corrections that wait for a second person, those in the books, and invoices made void."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import BILLING, DEBTS, DESK, officer, page
from admin_web.forms import Form, FormSchema, read, word
from admin_web.paging import listed
from admin_web.places import account_numbers
from billing.models import Adjustment, Invoice
from billing.notes import NoteRefusal, decide, void
from billing.runs import REASONS, RunRefusal
from billing.single_bills import bill_one

KINDS = {
    "credit_note": "Credit note", "debit_note": "Debit note", "adjustment": "Adjustment", "write_off": "Write-off",
    "void": "Void invoice",
}  # fmt: skip
SHOWS = {"proposed": "To decide", "posted": "In the books", "rejected": "Rejected"}
WHY_NOT = {
    "state": "It was decided already.", "same_person": "Another person has to approve what you proposed.",
    "later_bill": "A newer invoice stands on it. Make that one void first.",
    "not_issued": "This invoice is not in force.", "proposed": "It waits for a second person already.",
    "reason": "Say why.",
}  # fmt: skip


class VoidForm(FormSchema):
    reason = word(200)
    anew = word(3, required=False)


@page("/corrections", roles=DESK)
def corrections(session: Session) -> ResponseReturnValue:
    """The latest first."""
    query, show = select(Adjustment), request.args.get("show", "")
    if show in SHOWS:
        query = query.where(Adjustment.status == show)
    found = listed(session, query, [Adjustment.id], newest_first=True)
    accounts = account_numbers(session, [one.connection_id for one in found.rows])
    return render_template(
        "office/corrections.html", found=found, accounts=accounts, kinds=KINDS, show=show, shows=SHOWS
    )


@page("/corrections/<int:adjustment_id>/decide", roles=DEBTS, methods=("POST",))
def decide_correction(session: Session, adjustment_id: int) -> ResponseReturnValue:
    """Approve or reject what somebody else proposed."""
    one = session.get(Adjustment, adjustment_id) or abort(404)
    done = decide(session, one.id, officer().actor, approve=request.form.get("do") == "approve")
    if isinstance(done, NoteRefusal):
        flash(WHY_NOT[done.kind], "bad")
    else:
        flash("It is in the books." if done.status == "posted" else "It is rejected; nothing has changed.", "good")
    return redirect(url_for("office.corrections", show="proposed"), 303)


@page("/invoices/<int:invoice_id>/void", roles=BILLING, methods=("GET", "POST"))
def void_invoice(session: Session, invoice_id: int) -> ResponseReturnValue:
    """Take an invoice back, and bill the month anew if so asked."""
    bill = session.get(Invoice, invoice_id) or abort(404)
    form = Form()
    if request.method == "POST":
        form = read(VoidForm(), request.form)
        if form.fine:
            made = void(session, bill.id, form.values["reason"], officer().actor)
            if not isinstance(made, NoteRefusal):
                return _told(session, made, anew=bool(form.values["anew"]))
            form.refuse("reason", WHY_NOT[made.kind])
    return render_template("office/invoice_void.html", bill=bill, form=form), 200 if form.fine else 422


def _told(session: Session, made: Adjustment, *, anew: bool) -> ResponseReturnValue:
    bill = session.get_one(Invoice, made.invoice_id)
    if made.status == "proposed":
        flash("It is over your limit and waits for a second person.", "note")
        return redirect(url_for("office.corrections", show="proposed"), 303)
    flash(f"The invoice is void, {made.number}.", "good")
    if anew:
        done = bill_one(session, bill.connection_id, bill.period_start, officer().actor)
        if not isinstance(done, RunRefusal):
            flash(f"The month is billed anew: {done.number}.", "good")
            return redirect(url_for("office.invoice", invoice_id=done.id), 303)
        flash(f"It is not billed anew: {REASONS.get(done.kind, 'a run is open, and it will bill it')}.", "note")
    return redirect(url_for("office.invoice", invoice_id=bill.id), 303)
