"""The list of connections: what one may narrow it by, and what it shows of each."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE
from admin_web.exports import exported
from admin_web.lists import Cells, Column, Filter, Listing, fixed
from admin_web.lists_customers import OWING, zone_choices
from admin_web.places import Place, places
from billing.models import Balance, Connection, Customer, CustomerPhone, MeterAssignment, Tariff

SHOWS = {
    "unmetered": "Without a meter", "free": "Without a customer", "suspended": "Suspended", "prepaid": "Prepaid",
    "closed": "Closed", "active": "Active",
}  # fmt: skip


def tariff_choices(session: Session) -> Mapping[str, str]:
    """Every tariff, by its number as text."""
    return {str(tariff.id): tariff.name for tariff in session.scalars(select(Tariff).order_by(Tariff.name))}


def _state(which: str) -> ColumnElement[bool]:
    if which == "unmetered":
        metered = select(MeterAssignment.connection_id).where(MeterAssignment.to_on.is_(None))
        return and_(Connection.id.not_in(metered), Connection.status == "active")
    if which == "free":
        return and_(Connection.customer_id.is_(None), Connection.status == "active")
    return Connection.prepaid.is_(True) if which == "prepaid" else Connection.status == which


def _owing(how: str) -> ColumnElement[bool]:
    moved = exists().where(Balance.connection_id == Connection.id)
    if how == "settled":
        return ~moved.where(Balance.amount_minor != 0)
    return moved.where(Balance.amount_minor > 0 if how == "owes" else Balance.amount_minor < 0)


def _searched(text: str) -> ColumnElement[bool]:
    return Connection.account_no.startswith("".join(text.split()).replace("-", ""), autoescape=True)


def _cells(session: Session, rows: Sequence[Connection]) -> list[Cells]:
    found = {place.connection.id: place for place in places(session, Connection.id.in_([row.id for row in rows]))}
    owners = {row.customer_id for row in rows if row.customer_id is not None}
    names = dict(session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(owners))).tuples().all())
    phones: dict[int, list[str]] = {}
    known = select(CustomerPhone).where(CustomerPhone.customer_id.in_(owners)).order_by(CustomerPhone.created_at)
    for one in session.scalars(known):
        phones.setdefault(one.customer_id, []).append(one.phone)
    return [_cell(found[row.id], names, phones) for row in rows]


def _cell(place: Place, names: Mapping[int, str], phones: Mapping[int, list[str]]) -> Cells:
    one = place.connection
    return {
        "id": one.id,
        "account": one.account_no,
        "customer": names.get(one.customer_id or 0),
        "customer_id": one.customer_id,
        "phones": phones.get(one.customer_id or 0, []),
        "zone": place.zone,
        "address": ", ".join(part for part in (one.address, one.building, one.department) if part),
        "tariff": place.tariff,
        "meter": place.meter.serial if place.meter else None,
        "meter_id": place.meter.id if place.meter else None,
        "state": one.status,
        "pays": "In advance" if one.prepaid else "After use",
        "balance": place.balance,
        "opened_on": one.opened_on,
    }


def _base() -> Select[tuple[Connection]]:
    return select(Connection)


CONNECTIONS = Listing(
    "connections", "Connections", _base, [Connection.id],
    (
        Column("account", "Account", "account", way=("connection", "connection_id", "id")),
        Column("customer", "Customer", way=("customer", "customer_id", "customer_id")),
        Column("phones", "Phone", "phones", shown=False), Column("zone", "Zone"), Column("address", "Where"),
        Column("tariff", "Tariff", shown=False), Column("meter", "Meter", way=("meter", "meter_id", "meter_id")),
        Column("state", "State", "state"), Column("pays", "Pays", shown=False),
        Column("balance", "Balance", "balance"), Column("opened_on", "Opened", "day", shown=False),
    ),
    (
        Filter("show", "State", fixed(SHOWS), _state),
        Filter("zone", "Zone", zone_choices, lambda value: Connection.zone_id == int(value)),
        Filter("tariff", "Tariff", tariff_choices, lambda value: Connection.tariff_id == int(value)),
        Filter("owing", "Balance", fixed(OWING), _owing),
    ),
    _searched, _cells,
)  # fmt: skip
exported(CONNECTIONS, EVERYONE)
