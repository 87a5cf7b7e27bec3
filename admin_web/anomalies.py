"""Months that stand out: the list, one of them with what was usual, and what somebody decides about it."""

from decimal import Decimal

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, READINGS, officer, page
from admin_web.bars import by_month
from admin_web.forms import FormSchema, choice, read, word
from admin_web.paging import listed
from admin_web.places import account_numbers, places
from billing.anomalies import decide, usage_before
from billing.customers import phones_of
from billing.models import Anomaly, Connection, Customer

KINDS = {
    "leak": "Far above the usual", "drop": "Far below the usual", "stuck": "The meter stands still",
    "zero_streak": "Three months at zero",
}  # fmt: skip
ADVICE = {
    "leak": "A leak behind the meter, a misread dial, or guests: compare the reading, then have somebody look.",
    "drop": "A meter that slows down, or a way around it: have it tested, and look for a second pipe.",
    "stuck": "It always turned, and did not this month: the meter may be stuck, or the place empty.",
    "zero_streak": "Empty, cut off without a record, or a way around the meter: somebody should go there.",
}
STATES = {"open": ("warn", "To review"), "confirmed": ("bad", "Confirmed"), "dismissed": ("off", "Nothing wrong")}
SHOWS = {"open": "To review", "confirmed": "Confirmed", "dismissed": "Nothing wrong"}
DECIDED = "Somebody has decided this already."


class DecisionForm(FormSchema):
    do = choice({"confirm": "", "dismiss": ""})
    note = word(200, required=False)
    tell = fields.Boolean(load_default=False)


@page("/anomalies", roles=EVERYONE)
def anomalies(session: Session) -> ResponseReturnValue:
    """The latest first; by state or kind."""
    query, show, kind = select(Anomaly), request.args.get("show", ""), request.args.get("kind", "")
    if show in SHOWS:
        query = query.where(Anomaly.status == show)
    if kind in KINDS:
        query = query.where(Anomaly.kind == kind)
    found = listed(session, query, [Anomaly.id], newest_first=True)
    return render_template(
        "office/anomalies.html",
        found=found,
        accounts=account_numbers(session, [one.connection_id for one in found.rows]),
        show=show,
        shows=SHOWS,
        kind=kind,
        kinds=KINDS,
        states=STATES,
    )


@page("/anomalies/<int:anomaly_id>", roles=EVERYONE)
def anomaly(session: Session, anomaly_id: int) -> ResponseReturnValue:
    """One month beside those before it, and the decision about it."""
    one = session.get(Anomaly, anomaly_id) or abort(404)
    place = places(session, Connection.id == one.connection_id)[0]
    owner = session.get(Customer, place.connection.customer_id) if place.connection.customer_id else None
    months = usage_before(session, one.connection_id, one.month)
    return render_template(
        "office/anomaly.html",
        one=one,
        place=place,
        owner=owner,
        reachable=owner is not None and bool(phones_of(session, owner.id)),
        chart=by_month([(each.month, round(Decimal(each.daily), 2)) for each in months], "m³ a day"),
        kinds=KINDS,
        advice=ADVICE,
        states=STATES,
    )


@page("/anomalies/<int:anomaly_id>/decide", roles=READINGS, methods=("POST",))
def decide_anomaly(session: Session, anomaly_id: int) -> ResponseReturnValue:
    """Confirm or dismiss it; the customer is told only if somebody says so."""
    one = session.get(Anomaly, anomaly_id) or abort(404)
    form = read(DecisionForm(), request.form)
    if not form.fine:
        abort(400)
    values = form.values
    fresh = decide(
        session, one.id, officer().actor, confirm=values["do"] == "confirm", note=values["note"] or "",
        tell=values["tell"],
    )  # fmt: skip
    told = " The customer gets an SMS." if one.told else ""
    flash(f"{STATES[one.status][1]}.{told}" if fresh else DECIDED, "good" if fresh else "bad")
    return redirect(url_for("office.anomaly", anomaly_id=one.id), 303)
