"""Estimates: what the meters that nobody read have probably reached, looked at before it goes into the books."""

from datetime import date

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import READINGS, officer, page
from billing.estimates import MOST_IN_A_ROW, Estimate, estimate, estimates, record_estimate, record_estimates
from billing.models import Connection, Reading, Zone
from billing.months import month_of
from core.clock import today
from core.config import settings

SHOWN = 100
REASONS = {
    "capped": f"{MOST_IN_A_ROW} estimates in a row: read this meter",
    "no_history": "Too few readings to go by",
    "in_review": "A reading waits for review",
}
NOT_MADE = REASONS | {"read": "This meter has been read by that day."}


@page("/readings/estimates", roles=READINGS)
def reading_estimates(session: Session) -> ResponseReturnValue:
    """A preview: a page of what would be estimated; of one connection, of a zone or of all."""
    day = _day()
    connection_id, zone_id = request.args.get("connection", type=int), request.args.get("zone", type=int)
    if connection_id is not None:
        one = estimate(session, connection_id, day)
        found = [one] if one else []
    else:
        after = request.args.get("after", default=0, type=int)
        found = estimates(session, month_of(day), day, zone_id=zone_id, after=after, limit=SHOWN + 1)
    return _page(session, found, day, zone_id, connection_id)


@page("/readings/estimates", roles=READINGS, methods=("POST",))
def make_estimates(session: Session) -> ResponseReturnValue:
    """Put them into the books: the one connection that was previewed, or all without a reading this month."""
    day = _day()
    connection_id, zone_id = request.args.get("connection", type=int), request.args.get("zone", type=int)
    if connection_id is None:
        made = record_estimates(session, month_of(day), day, officer().actor, zone_id=zone_id)
        flash(
            f"{made} reading{'' if made == 1 else 's'} estimated." if made else "Nothing was left to estimate.", "good"
        )
        return redirect(url_for("office.reading_estimates", zone=zone_id, day=day.isoformat()), 303)
    if session.get(Connection, connection_id) is None:
        abort(404)
    done = record_estimate(session, connection_id, day, officer().actor)
    if isinstance(done, Reading):
        flash(f"The reading is estimated at {done.value.normalize():f}.", "good")
    else:
        flash(NOT_MADE[done], "warn")
    return redirect(url_for("office.connection", connection_id=connection_id), 303)


def _page(
    session: Session, found: list[Estimate], day: date, zone_id: int | None, connection_id: int | None
) -> ResponseReturnValue:
    shown = found[:SHOWN]
    return render_template(
        "office/estimates.html",
        shown=shown,
        able=sum(not one.reason for one in shown),
        following=shown[-1].connection_id if len(found) > SHOWN else None,
        zones=dict(session.execute(select(Zone.id, Zone.name).order_by(Zone.name)).tuples().all()),
        zone=zone_id,
        connection_id=connection_id,
        day=day,
        reasons=REASONS,
    )


def _day() -> date:
    """The day that is asked for; today where it is none, or has not come yet."""
    now = today(settings().utility_zone)
    try:
        return min(date.fromisoformat(request.args.get("day", "")), now)
    except ValueError:
        return now
