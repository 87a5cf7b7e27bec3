"""A town for a disturbed day: every customer has a name, a phone, an account and a meter that nobody else has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

from sqlalchemy.orm import Session

from billing.customers import create_connection, create_customer
from billing.ledger import Leg, post
from billing.meters import assign_meter, register_meter
from billing.models import Customer, Meter, Tariff, Zone
from billing.readings import record_reading
from core.clock import today
from core.config import settings
from core.database import transaction
from core.phone import Phone

LAST_READING = 100
OWED_MINOR = 125_000
AT_ONCE = 100
SYLLABLES = ("ba", "ko", "mu", "ri", "ta", "we", "ngo", "shi", "za", "lu")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A customer, and what gives her away in a reply: surname, account number, meter, phone."""

    phone: Phone
    surname: str
    account_no: str
    serial: str
    connection_id: int


def settle(people: int) -> list[Neighbour]:
    """Put them into the books, in several transactions."""
    made = list[Neighbour]()
    with transaction() as session:
        zone, tariff = Zone(code="A", name="Town"), Tariff(name="Domestic", customer_class="domestic")
        session.add_all([zone, tariff])
        session.flush()
        ids = zone.id, tariff.id
    for first in range(0, people, AT_ONCE):
        with transaction() as session:
            made += [_neighbour(session, at, *ids) for at in range(first, min(first + AT_ONCE, people))]
    return made


def surnames() -> Iterator[str]:
    """Names that differ in every letter group, and are no words of any language here."""
    for parts in product(SYLLABLES, repeat=4):
        yield "".join(parts).capitalize()


SURNAMES = tuple(surnames())


def _neighbour(session: Session, number: int, zone_id: int, tariff_id: int) -> Neighbour:
    this_day, surname = today(settings().utility_zone), SURNAMES[number]
    phone = Phone(f"+2547{10_000_000 + number:08d}")
    customer = create_customer(session, f"Amina {surname}", language="en", by="chaos", phone=phone)
    assert isinstance(customer, Customer)
    connection = create_connection(
        session, zone_id=zone_id, tariff_id=tariff_id, address=f"Plot {number}", opened_on=date(2025, 1, 1),
        customer_id=customer.id,
    )  # fmt: skip
    meter = register_meter(session, f"WM{60_000_000 + number}", digits=5, size_mm=15)
    assert isinstance(meter, Meter)
    placed = this_day - timedelta(days=90)
    assign_meter(session, meter.id, connection.id, on=placed, start_value=Decimal(60), by="chaos")
    for value, days in ((80, 60), (LAST_READING, 30)):
        record_reading(
            session, connection.id, Decimal(value), source="office", entered_by="chaos",
            taken_on=this_day - timedelta(days=days), confirmed=True,
        )  # fmt: skip
    legs = [Leg("receivable", OWED_MINOR, connection.id), Leg("revenue:water", -OWED_MINOR)]
    assert post(session, "opening", f"opening:{connection.id}", legs)
    return Neighbour(phone, surname, connection.account_no, meter.serial, connection.id)
