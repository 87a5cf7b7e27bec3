"""Connections: the places that are supplied, found by account; and a new one."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, SUPPORT, officer, page
from admin_web.forms import Form, FormSchema, Number, calendar_day, choice, filled, read, whole, word
from admin_web.lists import how_many, list_page
from admin_web.lists_connections import CONNECTIONS, tariff_choices
from admin_web.lists_customers import zone_choices
from admin_web.lists_meters import SOURCES
from admin_web.places import places, usage_chart
from billing.budgets import latest_budget, set_budget
from billing.customers import create_connection
from billing.models import Connection, Customer, Invoice, Meter, MeterAssignment, Reading, Tariff, Zone
from core.clock import today
from core.config import settings

PAYS = {"after": "After use, by a bill each month", "before": "In advance (prepaid), without bills"}
SUPPLIED = {"active": "Active", "suspended": "Suspended"}


class ZoneForm(FormSchema):
    code = word(12)
    name = word(60)


class WhereForm(FormSchema):
    address = word(200)
    building = word(60, required=False)
    department = word(60, required=False)


class ConnectionForm(WhereForm):
    pays = choice(PAYS, default="after")
    customer = whole(1, required=False)
    zone = whole(1)
    tariff = whole(1)
    opened_on = calendar_day()


class EditForm(WhereForm):
    budget = Number(places=3, most=10**6, required=False)
    pays = choice(PAYS)
    status = choice(SUPPLIED)


@page("/connections", roles=EVERYONE)
def connections(session: Session) -> ResponseReturnValue:
    """By account; what is ticked, or all that match, can be changed at once."""
    shown = list_page(session, CONNECTIONS)
    matching = (
        how_many(session, CONNECTIONS.chosen(session, shown.asked)) if request.args.get("pick") == "all" else None
    )
    return render_template(
        "office/connections.html",
        list=shown,
        matching=matching,
        pick=request.args.get("pick", ""),
        tariffs=tariff_choices(session),
        zones=zone_choices(session),
    )


@page("/connections/<int:connection_id>", roles=EVERYONE)
def connection(session: Session, connection_id: int) -> ResponseReturnValue:
    """One connection: its meters in time, its readings, its bills."""
    place = next(iter(places(session, Connection.id == connection_id)), None) or abort(404)
    history = session.execute(
        select(MeterAssignment, Meter)
        .join(Meter, Meter.id == MeterAssignment.meter_id)
        .where(MeterAssignment.connection_id == connection_id)
        .order_by(MeterAssignment.from_on.desc(), MeterAssignment.id.desc())
    ).all()
    own_readings = select(Reading).where(Reading.connection_id == connection_id)
    own_invoices = select(Invoice).where(Invoice.connection_id == connection_id, Invoice.status == "issued")
    return render_template(
        "office/connection.html",
        place=place,
        owner=session.get(Customer, place.connection.customer_id) if place.connection.customer_id else None,
        history=history,
        readings=session.scalars(own_readings.order_by(Reading.taken_on.desc(), Reading.id.desc()).limit(14)).all(),
        invoices=session.scalars(own_invoices.order_by(Invoice.period_start.desc()).limit(13)).all(),
        chart=usage_chart(session, [connection_id]),
        sources=SOURCES,
    )


@page("/connections/new", roles=SUPPORT)
def new_connection(session: Session) -> ResponseReturnValue:
    owner = request.args.get("customer", "")
    form = filled(customer=owner, opened_on=today(settings().utility_zone).isoformat(), pays="after")
    return _form(session, form)


@page("/connections/new", roles=SUPPORT, methods=("POST",))
def open_one(session: Session) -> ResponseReturnValue:
    """Open a connection; its account number is made for it."""
    form = read(ConnectionForm(), request.form)
    if form.fine and form.values["customer"] and session.get(Customer, form.values["customer"]) is None:
        form.refuse("customer", "There is no such customer.")
    if form.fine and session.get(Zone, form.values["zone"]) is None:
        form.refuse("zone", "Choose one of the list.")
    if form.fine and session.get(Tariff, form.values["tariff"]) is None:
        form.refuse("tariff", "Choose one of the list.")
    if not form.fine:
        return _form(session, form), 422
    opened = create_connection(
        session,
        customer_id=form.values["customer"],
        zone_id=form.values["zone"],
        tariff_id=form.values["tariff"],
        address=form.values["address"],
        opened_on=form.values["opened_on"],
        building=form.values["building"] or "",
        department=form.values["department"] or "",
        prepaid=form.values["pays"] == "before",
    )
    flash(f"Connection {opened.account_no} is open. Assign a meter to it now.", "good")
    return redirect(url_for("office.assign", connection_id=opened.id), 303)


def _form(session: Session, form: Form) -> str:
    raw = form.raw.get("customer", "")
    owner = session.get(Customer, int(raw)) if raw.isdecimal() and len(raw) < 18 else None
    return render_template(
        "office/connection_new.html",
        form=form,
        owner=owner,
        zones=dict(session.execute(select(Zone.id, Zone.name).order_by(Zone.name)).tuples().all()),
        tariffs=dict(session.execute(select(Tariff.id, Tariff.name).order_by(Tariff.name)).tuples().all()),
        pays=PAYS,
    )


@page("/connections/<int:connection_id>/edit", roles=SUPPORT, methods=("GET", "POST"))
def edit_connection(session: Session, connection_id: int) -> ResponseReturnValue:
    """Say where it is and how it pays, suspend its supply or give it back."""
    place = session.get(Connection, connection_id, with_for_update=request.method == "POST") or abort(404)
    if place.status == "closed":
        abort(404)
    budget = latest_budget(session, place.id)
    form = filled(
        address=place.address,
        building=place.building,
        department=place.department,
        pays="before" if place.prepaid else "after",
        status=place.status,
        budget=f"{budget.normalize():f}" if budget else None,
    )
    if request.method == "POST":
        form = read(EditForm(), request.form)
        if form.fine:
            place.address, place.status = form.values["address"], form.values["status"]
            place.building, place.department = form.values["building"] or "", form.values["department"] or ""
            place.prepaid = form.values["pays"] == "before"
            asked, from_when = form.values["budget"] or None, ""
            if asked != budget:
                from_when = f" Its budget holds from {set_budget(session, place.id, asked, officer().actor):%B %Y} on."
            flash(f"Connection {place.account_no} is changed.{from_when}", "good")
            return redirect(url_for("office.connection", connection_id=place.id), 303)
    page_of_it = render_template("office/connection_edit.html", form=form, place=place, pays=PAYS, supplied=SUPPLIED)
    return page_of_it, 200 if form.fine else 422


def unmetered(session: Session) -> int:
    """How many active connections have no meter."""
    metered = select(MeterAssignment.connection_id).where(MeterAssignment.to_on.is_(None))
    query = select(func.count()).select_from(Connection)
    return session.scalar(query.where(Connection.status == "active", Connection.id.not_in(metered))) or 0


@page("/zones/new", roles=SUPPORT, methods=("GET", "POST"))
def new_zone(session: Session) -> ResponseReturnValue:
    """Add a zone; then a connection in it can be opened."""
    form = read(ZoneForm(), request.form) if request.method == "POST" else Form()
    if request.method == "POST" and form.fine:
        code = form.values["code"].upper()
        if session.scalar(select(Zone.id).where(Zone.code == code)) is None:
            session.add(Zone(code=code, name=form.values["name"]))
            flash(f"Zone {form.values['name']} is added.", "good")
            return redirect(url_for("office.new_connection"), 303)
        form.refuse("code", "This code is taken.")
    return render_template("office/zone_new.html", form=form), 200 if form.fine else 422
