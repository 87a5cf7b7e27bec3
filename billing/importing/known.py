"""What the names in a file stand for: accounts, customers, zones and tariffs that are in the books, many at once."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from billing.accounts import parse_account_no
from billing.importing.models import ImportName, ImportRow
from billing.models import Connection, Customer, CustomerPhone, Tariff, Zone
from core.config import settings
from core.phone import Phone, parse_phone


def connections_named(session: Session, names: Collection[str]) -> dict[str, int]:
    """Connections by account number, or by the old number under which an earlier file brought them."""
    accounts = {name: number for name in names if (number := parse_account_no(name))}
    rows = session.execute(
        select(Connection.account_no, Connection.id).where(among(Connection.account_no, set(accounts.values())))
    )
    ids = dict(rows.tuples().all())
    found = {name: ids[number] for name, number in accounts.items() if number in ids}
    return found | imported(session, "connection", [name for name in names if name not in found])


def customers_named(session: Session, names: Collection[str]) -> dict[str, int]:
    """Customers by a phone of theirs, or by the old number under which an earlier file brought them."""
    found = imported(session, "customer", names)
    phones = {name: phone for name in names if name not in found and (phone := parse_phone(name, settings().region))}
    rows = session.execute(
        select(CustomerPhone.phone, CustomerPhone.customer_id)
        .join(Customer, Customer.id == CustomerPhone.customer_id)
        .where(among(CustomerPhone.phone, set(phones.values())), Customer.status == "active")
    )
    owners: dict[Phone, int] = dict(rows.tuples().all())
    return found | {name: owners[phone] for name, phone in phones.items() if phone in owners}


def imported(session: Session, thing: str, names: Iterable[str]) -> dict[str, int]:
    """What files that were imported called by these names of their own, and still is in the books."""
    wanted = {f"{thing} {name}": name for name in names}
    if not wanted:
        return {}
    rows = session.execute(
        select(ImportName.name, ImportRow.made[thing].astext.cast(BigInteger))
        .join(ImportRow, (ImportRow.file_id == ImportName.file_id) & (ImportRow.number == ImportName.number))
        .where(among(ImportName.name, wanted), ImportRow.state.in_(("made", "kept")))
    )
    return {wanted[name]: made for name, made in rows if made}


def among(column: InstrumentedAttribute[Any], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a column of text is one of many values, as one parameter however many they are."""
    return column == any_(cast(list(values), ARRAY(Text)))


def zones_named(session: Session) -> dict[str, int]:
    """Zones by code and by name, in small letters."""
    rows = session.execute(select(Zone.id, Zone.code, Zone.name)).all()
    return {name.casefold(): row.id for row in rows for name in (row.name, row.code)}


def tariffs_named(session: Session) -> dict[str, int]:
    """Tariffs by name, in small letters."""
    rows = session.execute(select(Tariff.id, func.lower(Tariff.name)))
    return {name: tariff_id for tariff_id, name in rows}
