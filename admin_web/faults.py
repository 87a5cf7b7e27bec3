"""Reports of faults: the list, a ticket, and its answer to the customer."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, FIELDWORK, SUPPORT, officer, page
from admin_web.forms import Form, FormSchema, read, word
from admin_web.paging import listed
from admin_web.places import account_numbers
from billing.customers import find_customer
from billing.faults import LONGEST_ANSWER, assign_fault, close_fault
from billing.models import Connection, FaultReport
from billing.pins import clear_pin, is_locked
from core.config import settings
from core.phone import parse_phone

KINDS = {
    "leak": "Leak or burst pipe", "no_supply": "No supply", "low_supply": "Weak supply", "quality": "Bad quality",
    "meter": "Meter", "bill": "Bill", "pin": "Forgotten PIN", "other": "Something else",
}  # fmt: skip
STATES = {"open": ("warn", "Open"), "assigned": ("busy", "Assigned"), "closed": ("off", "Closed")}
SHOWS = {"open": "Open", "assigned": "Assigned", "closed": "Closed"}
CLOSED_BEFORE = "Somebody has closed this report already."


class AnswerForm(FormSchema):
    answer = word(LONGEST_ANSWER)


@page("/faults", roles=EVERYONE)
def faults(session: Session) -> ResponseReturnValue:
    """The latest first; by state, or found by ticket or phone."""
    query, show, asked = select(FaultReport), request.args.get("show", ""), request.args.get("q", "").strip()
    if show in SHOWS:
        query = query.where(FaultReport.status == show)
    if asked:
        phone = parse_phone(asked, settings().region) or ""
        query = query.where(or_(FaultReport.ticket == "".join(asked.split()), FaultReport.phone == phone))
    found = listed(session, query, [FaultReport.id], newest_first=True)
    return render_template(
        "office/faults.html",
        found=found,
        accounts=account_numbers(session, [report.connection_id for report in found.rows]),
        show=show,
        shows=SHOWS,
        asked=asked,
        kinds=KINDS,
        states=STATES,
    )


@page("/faults/<int:fault_id>", roles=EVERYONE)
def fault(session: Session, fault_id: int) -> ResponseReturnValue:
    """One report: who says what about which connection, and what became of it."""
    return _ticket(session, _found(session, fault_id), Form())


@page("/faults/<int:fault_id>/assign", roles=FIELDWORK, methods=("POST",))
def assign_one(session: Session, fault_id: int) -> ResponseReturnValue:
    """Say that somebody works on it."""
    report = _found(session, fault_id)
    fresh = assign_fault(session, report.id)
    flash("The report is assigned." if fresh else "It is not open any more.", "good" if fresh else "bad")
    return redirect(url_for("office.fault", fault_id=report.id), 303)


@page("/faults/<int:fault_id>/close", roles=FIELDWORK, methods=("POST",))
def close_one(session: Session, fault_id: int) -> ResponseReturnValue:
    """Close it; the customer gets the answer by SMS."""
    report = _found(session, fault_id)
    form = read(AnswerForm(), request.form)
    if not form.fine:
        return _ticket(session, report, form), 422
    done = close_fault(session, report.id, form.values["answer"], officer().actor)
    flash("The report is closed, and the answer is on its way." if done else CLOSED_BEFORE, "good" if done else "bad")
    return redirect(url_for("office.fault", fault_id=report.id), 303)


@page("/faults/<int:fault_id>/pin", roles=SUPPORT, methods=("POST",))
def clear_forgotten_pin(session: Session, fault_id: int) -> ResponseReturnValue:
    """Clear the forgotten PIN and close the report; the message about the PIN is its answer."""
    report = _found(session, fault_id)
    customer = find_customer(session, report.phone) if report.kind == "pin" else None
    if customer is not None and clear_pin(session, customer.id):
        close_fault(session, report.id, "PIN cleared", officer().actor, tell=False)
        flash("The PIN is cleared. She gets an SMS and can set a new one.", "good")
    else:
        flash("There is no PIN to clear.", "bad")
    return redirect(url_for("office.fault", fault_id=report.id), 303)


def open_faults(session: Session) -> int:
    """How many reports nobody works on yet."""
    query = select(func.count()).select_from(FaultReport).where(FaultReport.status == "open")
    return session.scalar(query) or 0


def _found(session: Session, fault_id: int) -> FaultReport:
    return session.get(FaultReport, fault_id) or abort(404)


def _ticket(session: Session, report: FaultReport, form: Form) -> str:
    customer = find_customer(session, report.phone)
    return render_template(
        "office/fault.html",
        report=report,
        form=form,
        customer=customer,
        locked=customer is not None and is_locked(customer),
        connection=session.get(Connection, report.connection_id) if report.connection_id else None,
        kinds=KINDS,
        states=STATES,
        longest=LONGEST_ANSWER,
    )
