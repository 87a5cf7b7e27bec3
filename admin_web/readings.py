"""Readings: what came in and who entered it, and the queue of those that wait for the office."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin_web.access import BILLING, EVERYONE, officer, page
from admin_web.forms import FormSchema, read, word
from admin_web.lists import list_page
from admin_web.lists_meters import READINGS as READING_LIST
from admin_web.lists_meters import SOURCES
from billing.models import Connection, Customer, Reading
from billing.readings import Refused, accept_reading, latest_reading, reject_reading, review_queue
from billing.trust import AUDIT_EVERY

NOT_ACCEPTED = {"decided": "Somebody has decided about this reading already."}
NO_LONGER = "It no longer follows the last reading. Reject it and enter a new one."
TURNS = {"rollover": "The dials went round", "reversed": "The meter runs backwards"}
DOUBTS = {
    "high": "Much more than usual.",
    "impossible": "More than this meter can let through.",
    "disputed": "Her own readings before it say more. Accepting it sets them aside, and the bills that went by them.",
    "reversed": "A little below the one before: perhaps the meter runs backwards, or that one was misread.",
    "misread": "Below the one before: misread, or the dials went round.",
    "audit": f"Her {AUDIT_EVERY}th own reading in a row. Call her and have her read the dials again, or send somebody.",
    "watched": "Her readings did not agree when we last read the meter. Compare before you accept.",
}


class RejectForm(FormSchema):
    note = word(200)


@page("/readings", roles=EVERYONE)
def readings(session: Session) -> ResponseReturnValue:
    """The latest entered first, with who entered each."""
    return render_template("office/readings.html", list=list_page(session, READING_LIST), waiting=to_review(session))


def to_review(session: Session) -> int:
    """How many readings wait for the office."""
    return session.scalar(select(func.count()).select_from(Reading).where(Reading.status == "review")) or 0


@page("/readings/review", roles=EVERYONE)
def reading_review(session: Session) -> ResponseReturnValue:
    """The queue, the oldest first, each beside the reading before it."""
    waiting = review_queue(session)
    rows = session.execute(
        select(Connection.id, Connection.account_no, Connection.address, Customer.id, Customer.name)
        .outerjoin(Customer, Customer.id == Connection.customer_id)
        .where(Connection.id.in_([reading.connection_id for reading in waiting]))
    )
    return render_template(
        "office/reading_review.html",
        waiting=waiting,
        before={reading.id: latest_reading(session, reading.connection_id) for reading in waiting},
        where={row[0]: row for row in rows},
        sources=SOURCES,
        doubts=DOUBTS,
        turns=TURNS,
    )


@page("/readings/<int:reading_id>/accept", roles=BILLING, methods=("POST",))
def accept(session: Session, reading_id: int) -> ResponseReturnValue:
    """Take a reading into the books, if it still follows the last one."""
    if session.get(Reading, reading_id) is None:
        abort(404)
    turn = request.form.get("turn")
    done = accept_reading(session, reading_id, officer().actor, turn=turn if turn in TURNS else None)
    if isinstance(done, Refused):
        flash(NOT_ACCEPTED.get(done.kind, NO_LONGER), "bad")
    else:
        flash("The reading is in the books.", "good")
    return redirect(url_for("office.reading_review"), 303)


@page("/readings/<int:reading_id>/reject", roles=BILLING, methods=("POST",))
def reject(session: Session, reading_id: int) -> ResponseReturnValue:
    """Turn a reading down and say why; it stays in the list."""
    if session.get(Reading, reading_id) is None:
        abort(404)
    form = read(RejectForm(), request.form)
    if not form.fine:
        flash("Say why it is rejected.", "bad")
    elif reject_reading(session, reading_id, officer().actor, form.values["note"]):
        flash("The reading is rejected.", "good")
    else:
        flash(NOT_ACCEPTED["decided"], "bad")
    return redirect(url_for("office.reading_review"), 303)
