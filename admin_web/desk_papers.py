"""An office receipt on paper, and a cheque that the bank did not pay."""

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, officer, page
from admin_web.forms import Form, FormSchema, read, word
from admin_web.suspense import WHY_NOT
from payments.approvals import MoneyRefusal
from payments.cashier import bounce
from payments.desk_models import DeskPayment
from payments.models import Receipt


class BounceForm(FormSchema):
    reason = word(200)


@page("/payments/receipts/<int:receipt_id>/paper", roles=DESK)
def receipt_paper(session: Session, receipt_id: int) -> ResponseReturnValue:
    """The receipt as PDF, for a roll of 80 mm; printed as often as asked, always the same."""
    from payments.receipt_paper import receipt_pdf

    one = session.get(Receipt, receipt_id) or abort(404)
    answer = make_response(receipt_pdf(session, one))
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{one.receipt}.pdf"'
    return answer


@page("/payments/receipts/<int:receipt_id>/bounce", roles=MONEY, methods=("GET", "POST"))
def bounce_cheque(session: Session, receipt_id: int) -> ResponseReturnValue:
    """The bank did not pay a cheque: what it credited is taken back."""
    one = session.get(Receipt, receipt_id) or abort(404)
    desk = session.get(DeskPayment, one.id)
    if desk is None or desk.method != "cheque":
        abort(404)
    form = Form()
    if request.method == "POST":
        form = read(BounceForm(), request.form)
        if form.fine:
            done = bounce(session, one.id, form.values["reason"], officer().actor)
            if not isinstance(done, MoneyRefusal):
                flash("What the cheque paid is owed again, and the customer is told.", "good")
                return redirect(url_for("office.receipt", receipt_id=one.id), 303)
            form.refuse("form", WHY_NOT[done.kind])
    return render_template("office/bounce.html", receipt=one, desk=desk, form=form), 200 if form.fine else 422
