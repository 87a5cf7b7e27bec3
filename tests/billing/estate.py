"""A small estate for tests: connections with meters, customers and a tariff, and threads that race."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import count
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from billing.books import check
from billing.customers import create_connection, create_customer
from billing.meters import assign_meter, register_meter
from billing.models import Connection, Customer, Meter, MeterAssignment, Tariff, TariffVersion, Zone
from billing.readings import Recorded, record_reading
from billing.tariffs import add_tariff, add_version
from core.database import transaction
from core.phone import Phone

BEGUN = date(2026, 1, 31)
TEN_A_UNIT: dict[str, Any] = {"model": "graduated", "tiers": [{"from": 0, "to": None, "rate": 10}]}
_serials = count(1)
T = TypeVar("T")


class Estate:
    """Everything that a connection needs, made as it is asked for. Nothing is committed."""

    def __init__(self, session: Session, rules: dict[str, Any] | None = None) -> None:
        self.session = session
        zone = Zone(code="A", name="Estate")
        session.add(zone)
        tariff = add_tariff(session, "Domestic", "domestic")
        assert isinstance(tariff, Tariff)
        session.flush()
        self.zone_id, self.tariff_id = zone.id, tariff.id
        version = add_version(session, tariff.id, date(2025, 1, 1), rules or TEN_A_UNIT, "test")
        assert isinstance(version, TariffVersion)
        self.version = version

    def connection(self, phone: str | None = None, *, language: str = "en", owned: bool = True) -> Connection:
        customer_id = self.customer(phone, language).id if owned else None
        return create_connection(
            self.session, zone_id=self.zone_id, tariff_id=self.tariff_id, address="Plot 7", opened_on=BEGUN,
            customer_id=customer_id,
        )  # fmt: skip

    def customer(self, phone: str | None = None, language: str = "en") -> Customer:
        made = create_customer(
            self.session, "Amina Otieno", language=language, by="test", phone=Phone(phone) if phone else None
        )
        assert isinstance(made, Customer)
        return made

    def meter(self, digits: int = 5) -> Meter:
        meter = register_meter(self.session, f"KM{next(_serials):06d}", digits=digits, size_mm=15)
        assert isinstance(meter, Meter)
        return meter

    def metered(self, phone: str | None = None, *, start: int = 100, digits: int = 5, **how: Any) -> Connection:
        connection = self.connection(phone, **how)
        put = assign_meter(
            self.session, self.meter(digits).id, connection.id, on=BEGUN, start_value=Decimal(start), by="test"
        )
        assert isinstance(put, MeterAssignment)
        return connection


def read(session: Session, connection: Connection, value: object, on: date, **how: Any) -> Any:
    """Record a reading as the office does."""
    options = {"source": "office", "entered_by": "office test", "confirmed": True, **how}
    return record_reading(session, connection.id, Decimal(str(value)), taken_on=on, **options)


def must_read(session: Session, connection: Connection, value: object, on: date) -> Recorded:
    done = read(session, connection, value, on)
    assert isinstance(done, Recorded), done
    return done


def at_once(work: Sequence[Callable[[Session], T]]) -> list[T]:
    """Each piece of work in a thread and a transaction of its own, all begun before any goes on."""
    ready = Barrier(len(work))

    def run(one: Callable[[Session], T]) -> T:
        with transaction() as session:
            session.connection()
            ready.wait(timeout=20)
            return one(session)

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def broken(session: Session) -> list[str]:
    """The invariants of the books that do not hold."""
    return [invariant.name for invariant in check(session) if invariant.violations]
