"""What an officer does for a connection from its customer's page: send the balance, cut its supply or give it back."""

from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import SUPPORT, page
from admin_web.places import Place, places
from admin_web.search import page_of
from billing.balance_messages import send_balance
from billing.models import Connection, Customer
from core.clock import now

TURNS = {"suspend": ("active", "suspended"), "activate": ("suspended", "active")}


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


def _about(session: Session, place: Place) -> dict[str, Any]:
    owner = place.connection.customer_id
    name = session.scalar(select(Customer.name).where(Customer.id == owner)) if owner else None
    return {"place": place, "name": name or "Nobody yet", "back": page_of(place.connection)}


def _place(session: Session, connection_id: int) -> Place:
    return next(iter(places(session, Connection.id == connection_id)), None) or abort(404)
