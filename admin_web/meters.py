"""Meters: registered, assigned to a connection with what they show, replaced."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, READINGS, officer, page
from admin_web.forms import Form, FormSchema, Number, calendar_day, filled, read, whole, word
from admin_web.lists import list_page
from admin_web.lists_meters import METER_STATES, METERS, SOURCES
from billing.meters import MeterRefusal, assign_meter, find_meter, meter_at, register_meter, replace_meter
from billing.models import Connection, Meter, MeterAssignment, Reading
from core.clock import today
from core.config import settings

REFUSALS = {
    "retired": ("serial", "This meter is retired."),
    "meter_in_use": ("serial", "This meter is at another connection."),
    "has_meter": ("serial", "This connection has a meter already. Load the page again to replace it."),
    "start_value": ("start_value", "The meter has not so many dials."),
    "no_meter": ("end_value", "There is no meter here any more. Load the page again."),
    "no_history": ("end_value", "It has too few readings to estimate this by. Write what it showed."),
    "reading": ("end_value", "The old meter cannot show this. Look at its last reading."),
}


class MeterForm(FormSchema):
    serial = word(40)
    digits = whole(3, 10)
    size_mm = whole(5, 1000)


class AssignForm(FormSchema):
    serial = word(40)
    from_on = calendar_day()
    start_value = Number()
    end_value = Number(required=False)


@page("/meters", roles=EVERYONE)
def meters(session: Session) -> ResponseReturnValue:
    """By number of entry, the newest first; by state, zone or serial."""
    return render_template("office/meters.html", list=list_page(session, METERS))


@page("/meters/<int:meter_id>", roles=EVERYONE)
def meter(session: Session, meter_id: int) -> ResponseReturnValue:
    """One meter: where it was, and what it showed."""
    one = session.get(Meter, meter_id) or abort(404)
    history = session.execute(
        select(MeterAssignment, Connection)
        .join(Connection, Connection.id == MeterAssignment.connection_id)
        .where(MeterAssignment.meter_id == one.id)
        .order_by(MeterAssignment.from_on.desc(), MeterAssignment.id.desc())
    ).all()
    said = select(Reading).where(Reading.meter_id == one.id).order_by(Reading.taken_on.desc(), Reading.id.desc())
    return render_template(
        "office/meter.html",
        meter=one,
        history=history,
        readings=session.scalars(said.limit(14)).all(),
        states=METER_STATES,
        sources=SOURCES,
    )


@page("/meters/new", roles=READINGS, methods=("GET", "POST"))
def new_meter(session: Session) -> ResponseReturnValue:
    """Register a meter into the store."""
    if request.method == "GET":
        return render_template("office/meter_new.html", form=filled(digits=6, size_mm=15))
    form = read(MeterForm(), request.form)
    if form.fine:
        added = register_meter(
            session, form.values["serial"], digits=form.values["digits"], size_mm=form.values["size_mm"]
        )
        if isinstance(added, Meter):
            flash(f"Meter {added.serial} is registered and in store.", "good")
            return redirect(url_for("office.meter", meter_id=added.id), 303)
        form.refuse("serial", "A meter with this serial is registered already.")
    return render_template("office/meter_new.html", form=form), 422


@page("/connections/<int:connection_id>/meter", roles=READINGS, methods=("GET", "POST"))
def assign(session: Session, connection_id: int) -> ResponseReturnValue:
    """Put a meter at a connection, or another in the place of the one that is there."""
    place = session.get(Connection, connection_id) or abort(404)
    present = meter_at(session, place.id)
    form = filled(serial=request.args.get("serial"), from_on=today(settings().utility_zone).isoformat(), start_value=0)
    if request.method == "POST":
        form = read(AssignForm(), request.form)
        unread = request.form.get("unread") == "yes"
        if form.fine and present is not None and form.values["end_value"] is None and not unread:
            form.refuse(
                "end_value", "Fill this in: it is the last usage of the old meter. Or say that nobody can read it."
            )
        if form.fine and _put(session, place, present, form):
            flash(f"Meter {form.values['serial'].upper()} is at {place.account_no} now.", "good")
            return redirect(url_for("office.connection", connection_id=place.id), 303)
    in_store = session.scalars(select(Meter).where(Meter.status == "stock").order_by(Meter.serial).limit(200)).all()
    page_of_form = render_template("office/meter_assign.html", form=form, place=place, present=present, store=in_store)
    return page_of_form, 200 if form.fine else 422


def _put(session: Session, place: Connection, present: Meter | None, form: Form) -> bool:
    """Whether it is done; if not, the form says why."""
    values, by = form.values, officer().actor
    meter = find_meter(session, values["serial"])
    if meter is None:
        form.refuse("serial", "There is no meter with this serial. Register it first.")
        return False
    if present is None:
        done = assign_meter(session, meter.id, place.id, on=values["from_on"], start_value=values["start_value"], by=by)
    else:
        done = replace_meter(
            session,
            place.id,
            meter.id,
            on=values["from_on"],
            removal_value=values["end_value"],
            start_value=values["start_value"],
            by=by,
        )
    if isinstance(done, MeterRefusal):
        form.refuse(*REFUSALS.get(done.kind, ("serial", "This meter cannot be put here.")))
        return False
    return True
