"""What the names in a file stand for: accounts, customers, zones and tariffs that are in the books, many at once."""

from collections.abc import Collection, Iterable

from sqlalchemy import Integer, Text, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from billing.accounts import parse_account_no
from billing.importing.models import ImportFile, ImportRow
from billing.models import Connection, Customer, CustomerPhone, Tariff, Zone
from core.config import settings
from core.phone import Phone, parse_phone


def connections_named(session: Session, names: Collection[str]) -> dict[str, int]:
    """Connections by account number, or by the old number under which an earlier file brought them."""
    accounts = {name: number for name in names if (number := parse_account_no(name))}
    rows = session.execute(
        select(Connection.account_no, Connection.id).where(Connection.account_no.in_(set(accounts.values())))
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
        .where(CustomerPhone.phone.in_(set(phones.values())), Customer.status == "active")
    )
    owners: dict[Phone, int] = dict(rows.tuples().all())
    return found | {name: owners[phone] for name, phone in phones.items() if phone in owners}


def imported(session: Session, thing: str, names: Iterable[str]) -> dict[str, int]:
    """What files that were imported called by these names of their own, and still is in the books."""
    wanted = {f"{thing} {name}": name for name in names}
    if not wanted:
        return {}
    rows = session.execute(
        select(ImportRow.names, ImportRow.made[thing].astext.cast(Integer))
        .join(ImportFile, ImportFile.id == ImportRow.file_id)
        .where(
            ImportRow.names.overlap(cast(list(wanted), ARRAY(Text))),
            ImportRow.names != cast([], ARRAY(Text)),
            ImportRow.state.in_(("made", "kept")),
        )
    )
    return {wanted[name]: made for names_of_row, made in rows for name in names_of_row if name in wanted and made}


def zones_named(session: Session) -> dict[str, int]:
    """Zones by code and by name, in small letters."""
    rows = session.execute(select(Zone.id, Zone.code, Zone.name)).all()
    return {name.casefold(): row.id for row in rows for name in (row.name, row.code)}


def tariffs_named(session: Session) -> dict[str, int]:
    """Tariffs by name, in small letters."""
    rows = session.execute(select(Tariff.id, func.lower(Tariff.name)))
    return {name: tariff_id for tariff_id, name in rows}
