"""Finding customers by what people have at hand: a name, a phone in any form, an account, a meter's serial."""

import re

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from phonenumbers import country_code_for_region
from sqlalchemy import ColumnElement, Select, func, or_, select, text
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, page
from billing.customers import find_connection, find_customer
from billing.models import Connection, Customer, CustomerPhone, FaultReport, Invoice, Meter, MeterAssignment
from core.config import settings
from core.phone import parse_phone
from payments.models import Receipt


@page("/search", roles=EVERYONE)
def search(session: Session) -> ResponseReturnValue:
    """A direct hit leads to its page at once; anything else is looked for among the customers."""
    asked = request.args.get("q", "").strip()
    hit = direct_hit(session, asked) if asked else None
    return redirect(hit or url_for("office.customers", q=asked or None), 303)


def direct_hit(session: Session, asked: str) -> str | None:
    """The page of the one thing that is called exactly so, or None."""
    connection = find_connection(session, asked)
    if connection is not None:
        return page_of(connection)
    phone = parse_phone(asked, settings().region)
    customer = find_customer(session, phone) if phone else None
    if customer is not None:
        return url_for("office.customer", customer_id=customer.id)
    meter = session.scalar(select(Meter).where(Meter.serial == asked.upper()))
    if meter is not None:
        return url_for("office.meter", meter_id=meter.id)
    invoice = session.scalar(select(Invoice).where(Invoice.number == asked.upper()))
    if invoice is not None:
        return url_for("office.invoice", invoice_id=invoice.id)
    ticket = session.scalar(select(FaultReport.id).where(FaultReport.ticket == "".join(asked.split())))
    if ticket is not None:
        return url_for("office.fault", fault_id=ticket)
    if session.scalar(select(Receipt.id).where(Receipt.receipt == asked.upper()).limit(1)):
        return url_for("office.receipts", q=asked.upper())
    return None


def page_of(connection: Connection) -> str:
    """The customer's page where a customer has this connection, else the connection's own."""
    if connection.customer_id is not None:
        return url_for("office.customer", customer_id=connection.customer_id)
    return url_for("office.connection", connection_id=connection.id)


def may_mean(asked: str) -> ColumnElement[bool]:
    """The customers that `asked` may mean: every word begins a word of the name, or it begins a number."""
    words = re.findall(r"\w+", asked)
    digits = "".join(c for c in asked if c.isdigit()).removeprefix("0")
    conditions = [Customer.id.in_(_with_meter(asked.upper()))]
    if words:
        name = func.to_tsvector(text("'simple'"), Customer.name)
        conditions.append(name.op("@@")(func.to_tsquery("simple", " & ".join(f"{word}:*" for word in words))))
    if len(digits) >= 3 and not re.search(r"[^\W\d]", asked):
        conditions.append(Customer.id.in_(_with_account(digits)))
        conditions.append(Customer.id.in_(_with_phone(digits)))
    return or_(*conditions)


def _with_account(digits: str) -> Select[tuple[int | None]]:
    return select(Connection.customer_id).where(
        Connection.account_no.like(f"{digits}%"), Connection.customer_id.is_not(None)
    )


def _with_phone(digits: str) -> Select[tuple[int]]:
    country = f"+{country_code_for_region(settings().region)}"
    return select(CustomerPhone.customer_id).where(
        or_(CustomerPhone.phone.like(f"+{digits}%"), CustomerPhone.phone.like(f"{country}{digits}%"))
    )


def _with_meter(serial: str) -> Select[tuple[int | None]]:
    return (
        select(Connection.customer_id)
        .join(MeterAssignment, MeterAssignment.connection_id == Connection.id)
        .join(Meter, Meter.id == MeterAssignment.meter_id)
        .where(Meter.serial.startswith(serial, autoescape=True), Connection.customer_id.is_not(None))
    )
