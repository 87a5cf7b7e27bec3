"""Finding what people have at hand: a name, a phone in any form, an account, a meter, an invoice, a receipt."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from phonenumbers import country_code_for_region
from sqlalchemy import ColumnElement, Select, func, or_, select, text, union
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, can, office, page
from billing.customers import find_connection, find_customer
from billing.models import (
    Connection,
    Customer,
    CustomerPhone,
    FaultReport,
    Invoice,
    LedgerEntry,
    Meter,
    MeterAssignment,
    Posting,
)
from billing.office_payments import METHODS
from core.config import settings
from core.phone import parse_phone
from payments.models import Receipt

SHOWN = 8
SHORTEST = 3
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Hit:
    """Something whose name begins as was asked."""

    thing: str
    words: str
    more: str
    address: str


@page("/search", roles=EVERYONE)
def search(session: Session) -> ResponseReturnValue:
    """A direct hit leads to its page at once; else what begins so, or those among the customers who may be meant."""
    asked = " ".join(request.args.get("q", "").split())[:LONGEST]
    hit = direct_hit(session, asked) if asked else None
    hits = [] if hit or len(asked) < SHORTEST else list(beginning(session, asked))
    if hit or not hits:
        return redirect(hit or url_for("office.customers", q=asked or None), 303)
    people = session.scalars(
        select(Customer).where(may_mean(asked)).order_by(Customer.name, Customer.id).limit(SHOWN)
    ).all()
    return render_template("office/search.html", asked=asked, hits=hits, people=people, shown=SHOWN)


@page("/keys", roles=EVERYONE, methods=("POST",), repeatable=True)
def switch_keys(_session: Session) -> ResponseReturnValue:
    """Keyboard shortcuts of one character, on or off in this browser (WCAG 2.1.4)."""
    off = request.cookies.get("mita_keys") != "off"
    answer = make_response(redirect(url_for("office.home"), 303))
    flash("Keyboard shortcuts are off." if off else "Keyboard shortcuts are on: / leads to the search.", "good")
    answer.set_cookie(
        "mita_keys", "off" if off else "on", max_age=10**8, path="/office", samesite="Lax", httponly=True,
        secure=settings().public_base_url.startswith("https://"),
    )  # fmt: skip
    return answer


@office.context_processor
def keys() -> dict[str, object]:
    return {"keys_off": request.cookies.get("mita_keys") == "off"}


def direct_hit(session: Session, asked: str) -> str | None:
    """The page of the one thing that is called exactly so, where the officer may see it, or None."""
    bare = "".join(asked.split()).upper()
    for endpoint, find in FINDERS:
        found = find(session, asked, bare) if can(endpoint) else None
        if found is not None:
            return found
    return None


def page_of(connection: Connection) -> str:
    """The customer's page where a customer has this connection, else the connection's own."""
    if connection.customer_id is not None:
        return url_for("office.customer", customer_id=connection.customer_id)
    return url_for("office.connection", connection_id=connection.id)


def _account(session: Session, asked: str, _bare: str) -> str | None:
    connection = find_connection(session, asked)
    return page_of(connection) if connection is not None else None


def _phone(session: Session, asked: str, _bare: str) -> str | None:
    phone = parse_phone(asked, settings().region)
    customer = find_customer(session, phone) if phone else None
    return url_for("office.customer", customer_id=customer.id) if customer is not None else None


def _meter(session: Session, _asked: str, bare: str) -> str | None:
    found = session.scalar(select(Meter.id).where(Meter.serial == bare))
    return url_for("office.meter", meter_id=found) if found is not None else None


def _invoice(session: Session, _asked: str, bare: str) -> str | None:
    found = session.scalar(select(Invoice.id).where(Invoice.number == bare))
    return url_for("office.invoice", invoice_id=found) if found is not None else None


def _ticket(session: Session, _asked: str, bare: str) -> str | None:
    found = session.scalar(select(FaultReport.id).where(FaultReport.ticket == bare))
    return url_for("office.fault", fault_id=found) if found is not None else None


def _receipt(session: Session, _asked: str, bare: str) -> str | None:
    found = session.scalars(select(Receipt.id).where(Receipt.receipt == bare).limit(2)).all()
    if len(found) == 1:
        return url_for("office.receipt", receipt_id=found[0])
    return url_for("office.receipts", q=bare) if found else None


def _deposit(session: Session, _asked: str, bare: str) -> str | None:
    """Money that the bank or the desk took, by its reference."""
    sources = [f"office:{method}:{bare}" for method in METHODS]
    connection_id = session.scalar(
        select(Posting.connection_id)
        .join(LedgerEntry, LedgerEntry.id == Posting.entry_id)
        .where(LedgerEntry.source.in_(sources), Posting.connection_id.is_not(None))
        .limit(1)
    )
    return url_for("office.connection", connection_id=connection_id) if connection_id is not None else None


FINDERS: tuple[tuple[str, Callable[[Session, str, str], str | None]], ...] = (
    ("customer", _account), ("customer", _phone), ("meter", _meter), ("invoice", _invoice), ("fault", _ticket),
    ("receipts", _receipt), ("connection", _deposit),
)  # fmt: skip
"""Endpoint -> who is asked for what is called exactly so, in this order."""


def beginning(session: Session, asked: str) -> Iterator[Hit]:
    """Connections that nobody has, meters and receipts that begin so; each by an index that knows beginnings."""
    bare = "".join(asked.split()).upper()
    if not re.search(r"\d", bare):
        return
    free = select(Connection).where(
        Connection.customer_id.is_(None), Connection.account_no.startswith(bare, autoescape=True)
    )
    for place in session.scalars(free.order_by(Connection.account_no).limit(SHOWN)):
        there = url_for("office.connection", connection_id=place.id)
        yield Hit("Connection", place.account_no, place.address, there)
    serials = select(Meter).where(Meter.serial.startswith(bare, autoescape=True))
    for meter in session.scalars(serials.order_by(Meter.serial).limit(SHOWN)):
        yield Hit("Meter", meter.serial, f"{meter.size_mm} mm", url_for("office.meter", meter_id=meter.id))
    if can("receipts"):
        known = select(Receipt).where(Receipt.receipt.startswith(bare, autoescape=True))
        for receipt in session.scalars(known.order_by(Receipt.receipt).limit(SHOWN)):
            there = url_for("office.receipt", receipt_id=receipt.id)
            yield Hit("Receipt", receipt.receipt, receipt.account_said, there)


def may_mean(asked: str) -> ColumnElement[bool]:
    """The customers that `asked` may mean: every word begins a word of the name, or it begins a number.

    Each way to find them is a query of its own with its own index; one condition with OR would read every customer.
    """
    words = re.findall(r"\w+", asked)
    digits = "".join(c for c in asked if c.isascii() and c.isdigit()).removeprefix("0")
    ways: list[Select[tuple[int]]] = [_with_meter("".join(asked.split()).upper())]
    if words:
        name = func.to_tsvector(text("'simple'"), Customer.name)
        meant = func.to_tsquery("simple", " & ".join(f"{word}:*" for word in words))
        ways.append(select(Customer.id).where(name.op("@@")(meant)))
    if len(digits) >= SHORTEST and not re.search(r"[^\W\d]", asked):
        ways += [_with_account(digits), _with_phone(digits)]
    return Customer.id.in_(union(*ways))


def _with_account(digits: str) -> Select[tuple[int]]:
    return select(Connection.customer_id).where(  # type: ignore[return-value]
        Connection.account_no.like(f"{digits}%"), Connection.customer_id.is_not(None)
    )


def _with_phone(digits: str) -> Select[tuple[int]]:
    country = f"+{country_code_for_region(settings().region)}"
    return select(CustomerPhone.customer_id).where(
        or_(CustomerPhone.phone.like(f"+{digits}%"), CustomerPhone.phone.like(f"{country}{digits}%"))
    )


def _with_meter(serial: str) -> Select[tuple[int]]:
    return (
        select(Connection.customer_id)  # type: ignore[return-value]
        .join(MeterAssignment, MeterAssignment.connection_id == Connection.id)
        .join(Meter, Meter.id == MeterAssignment.meter_id)
        .where(Meter.serial.startswith(serial, autoescape=True), Connection.customer_id.is_not(None))
    )
