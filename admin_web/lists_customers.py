"""The list of customers: what one may narrow it by, and what it shows of each."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE
from admin_web.exports import exported
from admin_web.lists import Cells, Column, Filter, Listing, fixed
from admin_web.places import Place, places, total_owed
from admin_web.search import may_mean
from billing.models import Balance, Connection, Customer, CustomerPhone, Zone
from core.i18n import LANGUAGES

KINDS = {"domestic": "Household", "commercial": "Business", "institution": "Institution"}
OWING = {"owes": "Owes", "credit": "In credit", "settled": "Owes nothing"}
SUPPLIED = {"active": "Active", "suspended": "Suspended", "none": "No connection"}
REACHED = {"yes": "Has a phone", "no": "Has no phone"}


def zone_choices(session: Session) -> Mapping[str, str]:
    """Every zone, by its number as text."""
    return {str(zone.id): zone.name for zone in session.scalars(select(Zone).order_by(Zone.name))}


def _has_place(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Connection.customer_id == Customer.id, *conditions)


def _owing(how: str) -> ColumnElement[bool]:
    own = exists().where(Connection.customer_id == Customer.id, Balance.connection_id == Connection.id)
    if how == "settled":
        return ~own.where(Balance.amount_minor != 0)
    return own.where(Balance.amount_minor > 0 if how == "owes" else Balance.amount_minor < 0)


def _supplied(how: str) -> ColumnElement[bool]:
    return ~_has_place() if how == "none" else _has_place(Connection.status == how)


def _reached(how: str) -> ColumnElement[bool]:
    has = exists().where(CustomerPhone.customer_id == Customer.id)
    return has if how == "yes" else ~has


def _cells(session: Session, rows: Sequence[Customer]) -> list[Cells]:
    ids = [customer.id for customer in rows]
    own: dict[int | None, list[Place]] = {}
    for place in places(session, Connection.customer_id.in_(ids)):
        own.setdefault(place.connection.customer_id, []).append(place)
    phones: dict[int, list[str]] = {}
    known = select(CustomerPhone).where(CustomerPhone.customer_id.in_(ids)).order_by(CustomerPhone.created_at)
    for one in session.scalars(known):
        phones.setdefault(one.customer_id, []).append(one.phone)
    return [_cell(customer, own.get(customer.id, []), phones.get(customer.id, [])) for customer in rows]


def _cell(customer: Customer, own: Sequence[Place], phones: list[str]) -> Cells:
    return {
        "id": customer.id,
        "name": customer.name,
        "phones": phones,
        "accounts": [place.connection.account_no for place in own],
        "zone": list(dict.fromkeys(place.zone for place in own)),
        "supply": next((place.connection.status for place in own if place.connection.status != "active"), None)
        or ("active" if own else None),
        "balance": total_owed(own) if own else None,
        "kind": customer.kind,
        "language": customer.language,
        "since": customer.created_at,
    }


def _base() -> Select[tuple[Customer]]:
    return select(Customer)


CUSTOMERS = Listing(
    "customers", "Customers", _base, [Customer.name, Customer.id],
    (
        Column("name", "Customer", way=("customer", "customer_id", "id")), Column("phones", "Phone", "phones"),
        Column("accounts", "Account", "accounts"), Column("zone", "Zone"), Column("supply", "Supply", "state"),
        Column("balance", "Balance", "balance"),
        Column("kind", "Kind", "words", shown=False, words={key: ("", words) for key, words in KINDS.items()}),
        Column("language", "Language", "words", shown=False,
               words={key: ("", words) for key, words in LANGUAGES.items()}),
        Column("since", "Customer since", "moment", shown=False),
    ),
    (
        Filter("zone", "Zone", zone_choices, lambda value: _has_place(Connection.zone_id == int(value))),
        Filter("owing", "Balance", fixed(OWING), _owing),
        Filter("supply", "Supply", fixed(SUPPLIED), _supplied),
        Filter("kind", "Kind", fixed(KINDS), lambda value: Customer.kind == value),
        Filter("language", "Language", fixed(LANGUAGES), lambda value: Customer.language == value),
        Filter("phone", "Phone", fixed(REACHED), _reached),
    ),
    may_mean, _cells,
)  # fmt: skip
exported(CUSTOMERS, EVERYONE)
