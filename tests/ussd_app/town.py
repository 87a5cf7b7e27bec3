"""A small town for tests: alike households, each with a meter, a bill of KES 1,250 and a phone."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from billing.customers import create_connection, create_customer
from billing.ledger import Leg, post
from billing.meters import assign_meter, register_meter
from billing.models import Customer, Meter, Tariff, Zone
from billing.readings import record_reading
from core.clock import today
from core.phone import Phone

ZONE = "Africa/Nairobi"
OWED_MINOR = 125_000


@dataclass(frozen=True)
class Household:
    phone: Phone
    account_no: str
    serial: str
    connection_id: int


def settle_town(session: Session, households: int, *, first: int = 1, language: str = "en") -> list[Household]:
    """Households with phones +25470000<first> and up, committed. The last reading of each is 100."""
    zone = session.query(Zone).first() or Zone(code="A", name="Town")
    tariff = session.query(Tariff).first() or Tariff(name="Domestic", customer_class="domestic")
    session.add_all([zone, tariff])
    session.flush()
    made = [
        _household(session, Phone(f"+2547{number:08d}"), zone, tariff, language)
        for number in range(first, first + households)
    ]
    session.commit()
    return made


def vacant(session: Session) -> str:
    """The account number of a connection that nobody has registered for."""
    zone = session.query(Zone).first() or Zone(code="A", name="Town")
    tariff = session.query(Tariff).first() or Tariff(name="Domestic", customer_class="domestic")
    session.add_all([zone, tariff])
    session.flush()
    made = create_connection(
        session, zone_id=zone.id, tariff_id=tariff.id, address="Vacant plot", opened_on=date(2025, 1, 1)
    )
    session.commit()
    return made.account_no


def _household(session: Session, phone: Phone, zone: Zone, tariff: Tariff, language: str) -> Household:
    this_day = today(ZONE)
    customer = create_customer(session, "Amina Otieno", language=language, by="test", phone=phone)
    assert isinstance(customer, Customer)
    connection = create_connection(
        session, zone_id=zone.id, tariff_id=tariff.id, address="Plot 7", opened_on=date(2025, 1, 1),
        customer_id=customer.id,
    )  # fmt: skip
    meter = register_meter(session, f"WM{phone[-8:]}", digits=5, size_mm=15)
    assert isinstance(meter, Meter)
    assign_meter(session, meter.id, connection.id, on=this_day - timedelta(days=90), start_value=Decimal(60), by="test")
    for value, days in ((80, 60), (100, 30)):
        record_reading(
            session, connection.id, Decimal(value), source="office", entered_by="test",
            taken_on=this_day - timedelta(days=days), confirmed=True,
        )  # fmt: skip
    legs = [Leg("receivable", OWED_MINOR, connection.id), Leg("revenue:water", -OWED_MINOR)]
    assert post(session, "opening", f"opening:{connection.id}", legs)
    return Household(phone, connection.account_no, meter.serial, connection.id)
