"""What an officer does for a connection from its customer's page: take a payment, send the balance, cut or restore."""

from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import MONEY, SUPPORT, page
from admin_web.forms import Form, FormSchema, Number, calendar_day, choice, filled, read, word
from admin_web.places import Place, places
from admin_web.search import page_of
from billing.balance_messages import send_balance
from billing.ledger import balance_of
from billing.models import Connection, Customer
from billing.moments import here
from billing.office_payments import METHODS, credit_office_payment
from core.clock import now
from core.config import settings
from core.money import Money

KNOWN = "Money with this reference is in the books already."
TURNS = {"suspend": ("active", "suspended"), "activate": ("suspended", "active")}


class PaymentForm(FormSchema):
    amount = Number(places=2)
    method = choice(METHODS)
    reference = word(60)
    paid_on = calendar_day()


@page("/connections/<int:connection_id>/payment", roles=MONEY)
def take_payment(session: Session, connection_id: int) -> ResponseReturnValue:
    """Write down money that was brought to the desk or the bank."""
    return _payment_page(session, connection_id, filled(method="cash", paid_on=here().isoformat()))


@page("/connections/<int:connection_id>/payment/check", roles=MONEY, methods=("POST",), repeatable=True)
def check_payment(session: Session, connection_id: int) -> ResponseReturnValue:
    """Who, what, how much and what is owed afterwards, before it counts."""
    form, amount = _read_payment()
    if amount is None:
        return _payment_page(session, connection_id, form), 422
    place = _place(session, connection_id)
    return render_template(
        "office/payment_check.html", **_about(session, place), form=form, amount=amount, after=place.balance - amount,
        methods=METHODS, paid_on=form.values["paid_on"],
    )  # fmt: skip


@page("/connections/<int:connection_id>/payment", roles=MONEY, methods=("POST",))
def credit_payment(session: Session, connection_id: int) -> ResponseReturnValue:
    """Credit it: once for its reference."""
    form, amount = _read_payment()
    if amount is None:
        return _payment_page(session, connection_id, form), 422
    place, values = _place(session, connection_id).connection, form.values
    entry = credit_office_payment(
        session, place.id, amount.minor, method=values["method"], reference=values["reference"], on=values["paid_on"]
    )
    if entry is None:
        form.refuse("reference", KNOWN)
        return _payment_page(session, connection_id, form), 422
    left = balance_of(session, place.id)
    state = f"owes {left}" if left.minor > 0 else f"is {-left} in credit" if left.minor < 0 else "owes nothing"
    flash(f"{amount} is credited to {place.account_no}, which {state} now.", "good")
    return redirect(page_of(place), 303)


@page("/connections/<int:connection_id>/balance", roles=SUPPORT, methods=("POST",))
def text_balance(session: Session, connection_id: int) -> ResponseReturnValue:
    """Send the customer an SMS with what she owes."""
    place = _place(session, connection_id).connection
    if send_balance(session, place.id, key=f"balance:{place.id}:{now():%Y%m%d%H%M}"):
        flash("An SMS with the balance is on its way.", "good")
    else:
        flash("No SMS is sent: she has no phone, or one went out this very minute.", "bad")
    return redirect(page_of(place), 303)


@page("/connections/<int:connection_id>/<turn>", roles=SUPPORT, methods=("GET", "POST"))
def turn_supply(session: Session, connection_id: int, turn: str) -> ResponseReturnValue:
    """Suspend the supply or give it back: asked on a page of its own, then done."""
    if turn not in TURNS:
        abort(404)
    place = _place(session, connection_id)
    before, after = TURNS[turn]
    if request.method == "POST":
        one = session.get_one(Connection, connection_id, with_for_update=True, populate_existing=True)
        if one.status == before:
            one.status = after
            flash(f"Connection {one.account_no} is {after} now.", "good")
        else:
            flash(f"Nothing is changed: it is {one.status}.", "note")
        return redirect(page_of(one), 303)
    return render_template("office/supply_turn.html", **_about(session, place), turn=turn, fits=before)


def _read_payment() -> tuple[Form, Money | None]:
    form = read(PaymentForm(), request.form)
    if form.fine and form.values["paid_on"] > here():
        form.refuse("paid_on", "This day is yet to come.")
    if form.fine and not form.values["amount"]:
        form.refuse("amount", "Write an amount above 0.")
    if not form.fine:
        return form, None
    try:
        return form, Money.of(form.values["amount"], settings().currency)
    except ValueError:
        form.refuse("amount", f"{settings().currency} has no such small part.")
        return form, None


def _payment_page(session: Session, connection_id: int, form: Form) -> str:
    about = _about(session, _place(session, connection_id))
    return render_template("office/payment_new.html", **about, form=form, methods=METHODS)


def _about(session: Session, place: Place) -> dict[str, Any]:
    owner = place.connection.customer_id
    name = session.scalar(select(Customer.name).where(Customer.id == owner)) if owner else None
    return {"place": place, "name": name or "Nobody yet", "back": page_of(place.connection)}


def _place(session: Session, connection_id: int) -> Place:
    return next(iter(places(session, Connection.id == connection_id)), None) or abort(404)
