"""Invoices as they were issued, and how each amount came about."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, page
from admin_web.paging import listed
from admin_web.places import account_numbers, places
from billing.arrears import open_items
from billing.models import Connection, Customer, Invoice, InvoiceLine, Reading, Tariff, TariffVersion
from billing.moments import here
from core.config import settings
from core.money import Money


@page("/invoices", roles=EVERYONE)
def invoices(session: Session) -> ResponseReturnValue:
    """The latest issued first; by number or account, or those of one run."""
    query, asked = select(Invoice).where(Invoice.status != "draft"), request.args.get("q", "").strip()
    run = request.args.get("run", type=int)
    if run is not None:
        query = select(Invoice).where(Invoice.run_id == run)
    if asked:
        of_account = select(Connection.id).where(
            Connection.account_no.startswith("".join(asked.split()), autoescape=True)
        )
        query = query.where((Invoice.number == asked.upper()) | Invoice.connection_id.in_(of_account))
    found = listed(session, query, [Invoice.id], newest_first=True)
    return render_template(
        "office/invoices.html",
        found=found,
        accounts=account_numbers(session, [invoice.connection_id for invoice in found.rows]),
        asked=asked,
        run=run,
    )


@page("/invoices/<int:invoice_id>", roles=EVERYONE)
def invoice(session: Session, invoice_id: int) -> ResponseReturnValue:
    """One invoice, line by line, with the readings and the tariff that made it."""
    bill = session.get(Invoice, invoice_id) or abort(404)
    place = places(session, Connection.id == bill.connection_id)[0]
    owner_id = place.connection.customer_id
    version = session.get_one(TariffVersion, bill.tariff_version_id)
    lines = session.scalars(
        select(InvoiceLine).where(InvoiceLine.invoice_id == bill.id).order_by(InvoiceLine.position)
    ).all()
    currency = settings().currency
    source = f"invoice:{bill.id}"
    open_minor = sum(item.open_minor for item in open_items(session, [bill.connection_id]) if item.source == source)
    return render_template(
        "office/invoice.html",
        bill=bill,
        lines=lines,
        place=place,
        owner=session.get(Customer, owner_id) if owner_id else None,
        opening=session.get_one(Reading, bill.opening_reading_id),
        closing=session.get_one(Reading, bill.closing_reading_id),
        version=version,
        tariff=session.get_one(Tariff, version.tariff_id),
        to_pay=Money(bill.amount_minor + bill.arrears_minor, currency),
        open_minor=open_minor,
        overdue=bool(open_minor) and bill.due_on is not None and bill.due_on < here(),
    )
