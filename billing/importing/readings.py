"""Readings, judged one by one as those that the office types."""

from collections.abc import Sequence

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from billing.importing.columns import Column, Values
from billing.importing.kind import Kind, Made, Origin
from billing.importing.known import connections_named
from billing.importing.values import choice, day, number, text, yes_or_no
from billing.models import Invoice, Meter, MeterAssignment, Reading
from billing.moments import here
from billing.readings import Refused, lock_connection, record_reading, reject_reading
from core.clock import now

SOURCES = {"office": "Office", "field": "Field reader"}
SURE = "If the dials really say so, write yes under confirmed."
REFUSALS = {
    "high": f"It is much more than usual. {SURE}",
    "low": f"It is much less than usual. {SURE}",
    "too_many_digits": "The meter has not so many dials.",
    "no_meter": "There is no meter at this connection.",
    "future": "taken_on is in the future.",
    "out_of_order": "It does not fit between the readings before and after that day.",
}
GONE_WRONG = "It cannot follow the last reading."
TAKEN_BACK = "import taken back"

COLUMNS = (
    Column("account", text(40), "The connection, by account or your reference", "OLD-77", required=True,
           alike=("account no", "account number", "connection", "reference")),
    Column("value", number(), "What the dials said", "1,265.5", required=True,
           alike=("reading", "current reading", "index")),
    Column("taken_on", day, "The day; oldest first where a connection has several", "2026-02-15", required=True,
           alike=("date", "reading date", "day", "read on")),
    Column("meter", text(40), "The serial, to be sure that it is the right one", "KM004711",
           alike=("serial", "meter no")),
    Column("source", choice(SOURCES), "office or field; office where it is empty", "field", default="office",
           alike=("by",)),
    Column("confirmed", yes_or_no, "yes where an unusual one was looked at", "", default=False, alike=("sure",)),
)  # fmt: skip


def _names(values: Values) -> list[str]:
    return [f"reading {values['account']} {values['taken_on']} {values['value']}"]


def _check(session: Session, rows: Sequence[Values]) -> list[str]:
    places = connections_named(session, {values["account"] for values in rows})
    meters = dict(
        session.execute(
            select(MeterAssignment.connection_id, Meter.serial)
            .join(Meter, Meter.id == MeterAssignment.meter_id)
            .where(MeterAssignment.connection_id.in_(set(places.values())), MeterAssignment.to_on.is_(None))
        ).tuples().all()
    )  # fmt: skip

    def refused(values: Values) -> str:
        place = places.get(values["account"])
        if place is None:
            return f"There is no connection {values['account']}."
        if place not in meters:
            return REFUSALS["no_meter"]
        if values["meter"] and "".join(values["meter"].split()).upper() != meters[place]:
            return f"The meter there is {meters[place]}."
        return REFUSALS["future"] if values["taken_on"] > here() else ""

    return [refused(values) for values in rows]


def _make(session: Session, values: Values, origin: Origin) -> Made | str:
    place = connections_named(session, [values["account"]])[values["account"]]
    done = record_reading(
        session, place, values["value"], source=values["source"], entered_by=origin.by, taken_on=values["taken_on"],
        confirmed=values["confirmed"], park=True,
    )  # fmt: skip
    if isinstance(done, Refused):
        return REFUSALS.get(done.kind, GONE_WRONG)
    if done.judgement.kind == "duplicate":
        return "This reading is in the books already."
    return {"reading": done.reading.id, "waits": done.status == "review"}


def _undo(session: Session, made: Made, origin: Origin) -> str:
    reading = session.get(Reading, made["reading"])
    if reading is None:
        return "It is gone already."
    lock_connection(session, reading.connection_id)
    session.refresh(reading)
    if reading.status == "review":
        return "" if reject_reading(session, reading.id, origin.by, TAKEN_BACK) else "Somebody has decided about it."
    if reading.status != "accepted":
        return "It no longer stands."
    if session.scalar(
        select(
            exists().where(
                or_(Invoice.opening_reading_id == reading.id, Invoice.closing_reading_id == reading.id),
                Invoice.status != "void",
            )
        )
    ):
        return "It was billed."
    later = (Reading.taken_on > reading.taken_on) | ((Reading.taken_on == reading.taken_on) & (Reading.id > reading.id))
    same_meter = exists().where(Reading.meter_id == reading.meter_id)
    if session.scalar(select(same_meter.where(later, Reading.status.in_(("accepted", "review"))))):
        return "There is a later reading of this meter."
    gave_way = Reading.decided_at >= reading.created_at
    if session.scalar(select(same_meter.where(Reading.status == "superseded", gave_way))):
        return "It took the place of an estimate. Correct it instead."
    reading.status, reading.note = "rejected", TAKEN_BACK
    reading.decided_by, reading.decided_at = origin.by, now()
    session.flush()
    return ""


READINGS = Kind(
    "readings", "Readings", "What the dials said. Each is judged as those that the office types.", "value", COLUMNS,
    _names, _check, _make, _undo,
)  # fmt: skip
