"""Customers: the list, a new one, another phone."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import CLERKS, EVERYONE, officer, page
from admin_web.forms import Form, FormSchema, PhoneNumber, choice, filled, read, word
from admin_web.paging import listed
from admin_web.places import Place, places, total_owed
from admin_web.search import matching
from billing.customers import LONGEST_NAME, Refusal, add_phone, create_customer
from billing.models import Connection, Customer, CustomerPhone
from billing.pins import clear_pin
from core.config import settings
from core.i18n import LANGUAGES

KINDS = {"domestic": "Household", "commercial": "Business", "institution": "Institution"}
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
    asked = request.args.get("q", "").strip()
    found = listed(session, matching(asked), [Customer.name, Customer.id])
    ids = [customer.id for customer in found.rows]
    own: dict[int | None, list[Place]] = {}
    for place in places(session, Connection.customer_id.in_(ids)):
        own.setdefault(place.connection.customer_id, []).append(place)
    phones: dict[int, list[str]] = {}
    for row in session.scalars(
        select(CustomerPhone).where(CustomerPhone.customer_id.in_(ids)).order_by(CustomerPhone.created_at)
    ):
        phones.setdefault(row.customer_id, []).append(row.phone)
    return render_template(
        "office/customers.html",
        found=found,
        asked=asked,
        phones=phones,
        places=own,
        owed={owner: total_owed(some) for owner, some in own.items()},
        kinds=KINDS,
    )


@page("/customers/new", roles=CLERKS, methods=("GET", "POST"))
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


@page("/customers/<int:customer_id>/phones/new", roles=CLERKS, methods=("GET", "POST"))
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


@page("/customers/<int:customer_id>/pin/clear", roles=CLERKS, methods=("POST",))
def clear_customer_pin(session: Session, customer_id: int) -> ResponseReturnValue:
    """Clear a forgotten or locked PIN; she gets an SMS and can set a new one."""
    who = session.get(Customer, customer_id) or abort(404)
    if clear_pin(session, who.id):
        flash("The PIN is cleared. She gets an SMS and can set a new one.", "good")
    else:
        flash("There is no PIN to clear.", "bad")
    return redirect(url_for("office.customer", customer_id=who.id), 303)
