"""Customers with their phones."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from billing.customers import LONGEST_NAME, Refusal, add_phone, create_customer
from billing.importing.columns import Column, Values
from billing.importing.kind import Kind, Made, Origin
from billing.importing.known import among, imported
from billing.importing.values import choice, phone, text
from billing.models import Connection, Customer, CustomerPhone
from core.config import settings
from core.i18n import LANGUAGES
from core.phone import Phone

PHONES = ("phone", "phone_2", "phone_3")
KINDS = {"domestic": "Household", "commercial": "Business", "institution": "Institution"}
TAKEN = "{} speaks for another customer already."

COLUMNS = (
    Column("name", text(LONGEST_NAME, 2), "As it stands on bills", "Amina Otieno", required=True,
           alike=("customer", "customer name", "full name", "names")),
    Column("reference", text(40), "Your own number for her; connections can name her by it", "C-1001",
           alike=("customer no", "customer number", "customer id", "id")),
    Column("kind", choice(KINDS), "domestic, commercial or institution; domestic where it is empty", "domestic",
           default="domestic", alike=("type", "category", "class")),
    Column("language", choice({code: code for code in LANGUAGES}), f"One of {', '.join(LANGUAGES)}", "sw",
           alike=("lang",)),
    Column("phone", phone, "In any way of writing it", "0700 000001", alike=("mobile", "telephone", "phone number",
           "msisdn", "tel")),
    Column("phone_2", phone, "Another phone that speaks for her"),
    Column("phone_3", phone, "And another"),
)  # fmt: skip


def _phones(values: Values) -> list[Phone]:
    return [values[column] for column in PHONES if values[column]]


def _names(values: Values) -> list[str]:
    reference = [f"customer {values['reference']}"] if values["reference"] else []
    return [*reference, *(f"phone {number}" for number in _phones(values))]


def _check(session: Session, rows: Sequence[Values]) -> list[str]:
    said = {number for values in rows for number in _phones(values)}
    taken = set(session.scalars(select(CustomerPhone.phone).where(among(CustomerPhone.phone, said))))
    earlier = imported(session, "customer", {values["reference"] for values in rows if values["reference"]})
    refused: list[str] = []
    for values in rows:
        mine = [number for number in _phones(values) if number in taken]
        known = values["reference"] in earlier
        refused.append(
            TAKEN.format(mine[0]) if mine else f"Customer {values['reference']} was imported before." if known else ""
        )
    return refused


def _make(session: Session, values: Values, origin: Origin) -> Made | str:
    phones = _phones(values)
    first = phones[0] if phones else None
    made = create_customer(
        session, values["name"], kind=values["kind"], language=values["language"] or settings().default_language,
        phone=first, by=origin.by,
    )  # fmt: skip
    if isinstance(made, Refusal):
        return TAKEN.format(first)
    made.consent_at = None  # a list that the office had is no consent of hers
    for number in phones[1:]:
        if add_phone(session, made.id, number, origin.by) is not None:
            return TAKEN.format(number)
    return {"customer": made.id}


def _undo(session: Session, made: Made, _origin: Origin) -> str:
    customer_id = made["customer"]
    if session.scalar(select(exists().where(Connection.customer_id == customer_id))):
        return "She has a connection."
    who = session.get(Customer, customer_id)
    if who is None:
        return "It is gone already."
    if who.pin_hash is not None or who.consent_at is not None:
        return "She has used the service herself."
    session.execute(delete(CustomerPhone).where(CustomerPhone.customer_id == customer_id))
    session.delete(who)
    return ""


CUSTOMERS = Kind(
    "customers", "Customers", "People and organisations, with the phones that speak for them.", "name", COLUMNS,
    _names, _check, _make, _undo,
)  # fmt: skip
