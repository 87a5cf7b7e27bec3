"""The entry sheet: a zone's meters in a row, the previous reading beside each, the usage as one types."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import READINGS, officer, page
from admin_web.paging import listed
from admin_web.places import Place, places
from billing.models import Connection, Customer, MeterAssignment, Reading, Zone
from billing.readings import Recorded, judge, latest_reading, record_reading
from core.clock import today
from core.config import settings
from core.i18n import quantity

# tone, words; {usage} is filled in
VERDICTS = {
    "ok": ("good", "{usage} m³"),
    "high": ("warn", "{usage} m³, much more than usual. Tick “sure” if the dials say so."),
    "low": ("warn", "{usage} m³, much less than usual. Tick “sure” if the dials say so."),
    "below": ("bad", "This is below the previous reading. Tick “sure” to put it to review."),
    "impossible": ("bad", "{usage} m³ is more than the meter can let through. Tick “sure” to put it to review."),
    "too_many_digits": ("bad", "The meter has not so many dials."),
    "no_meter": ("bad", "There is no meter here."),
    "duplicate": ("good", "This reading is in the books already."),
    "future": ("bad", "The day lies in the future."),
    "out_of_order": ("bad", "It does not fit between the readings that are in the books."),
}
NOT_A_NUMBER = ("bad", "Write the digits that the meter shows, such as 1234.")
UNUSUAL = ("high", "low", "below", "impossible")


@dataclass(slots=True)
class Row:
    """One meter of the sheet: what was there, what was typed, and what came of it."""

    place: Place
    customer: str
    previous: Reading | None
    typed: str = ""
    tone: str = ""
    verdict: str = ""
    unusual: bool = False
    sure: bool = False
    saved: bool = False


@page("/readings/sheet", roles=READINGS)
def reading_sheet(session: Session) -> ResponseReturnValue:
    """The meters of a zone, or of one connection."""
    return _sheet_page(session, _sheet(session), today(settings().utility_zone).isoformat())


@page("/readings/sheet", roles=READINGS, methods=("POST",))
def save_sheet(session: Session) -> ResponseReturnValue:
    """Save the rows that are right; show the others again with what is wrong beside each."""
    sheet, typed_day = _sheet(session), request.form.get("taken_on", "")
    taken_on = _day(typed_day)
    if taken_on is None:
        return _sheet_page(session, sheet, typed_day, "Write the day as year-month-day."), 422
    for row in sheet.rows:
        _save(session, row, taken_on)
    saved = sum(row.saved for row in sheet.rows)
    wrong = [row for row in sheet.rows if row.typed and not row.saved]
    if not wrong:
        flash(f"{saved} reading{'' if saved == 1 else 's'} saved." if saved else "Nothing was typed.", "good")
        return redirect(_back(), 303)
    flash(f"{saved} saved; {len(wrong)} not yet, marked below.", "warn")
    return _sheet_page(session, sheet, typed_day)


@page("/readings/judge", roles=READINGS)
def judge_reading(session: Session) -> ResponseReturnValue:
    """The usage that a typed value would mean: a part of the sheet, as one types."""
    connection_id = request.args.get("connection", type=int) or abort(400)
    typed = request.args.get(f"value-{connection_id}", "").strip()
    tone, verdict, unusual = "", "", False
    if typed:
        value = _value(typed)
        taken_on = _day(request.args.get("taken_on", "")) or today(settings().utility_zone)
        tone, verdict = NOT_A_NUMBER
        if value is not None:
            judged = judge(session, connection_id, value, on=taken_on, source="office")
            tone, verdict = _verdict(judged.kind, judged.usage)
            unusual = judged.kind in UNUSUAL
    return render_template("office/_judged.html", id=connection_id, tone=tone, verdict=verdict, unusual=unusual)


def _save(session: Session, row: Row, taken_on: date) -> None:
    connection_id = row.place.connection.id
    row.typed = request.form.get(f"value-{connection_id}", "").strip()
    row.sure = request.form.get(f"sure-{connection_id}") == "yes"
    if not row.typed:
        return
    value = _value(row.typed)
    if value is None:
        row.tone, row.verdict = NOT_A_NUMBER
        return
    done = record_reading(
        session,
        connection_id,
        value,
        source="office",
        entered_by=officer().actor,
        taken_on=taken_on,
        confirmed=row.sure,
        park=row.sure,
    )
    row.saved = isinstance(done, Recorded)
    row.unusual = not row.saved and done.judgement.kind in UNUSUAL
    row.tone, row.verdict = _verdict(done.judgement.kind, done.judgement.usage)
    if row.saved:
        row.tone, row.verdict = "good", f"Saved: {quantity(done.judgement.usage or Decimal(0))} m³"
        if isinstance(done, Recorded) and done.status == "review":
            row.tone, row.verdict = "warn", "It waits for review."


def _verdict(kind: str, usage: Decimal | None) -> tuple[str, str]:
    tone, words = VERDICTS.get(kind, ("bad", "This cannot be so."))
    return tone, words.format(usage=quantity(usage or Decimal(0)))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of rows; `following` leads to the next."""

    rows: Sequence[Row]
    following: str | None = None


def _sheet(session: Session) -> Sheet:
    """The metered connections that the address of the page asks for, a page of them."""
    query = select(Connection).join(
        MeterAssignment, (MeterAssignment.connection_id == Connection.id) & MeterAssignment.to_on.is_(None)
    )
    zone_id, connection_id = request.args.get("zone", type=int), request.args.get("connection", type=int)
    if connection_id is not None:
        query = query.where(Connection.id == connection_id)
    elif zone_id is not None:
        query = query.where(Connection.zone_id == zone_id, Connection.status == "active")
    else:
        return Sheet([])
    found = listed(session, query, [Connection.id])
    shown = places(session, Connection.id.in_([connection.id for connection in found.rows]))
    names = dict(
        session.execute(
            select(Customer.id, Customer.name).where(Customer.id.in_([place.connection.customer_id for place in shown]))
        )
        .tuples()
        .all()
    )
    rows = [
        Row(
            place,
            names.get(place.connection.customer_id or 0, "nobody yet"),
            latest_reading(session, place.connection.id),
        )
        for place in shown
    ]
    return Sheet(rows, found.following)


def _sheet_page(session: Session, sheet: Sheet, day: str, day_error: str = "") -> str:
    zones = session.execute(select(Zone.id, Zone.name).order_by(Zone.name)).tuples().all()
    return render_template(
        "office/reading_sheet.html",
        rows=sheet.rows,
        following=sheet.following,
        zones=dict(zones),
        zone=request.args.get("zone", type=int),
        connection_id=request.args.get("connection", type=int),
        day=day,
        day_error=day_error,
        where=_where(),
    )


def _where() -> dict[str, str]:
    return {name: value for name in ("zone", "connection", "after") if (value := request.args.get(name))}


def _back() -> str:
    connection_id = request.args.get("connection", type=int)
    if connection_id is not None:
        return url_for("office.connection", connection_id=connection_id)
    return url_for("office.reading_sheet", **_where())  # type: ignore[arg-type]


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def _value(typed: str) -> Decimal | None:
    """Exact, not negative, at most three digits after the point; None for anything else."""
    try:
        value = Decimal(typed.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        return None
    fine = value.is_finite() and 0 <= value < 10**11 and value == round(value, 3)
    return value if fine else None
