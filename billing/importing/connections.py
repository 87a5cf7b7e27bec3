"""Connections: the places that are supplied."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from billing.accounts import parse_account_no
from billing.customers import create_connection
from billing.importing.columns import Column, Values
from billing.importing.kind import Kind, Made, Origin
from billing.importing.known import connections_named, customers_named, imported, tariffs_named, zones_named
from billing.importing.values import Reader, Wrong, choice, day, text
from billing.models import BulkEditRow, Connection, Invoice, MeterAssignment, Posting, Reading
from billing.moments import here

PAYS = {"after": "After use", "before": "In advance"}


def _account(said: str, _days: str) -> str | Wrong:
    return parse_account_no(said) or Wrong(
        "has another last digit than its check digit; leave it empty, and put the old number under reference"
    )


account: Reader = _account
COLUMNS = (
    Column("reference", text(40), "Your own number for it; other files can name it by that", "OLD-77",
           alike=("old account", "connection no", "connection number", "id")),
    Column("account", account, "Its account number, if it has a Luhn check digit; else it gets a new one",
           alike=("account no", "account number")),
    Column("customer", text(60), "Your reference of the customer, or a phone of hers; empty: nobody yet", "C-1001",
           alike=("customer reference", "customer no", "customer id", "owner")),
    Column("zone", text(60), "Code or name of a zone that is there", "WL", required=True, alike=("area", "block")),
    Column("tariff", text(80), "Name of a tariff that is there", "Domestic", required=True,
           alike=("tariff class", "class", "category")),
    Column("address", text(200), "Where it is", "Plot 12, Wood Avenue", required=True, alike=("location", "street")),
    Column("building", text(60), "Part of the address", alike=("house",)),
    Column("department", text(60), "Of an institution"),
    Column("pays", choice(PAYS), "after (by bills) or before (prepaid); after where it is empty", "after",
           default="after"),
    Column("opened_on", day, "Since when it is supplied; today where it is empty", "2026-01-15",
           alike=("opened", "connected on", "date")),
)  # fmt: skip


def _names(values: Values) -> list[str]:
    pairs = (("connection", values["reference"]), ("account", values["account"]))
    return [f"{thing} {name}" for thing, name in pairs if name]


def _check(session: Session, rows: Sequence[Values]) -> list[str]:
    zones, tariffs = zones_named(session), tariffs_named(session)
    customers = customers_named(session, {values["customer"] for values in rows if values["customer"]})
    taken = connections_named(session, {values["account"] for values in rows if values["account"]})
    earlier = imported(session, "connection", {values["reference"] for values in rows if values["reference"]})

    def refused(values: Values) -> str:
        if values["zone"].casefold() not in zones:
            return f"There is no zone {values['zone']}."
        if values["tariff"].casefold() not in tariffs:
            return f"There is no tariff {values['tariff']}."
        if values["customer"] and values["customer"] not in customers:
            return f"There is no customer {values['customer']}."
        if values["account"] in taken:
            return f"Account {values['account']} is there already."
        return f"Connection {values['reference']} was imported before." if values["reference"] in earlier else ""

    return [refused(values) for values in rows]


def _make(session: Session, values: Values, _origin: Origin) -> Made | str:
    customer = values["customer"]
    made = create_connection(
        session,
        zone_id=zones_named(session)[values["zone"].casefold()],
        tariff_id=tariffs_named(session)[values["tariff"].casefold()],
        customer_id=customers_named(session, [customer])[customer] if customer else None,
        address=values["address"],
        building=values["building"] or "",
        department=values["department"] or "",
        prepaid=values["pays"] == "before",
        opened_on=values["opened_on"] or here(),
        account_no=values["account"],
    )
    return {"connection": made.id, "account": made.account_no}


def _undo(session: Session, made: Made, _origin: Origin) -> str:
    connection_id = made["connection"]
    place = session.get(Connection, connection_id)
    if place is None:
        return "It is gone already."
    for thing, words in (
        (Posting, "Its account has entries in the books."), (Invoice, "It was billed."),
        (MeterAssignment, "It has a meter."), (Reading, "It was read."),
    ):  # fmt: skip
        if session.scalar(select(exists().where(thing.connection_id == connection_id))):
            return words
    session.execute(delete(BulkEditRow).where(BulkEditRow.connection_id == connection_id))
    session.delete(place)
    return ""


CONNECTIONS = Kind(
    "connections", "Connections", "Places that are supplied, in zones and with tariffs that are there.", "address",
    COLUMNS, _names, _check, _make, _undo,
)  # fmt: skip
