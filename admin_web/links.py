"""Phones that ask to speak for a connection, where the office approves that first."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, SUPPORT, officer, page
from admin_web.paging import listed
from billing.customers import Refusal
from billing.links import approve_link, reject_link
from billing.models import Connection, Customer, LinkRequest

WHY_NOT = {
    "decided": "Somebody has decided about this already.",
    "taken": "The connection is another customer's by now. Reject it, or add the phone on that customer's page.",
    "phone_taken": "The phone speaks for another customer by now. Reject it.",
    "closed": "The connection is closed by now. Reject it.",
}


@page("/links", roles=EVERYONE)
def links(session: Session) -> ResponseReturnValue:
    """Those that wait, the oldest first, each with the customer whom the connection has now."""
    waiting = select(LinkRequest).where(LinkRequest.status == "pending")
    found = listed(session, waiting, [LinkRequest.id])
    rows = session.execute(
        select(Connection.id, Connection.account_no, Connection.address, Customer.id, Customer.name)
        .outerjoin(Customer, Customer.id == Connection.customer_id)
        .where(Connection.id.in_([request.connection_id for request in found.rows]))
    )
    return render_template("office/links.html", found=found, where={row[0]: row for row in rows})


@page("/links/<int:link_id>/approve", roles=SUPPORT, methods=("POST",))
def approve_one(session: Session, link_id: int) -> ResponseReturnValue:
    """Let the phone speak for the connection; she gets an SMS."""
    _must_be_there(session, link_id)
    done = approve_link(session, link_id, officer().actor)
    if isinstance(done, Refusal):
        flash(WHY_NOT.get(done.kind, "It cannot be linked any more. Reject it."), "bad")
    else:
        flash(f"Connection {done.connection.account_no} is linked, and {done.customer.name} is told.", "good")
    return redirect(url_for("office.links"), 303)


@page("/links/<int:link_id>/reject", roles=SUPPORT, methods=("POST",))
def reject_one(session: Session, link_id: int) -> ResponseReturnValue:
    """Leave the connection as it is; she gets an SMS."""
    _must_be_there(session, link_id)
    if reject_link(session, link_id, officer().actor):
        flash("It is not linked, and she is told to visit the office.", "good")
    else:
        flash(WHY_NOT["decided"], "bad")
    return redirect(url_for("office.links"), 303)


def waiting_links(session: Session) -> int:
    """How many wait for the office."""
    query = select(func.count()).select_from(LinkRequest).where(LinkRequest.status == "pending")
    return session.scalar(query) or 0


def _must_be_there(session: Session, link_id: int) -> None:
    if session.get(LinkRequest, link_id) is None:
        abort(404)
