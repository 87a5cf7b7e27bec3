"""Customers, their phones and their connections."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.accounts import new_account_no, parse_account_no
from billing.models import Connection, Customer, CustomerPhone
from core.clock import now
from core.i18n import LANGUAGES
from core.phone import Phone

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Registered:
    """The phone now speaks for `customer`, who has `connection`."""

    customer: Customer
    connection: Connection


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: 'unknown_account', 'taken' (it is another customer's), 'closed', 'name', 'language', 'phone_taken'."""

    kind: str


Linkable = Connection | Registered | Refusal


def find_customer(session: Session, phone: Phone) -> Customer | None:
    """The customer that `phone` speaks for."""
    return session.scalar(
        select(Customer)
        .join(CustomerPhone, CustomerPhone.customer_id == Customer.id)
        .where(CustomerPhone.phone == phone, Customer.status == "active")
    )


def connections_of(session: Session, customer_id: int) -> list[Connection]:
    """The customer's connections that are not closed, oldest first."""
    return list(
        session.scalars(
            select(Connection)
            .where(Connection.customer_id == customer_id, Connection.status != "closed")
            .order_by(Connection.id)
        )
    )


def find_connection(session: Session, account_no: str) -> Connection | None:
    """The connection of that account number as a person may type it; None where it is unknown or mistyped."""
    number = parse_account_no(account_no)
    return session.scalar(select(Connection).where(Connection.account_no == number)) if number else None


def phones_of(session: Session, customer_id: int) -> list[Phone]:
    """The customer's phones, the first one added first."""
    return list(
        session.scalars(
            select(CustomerPhone.phone)
            .where(CustomerPhone.customer_id == customer_id)
            .order_by(CustomerPhone.created_at, CustomerPhone.phone)
        )
    )


def register_customer(
    session: Session, phone: Phone, name: str, language: str, account_no: str, source: str
) -> Registered | Refusal:
    """A caller registers herself by the account number on her bill; doing it again changes nothing.

    A connection whose customer already has a phone is 'taken': a second phone of the household is
    the office's to add. `source` is recorded ("customer +2547…").
    """
    connection = _asked_for(session, name, language, account_no)
    if isinstance(connection, Refusal):
        return connection
    caller = find_customer(session, phone)
    if connection.customer_id is None:
        owner = caller or create_customer(session, " ".join(name.split()), language=language, phone=phone, by=source)
        if isinstance(owner, Refusal):
            return owner
        connection.customer_id = owner.id
        session.flush()
        return Registered(owner, connection)
    return _join(session, connection, connection.customer_id, caller, phone, source)


def find_linkable(session: Session, phone: Phone, name: str, language: str, account_no: str) -> Linkable:
    """The connection that `register_customer` would give to the phone, or what it would say; writes nothing."""
    connection = _asked_for(session, name, language, account_no)
    if isinstance(connection, Refusal) or connection.customer_id is None:
        return connection
    caller = find_customer(session, phone)
    if caller is not None and caller.id == connection.customer_id:
        return Registered(caller, connection)
    if caller is not None or phones_of(session, connection.customer_id):
        return Refusal("taken")
    return connection


def _asked_for(session: Session, name: str, language: str, account_no: str) -> Connection | Refusal:
    """The connection in this transaction's hands, where what she says of herself will do."""
    if not 2 <= len(" ".join(name.split())) <= LONGEST_NAME:
        return Refusal("name")
    if language not in LANGUAGES:
        return Refusal("language")
    connection = _lock_connection(session, account_no)
    if connection is None:
        return Refusal("unknown_account")
    return Refusal("closed") if connection.status == "closed" else connection


def _join(
    session: Session, connection: Connection, owner_id: int, caller: Customer | None, phone: Phone, source: str
) -> Registered | Refusal:
    """The connection has a customer: the caller herself, or one the office entered without a phone."""
    if caller is not None and caller.id == owner_id:
        return Registered(caller, connection)
    if caller is not None or phones_of(session, owner_id):
        return Refusal("taken")
    if not _add_phone_row(session, owner_id, phone, source):
        return Refusal("phone_taken")
    return Registered(session.get_one(Customer, owner_id), connection)


def create_customer(
    session: Session,
    name: str,
    *,
    language: str,
    by: str,
    phone: Phone | None = None,
    kind: str = "domestic",
) -> Customer | Refusal:
    """A new customer, with a phone if she has one; 'phone_taken' where it speaks for somebody else."""
    if phone is not None and session.get(CustomerPhone, phone) is not None:
        return Refusal("phone_taken")
    customer = Customer(name=name, kind=kind, language=language, consent_at=now() if phone else None, created_at=now())
    session.add(customer)
    session.flush()
    if phone is not None and not _add_phone_row(session, customer.id, phone, by):
        session.delete(customer)
        session.flush()
        return Refusal("phone_taken")
    return customer


def add_phone(session: Session, customer_id: int, phone: Phone, by: str) -> Refusal | None:
    """Another phone for the customer; None when it is done (or was already)."""
    if _add_phone_row(session, customer_id, phone, by):
        return None
    owner = session.get_one(CustomerPhone, phone).customer_id
    return None if owner == customer_id else Refusal("phone_taken")


def remove_phone(session: Session, customer_id: int, phone: Phone) -> bool:
    """Take a phone away from the customer; whether it was hers."""
    row = session.get(CustomerPhone, phone)
    if row is None or row.customer_id != customer_id:
        return False
    session.delete(row)
    session.flush()
    return True


def set_language(session: Session, phone: Phone, language: str) -> bool:
    """Speak `language` to the customer of `phone` from now on; whether there is such a customer and language."""
    customer = find_customer(session, phone)
    if customer is None or language not in LANGUAGES:
        return False
    customer.language = language
    session.flush()
    return True


def rename(session: Session, phone: Phone, name: str) -> bool:
    """Call the customer of `phone` by this name from now on; whether there is one, and it is a name."""
    customer, name = find_customer(session, phone), " ".join(name.split())
    if customer is None or not 2 <= len(name) <= LONGEST_NAME:
        return False
    customer.name = name
    session.flush()
    return True


def create_connection(
    session: Session,
    *,
    zone_id: int,
    tariff_id: int,
    address: str,
    opened_on: date,
    customer_id: int | None = None,
    building: str = "",
    department: str = "",
    prepaid: bool = False,
    account_no: str | None = None,
) -> Connection:
    """A new supplied place, with the next account number unless it brings its own. A prepaid one gets no bills."""
    connection = Connection(
        account_no=account_no or new_account_no(session),
        customer_id=customer_id,
        zone_id=zone_id,
        tariff_id=tariff_id,
        address=address,
        opened_on=opened_on,
        building=building,
        department=department,
        prepaid=prepaid,
    )
    session.add(connection)
    session.flush()
    return connection


def _add_phone_row(session: Session, customer_id: int, phone: Phone, by: str) -> bool:
    """Whether the phone was free; two callers at once cannot both have it."""
    added = session.execute(
        insert(CustomerPhone)
        .values(phone=phone, customer_id=customer_id, added_by=by, created_at=now())
        .on_conflict_do_nothing(index_elements=["phone"])
        .returning(CustomerPhone.phone)
    )
    return added.scalar_one_or_none() is not None


def _lock_connection(session: Session, account_no: str) -> Connection | None:
    number = parse_account_no(account_no)
    if number is None:
        return None
    return session.scalar(
        select(Connection)
        .where(Connection.account_no == number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
