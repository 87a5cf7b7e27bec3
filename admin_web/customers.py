"""Customers: the list, a new one, another phone."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, SUPPORT, officer, page
from admin_web.forms import Form, FormSchema, PhoneNumber, choice, filled, read, word
from admin_web.lists import list_page
from admin_web.lists_customers import CUSTOMERS, KINDS
from billing.customers import LONGEST_NAME, Refusal, add_phone, create_customer
from billing.models import Customer
from billing.pins import clear_pin
from core.config import settings
from core.i18n import LANGUAGES

__all__ = ["KINDS"]

PHONE_TAKEN = "This phone speaks for another customer already."


class CustomerForm(FormSchema):
    name = word(LONGEST_NAME)
    kind = choice(KINDS)
    language = choice(LANGUAGES)
    phone = PhoneNumber(load_default=None)


class PhoneForm(FormSchema):
    phone = PhoneNumber(required=True, error_messages={"required": "Fill this in."})


@page("/customers", roles=EVERYONE)
def customers(session: Session) -> ResponseReturnValue:
    """By name, or those that the search box may mean."""
    return render_template("office/customers.html", list=list_page(session, CUSTOMERS))


@page("/customers/new", roles=SUPPORT, methods=("GET", "POST"))
def new_customer(session: Session) -> ResponseReturnValue:
    """Add a customer; with her phone she can dial at once."""
    if request.method == "GET":
        form = filled(name=request.args.get("name"), kind="domestic", language=settings().default_language)
        return _new_page(form)
    form = read(CustomerForm(), request.form)
    if form.fine:
        values = form.values
        added = create_customer(
            session,
            " ".join(values["name"].split()),
            kind=values["kind"],
            language=values["language"],
            phone=values["phone"],
            by=officer().actor,
        )
        if isinstance(added, Customer):
            flash(f"{added.name} is a customer now.", "good")
            return redirect(url_for("office.customer", customer_id=added.id), 303)
        form.refuse("phone", PHONE_TAKEN)
    return _new_page(form), 422


def _new_page(form: Form) -> str:
    return render_template("office/customer_new.html", form=form, kinds=KINDS, languages=LANGUAGES)


@page("/customers/<int:customer_id>/phones/new", roles=SUPPORT, methods=("GET", "POST"))
def new_phone(session: Session, customer_id: int) -> ResponseReturnValue:
    """Let another phone speak for the customer."""
    who = session.get(Customer, customer_id) or abort(404)
    form = Form()
    if request.method == "POST":
        form = read(PhoneForm(), request.form)
        if form.fine:
            refused: Refusal | None = add_phone(session, who.id, form.values["phone"], officer().actor)
            if refused is None:
                flash("The phone is added.", "good")
                return redirect(url_for("office.customer", customer_id=who.id), 303)
            form.refuse("phone", PHONE_TAKEN)
    return render_template("office/phone_new.html", form=form, who=who), 200 if form.fine else 422


@page("/customers/<int:customer_id>/pin/clear", roles=SUPPORT, methods=("POST",))
def clear_customer_pin(session: Session, customer_id: int) -> ResponseReturnValue:
    """Clear a forgotten or locked PIN; she gets an SMS and can set a new one."""
    who = session.get(Customer, customer_id) or abort(404)
    if clear_pin(session, who.id):
        flash("The PIN is cleared. She gets an SMS and can set a new one.", "good")
    else:
        flash("There is no PIN to clear.", "bad")
    return redirect(url_for("office.customer", customer_id=who.id), 303)
