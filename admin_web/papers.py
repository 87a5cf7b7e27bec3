"""Invoices on paper, to take away: one, or a zone's month."""

from datetime import date

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, EVERYONE, page
from admin_web.forms import FormSchema, choice, filled, read, whole, word
from billing.models import Invoice, Zone
from billing.moments import here

AT_ONCE = 500
PAPERS = {"a5": "A5", "thermal": "Thermal roll, 80 mm"}


class ZoneForm(FormSchema):
    zone = whole(1)
    month = word(7)
    paper = choice(PAPERS, default="a5")


@page("/invoices/<int:invoice_id>/pdf", roles=EVERYONE)
def invoice_paper(session: Session, invoice_id: int) -> ResponseReturnValue:
    """One invoice as PDF."""
    from billing.pdf.making import invoice_pdf

    bill = session.get(Invoice, invoice_id) or abort(404)
    paper = request.args.get("paper", "a5")
    made = invoice_pdf(session, bill.id, paper if paper in PAPERS else "a5")
    return _file(made, f"{bill.number}.pdf") if made is not None else abort(404)


@page("/invoices/print", roles=DESK)
def print_zone(session: Session) -> ResponseReturnValue:
    """All invoices of a zone's month in one file; where they are many, how to have them made."""
    zones = {zone.id: zone.name for zone in session.scalars(select(Zone).order_by(Zone.code))}
    if "zone" not in request.args:
        return render_template(
            "office/print.html", form=filled(month=f"{here():%Y-%m}", paper="a5"), zones=zones, papers=PAPERS
        )
    form = read(ZoneForm(), request.args)
    period = _first_of(form.values.get("month", ""))
    if form.fine and period is None:
        form.refuse("month", "Write the month as year-month, such as 2026-10.")
    if not form.fine or period is None:
        return render_template("office/print.html", form=form, zones=zones, papers=PAPERS), 422
    return _zone(session, form.values["zone"], period, form.values["paper"])


def _zone(session: Session, zone_id: int, period: date, paper: str) -> ResponseReturnValue:
    from billing.pdf.facts import papers
    from billing.pdf.making import invoices_of, pdf

    zone = session.get(Zone, zone_id) or abort(404)
    ids = invoices_of(session, zone.id, period)
    if not ids or len(ids) > AT_ONCE:
        few = f"There is no invoice for {period:%B %Y} in {zone.name}."
        command = f"mita books invoices --zone {zone.code} --month {period:%Y-%m}"
        many = f"These are {len(ids)} invoices, too many for a page. On the server: {command}"
        flash(many if ids else few, "note")
        return redirect(url_for("office.print_zone"), 303)
    return _file(pdf(papers(session, ids), paper), f"invoices-{zone.code}-{period:%Y-%m}.pdf")


def _first_of(month: str) -> date | None:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        return None


def _file(made: bytes, name: str) -> Response:
    answer = make_response(made)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
