"""The list of meters, and that of readings: what one may narrow them by, and what they show of each."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE
from admin_web.exports import exported
from admin_web.lists import Cells, Column, Filter, Listing, fixed
from admin_web.lists_customers import zone_choices
from billing.models import Connection, Meter, MeterAssignment, Reading

METER_STATES = {"stock": ("off", "In store"), "installed": ("good", "Installed"), "retired": ("off", "Retired")}
SOURCES = {
    "customer_ussd": "Customer, by USSD", "customer_sms": "Customer, by SMS", "office": "Office",
    "field": "Field reader", "estimate": "Estimate", "opening": "Opening",
}  # fmt: skip
BY_STATE = {"review": "To review", "accepted": "Accepted", "rejected": "Rejected", "superseded": "Replaced"}
BY_SOURCE = {"customer": "From customers", "office": "From the office", "field": "Field readers",
             "estimate": "Estimates"}  # fmt: skip
CUSTOMER = ("customer_ussd", "customer_sms")


def _serial(text: str) -> ColumnElement[bool]:
    return Meter.serial.startswith("".join(text.split()).upper(), autoescape=True)


def _meter_in_zone(zone: str) -> ColumnElement[bool]:
    there = select(MeterAssignment.meter_id).join(Connection, Connection.id == MeterAssignment.connection_id)
    return Meter.id.in_(there.where(MeterAssignment.to_on.is_(None), Connection.zone_id == int(zone)))


def _meters(session: Session, rows: Sequence[Meter]) -> list[Cells]:
    where = session.execute(
        select(MeterAssignment.meter_id, Connection)
        .join(Connection, Connection.id == MeterAssignment.connection_id)
        .where(MeterAssignment.to_on.is_(None), MeterAssignment.meter_id.in_([meter.id for meter in rows]))
    )
    places = dict(where.tuples().all())
    return [
        {
            "id": meter.id, "serial": meter.serial, "digits": meter.digits, "size": meter.size_mm,
            "state": meter.status, "account": places[meter.id].account_no if meter.id in places else None,
            "connection_id": places[meter.id].id if meter.id in places else None,
            "address": places[meter.id].address if meter.id in places else None,
        }
        for meter in rows
    ]  # fmt: skip


def _of_account(text: str) -> ColumnElement[bool]:
    prefix = "".join(text.split()).replace("-", "")
    known = select(Connection.id).where(Connection.account_no.startswith(prefix, autoescape=True))
    return Reading.connection_id.in_(known)


def _readings(session: Session, rows: Sequence[Reading]) -> list[Cells]:
    ids = {reading.connection_id for reading in rows}
    accounts = dict(
        session.execute(select(Connection.id, Connection.account_no).where(Connection.id.in_(ids))).tuples().all()
    )
    serials = dict(
        session.execute(select(Meter.id, Meter.serial).where(Meter.id.in_({one.meter_id for one in rows})))
        .tuples()
        .all()
    )
    return [
        {
            "id": one.id, "taken_on": one.taken_on, "account": accounts[one.connection_id],
            "connection_id": one.connection_id, "meter": serials[one.meter_id], "value": one.value,
            "usage": one.usage, "entered_by": one.entered_by, "source": one.source, "state": one.status,
            "note": one.note, "entered_at": one.created_at,
        }
        for one in rows
    ]  # fmt: skip


def _meter_base() -> Select[tuple[Meter]]:
    return select(Meter)


def _reading_base() -> Select[tuple[Reading]]:
    return select(Reading)


METERS = Listing(
    "meters", "Meters", _meter_base, [Meter.id],
    (
        Column("serial", "Serial", way=("meter", "meter_id", "id")),
        Column("account", "Connection", "account", way=("connection", "connection_id", "connection_id")),
        Column("address", "Where"), Column("digits", "Digits", "number"), Column("size", "Size, mm", "number"),
        Column("state", "State", "state", words=METER_STATES),
    ),
    (
        Filter("show", "State", fixed({key: words for key, (_tone, words) in METER_STATES.items()}),
               lambda value: Meter.status == value),
        Filter("zone", "Zone", zone_choices, _meter_in_zone),
    ),
    _serial, _meters, newest_first=True,
)  # fmt: skip
READINGS = Listing(
    "readings", "Readings", _reading_base, [Reading.id],
    (
        Column("taken_on", "Taken on", "day", way=("reading", "reading_id", "id")),
        Column("account", "Account", "account", way=("connection", "connection_id", "connection_id")),
        Column("meter", "Meter", shown=False), Column("value", "Reading", "quantity"),
        Column("usage", "Used, m³", "quantity"), Column("entered_by", "Entered by"),
        Column("source", "Source", "words", words={key: ("", words) for key, words in SOURCES.items()}),
        Column("state", "State", "state"), Column("note", "Note", shown=False),
        Column("entered_at", "Entered", "moment", shown=False),
    ),
    (
        Filter("show", "State", fixed(BY_STATE), lambda value: Reading.status == value),
        Filter("source", "Source", fixed(BY_SOURCE),
               lambda value: Reading.source.in_(CUSTOMER if value == "customer" else (value,))),
        Filter("zone", "Zone", zone_choices,
               lambda value: Reading.connection_id.in_(select(Connection.id).where(Connection.zone_id == int(value)))),
    ),
    _of_account, _readings, newest_first=True,
)  # fmt: skip
exported(METERS, EVERYONE)
exported(READINGS, EVERYONE)
