"""Meters, in store or at once at a connection with what they show there."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from billing.importing.columns import Column, Values
from billing.importing.kind import Kind, Made, Origin
from billing.importing.known import among, connections_named
from billing.importing.values import day, number, text, whole
from billing.meters import MeterRefusal, assign_meter, register_meter
from billing.models import Connection, Invoice, Meter, MeterAssignment, Reading
from billing.moments import here

NO_PLACE = "There is no connection {}."
REFUSALS = {
    "serial_taken": "A meter with this serial is registered already.",
    "has_meter": "This connection has a meter already.",
    "start_value": "start_value has more digits than the meter.",
}

COLUMNS = (
    Column("serial", text(40), "The number on the meter", "KM004711", required=True,
           alike=("meter", "meter no", "meter number", "serial number")),
    Column("digits", whole(3, 10), "Dials of whole units; 6 where it is empty", "6", default=6, alike=("dials",)),
    Column("size_mm", whole(5, 1000), "15 where it is empty", "15", default=15, alike=("size", "diameter")),
    Column("account", text(40), "The connection it is at, by account or your reference; empty: in store", "OLD-77",
           alike=("account no", "account number", "connection", "reference")),
    Column("start_value", number(), "What it shows there; 0 where it is empty", "1,250", default=Decimal(0),
           alike=("opening reading", "initial reading", "start")),
    Column("from_on", day, "Since when it is there; today where it is empty", "2026-01-15",
           alike=("installed on", "installation date", "from")),
)  # fmt: skip


def _serial(values: Values) -> str:
    return "".join(str(values["serial"]).split()).upper()


def _names(values: Values) -> list[str]:
    at = [f"meter at {values['account']}"] if values["account"] else []
    return [f"meter {_serial(values)}", *at]


def _check(session: Session, rows: Sequence[Values]) -> list[str]:
    known = set(session.scalars(select(Meter.serial).where(among(Meter.serial, {_serial(values) for values in rows}))))
    places = connections_named(session, {values["account"] for values in rows if values["account"]})
    metered = set(
        session.scalars(
            select(MeterAssignment.connection_id).where(
                MeterAssignment.connection_id.in_(set(places.values())), MeterAssignment.to_on.is_(None)
            )
        )
    )

    def refused(values: Values) -> str:
        if _serial(values) in known:
            return REFUSALS["serial_taken"]
        if not values["account"]:
            return ""
        if values["account"] not in places:
            return NO_PLACE.format(values["account"])
        if values["start_value"] >= 10 ** values["digits"]:
            return REFUSALS["start_value"]
        if (values["from_on"] or here()) > here():
            return "from_on is in the future."
        return REFUSALS["has_meter"] if places[values["account"]] in metered else ""

    return [refused(values) for values in rows]


def _make(session: Session, values: Values, origin: Origin) -> Made | str:
    made = register_meter(session, values["serial"], digits=values["digits"], size_mm=values["size_mm"])
    if isinstance(made, MeterRefusal):
        return REFUSALS[made.kind]
    if not values["account"]:
        return {"meter": made.id}
    place = connections_named(session, [values["account"]])[values["account"]]
    put = assign_meter(
        session, made.id, place, on=values["from_on"] or here(), start_value=values["start_value"], by=origin.by
    )
    if isinstance(put, MeterRefusal):
        return REFUSALS[put.kind]
    return {"meter": made.id, "connection": place}


def _undo(session: Session, made: Made, _origin: Origin) -> str:
    meter = session.get(Meter, made["meter"], with_for_update=True)
    if meter is None:
        return "It is gone already."
    if "connection" in made:
        session.execute(
            select(Connection.id).where(Connection.id == made["connection"]).with_for_update(key_share=True)
        )
    readings = session.scalars(select(Reading).where(Reading.meter_id == meter.id)).all()
    if any(reading.source != "opening" for reading in readings):
        return "It was read."
    times = session.scalar(select(func.count()).where(MeterAssignment.meter_id == meter.id)) or 0
    if times > ("connection" in made) or meter.status == "retired":
        return "It was put elsewhere since."
    openings = [reading.id for reading in readings]
    billed = or_(Invoice.opening_reading_id.in_(openings), Invoice.closing_reading_id.in_(openings))
    if openings and session.scalar(select(Invoice.id).where(billed).limit(1)):
        return "Its first bill is made."
    session.execute(delete(Reading).where(Reading.id.in_(openings)))
    session.execute(delete(MeterAssignment).where(MeterAssignment.meter_id == meter.id))
    session.delete(meter)
    return ""


METERS = Kind(
    "meters", "Meters", "Meters in store, or at a connection with what they show.", "serial", COLUMNS, _names, _check,
    _make, _undo,
)  # fmt: skip
