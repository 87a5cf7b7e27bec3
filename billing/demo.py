"""A small utility that looks like a real one: 40 customers in two zones, 13 months of readings, bills and payments.

Among them are a school with a connection in each department, one whose supply is suspended, and one who pays in
advance. The same day always gives the same books. All phones are +2547000000NN, which nobody has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from billing.accounts import with_check_digit
from billing.demo_months import bill, noon, pay
from billing.demo_people import ADDRESSES, PEOPLE, ZONES, DemoPlace, Person
from billing.models import (
    Connection,
    Customer,
    CustomerPhone,
    Meter,
    MeterAssignment,
    Reading,
    Zone,
)
from billing.months import last_day, month_of
from billing.tariffs import EXAMPLE, add_tariff, add_version
from core.phone import Phone

MONTHS = 13
SEED = 254
FIRST_BODY = 100001
VACANT = 3
WITH_TWO = 2  # Achieng Odhiambo has a second connection
LEAK, STUCK = 6, 11  # which customers have them, by their place in PEOPLE

COMMERCIAL = {
    **EXAMPLE,
    "tiers": [{"from": "0", "to": "50", "rate": "67"}, {"from": "50", "to": None, "rate": "78"}],
    "fixed_charges": [{"name": "meter_rent", "amount": "250"}],
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """A connection to be made: the `place`-th, where the `site`-th is. Its customer's id and the person she is."""

    chance: Random
    place: int
    site: int
    owner: int | None = None
    person: Person | None = None
    room: tuple[str, str] = ("", "")


def seed_demo(session: Session, today: date) -> None:
    """Fill empty books as of `today`: the month before is the last one billed, and this month is not yet read."""
    chance = Random(SEED)  # noqa: S311  demonstration data
    months = _months(today)
    zones = _zones(session)
    tariffs = _tariffs(session, months[0])
    places = _places(session, chance, zones, tariffs, months[0])
    _readings(session, places, months)
    # The next connection gets the next number.
    session.execute(text("SELECT setval('account_body', :last)"), {"last": FIRST_BODY + len(places) - 1})
    for month in months:
        bill(session, month, today)
        pay(session, places, month, today)


def _months(today: date) -> list[date]:
    """The first days of the 13 months before this one, oldest first."""
    months = [month_of(month_of(today) - timedelta(days=1))]
    while len(months) < MONTHS:
        months.insert(0, month_of(months[0] - timedelta(days=1)))
    return months


def _zones(session: Session) -> list[int]:
    return [session.scalars(insert(Zone).values(code=code, name=name).returning(Zone.id)).one() for code, name in ZONES]


def _tariffs(session: Session, since: date) -> dict[str, int]:
    """The tariff of each kind of customer."""
    made = {}
    for kind, name, rules in (
        ("domestic", "Domestic water", EXAMPLE),
        ("commercial", "Commercial water", COMMERCIAL),
    ):
        tariff = add_tariff(session, name, kind)
        assert tariff is not None
        add_version(session, tariff.id, since, rules, "demo")
        made[kind] = tariff.id
    return made


def _places(
    session: Session, chance: Random, zones: Sequence[int], tariffs: dict[str, int], first: date
) -> list[DemoPlace]:
    """Customers, phones, connections and meters; Achieng Odhiambo has a second connection, three places are vacant.

    The school's further connections come last and have a chance of their own, so all others are as they would be alone.
    """
    owners = [_customer(session, number, person, first) for number, person in enumerate(PEOPLE, 1)]
    plans = [
        _Plan(chance, place, place, owner, person, person.rooms[0])
        for place, (owner, person) in enumerate(zip(owners, PEOPLE, strict=True))
    ]
    plans.append(_Plan(chance, len(plans), len(plans), owners[WITH_TWO], PEOPLE[WITH_TWO]))
    plans += [_Plan(chance, place, place) for place in range(len(plans), len(plans) + VACANT)]
    more = Random(SEED + 1)  # noqa: S311  demonstration data
    for site, person in enumerate(PEOPLE):
        plans += [
            _Plan(more, place, site, owners[site], person, room)
            for place, room in enumerate(person.rooms[1:], len(plans))
        ]
    return [_place(session, plan, zones[plan.site % len(zones)], tariffs, first) for plan in plans]


def _customer(session: Session, number: int, person: Person, first: date) -> int:
    """A customer with her phone; the id."""
    opened = datetime.combine(first, time(6), UTC)
    customer_id = session.scalars(
        insert(Customer).values(
            name=person.name, kind=person.kind, language=person.language, status="active", consent_at=opened,
            created_at=opened,
        ).returning(Customer.id)
    ).one()  # fmt: skip
    session.execute(
        insert(CustomerPhone).values(
            phone=_phone(number), customer_id=customer_id, added_by="demo", created_at=opened
        )
    )  # fmt: skip
    return customer_id


def _phone(number: int) -> Phone:
    return Phone(f"+2547000000{number:02d}")


def _place(session: Session, plan: _Plan, zone_id: int, tariffs: dict[str, int], first: date) -> DemoPlace:
    person, place, chance = plan.person, plan.place, plan.chance
    kind = person.kind if person and person.kind in tariffs else "domestic"
    street, number = ADDRESSES[plan.site % len(ADDRESSES)], chance.randint(1, 90)
    connection_id = session.scalars(
        insert(Connection).values(
            account_no=with_check_digit(str(FIRST_BODY + place)), customer_id=plan.owner, zone_id=zone_id,
            tariff_id=tariffs[kind], status=person.status if person else "active",
            address=street if any(plan.room) else f"{street} {number}",
            building=plan.room[0], department=plan.room[1], prepaid=person is not None and person.prepaid,
            opened_on=first,
        ).returning(Connection.id)
    ).one()  # fmt: skip
    meter_id = session.scalars(
        insert(Meter).values(
            serial=f"KM{18 + place % 6}{40213 + 37 * place:06d}", digits=5,
            size_mm=25 if kind == "commercial" else 15, status="installed",
        ).returning(Meter.id)
    ).one()  # fmt: skip
    monthly = Decimal(chance.randint(90, 160) if kind == "commercial" else chance.randint(6, 24))
    # One meter is about to go round.
    start = Decimal(99_700) if place == 21 else Decimal(chance.randint(20, 2400))
    return DemoPlace(chance, connection_id, meter_id, person, place, monthly, start)


def _readings(session: Session, places: Sequence[DemoPlace], months: Sequence[date]) -> None:
    """An opening reading before the first month, then one at each month's end; vacant places have only just begun."""
    rows: list[dict[str, object]] = []
    assignments: list[dict[str, object]] = []
    for place in places:
        vacant = place.person is None
        since = last_day(months[-1]) if vacant else months[0] - timedelta(days=1)
        assignments.append({
            "meter_id": place.meter_id, "connection_id": place.connection_id, "from_on": since,
            "start_value": place.start,
        })  # fmt: skip
        rows.append(_reading(place, place.start, Decimal(0), since, "opening"))
        value = place.start
        for number, month in enumerate(months if not vacant else ()):
            usage = _usage(place, number)
            value = (value + usage) % 10**5
            day = last_day(month) - timedelta(days=place.place % 3)
            rows.append(_reading(place, value, usage, day, _source(place)))
    rows.sort(key=lambda row: (row["taken_on"], row["connection_id"]))
    session.execute(insert(MeterAssignment), assignments)
    session.execute(insert(Reading), rows)


def _usage(place: DemoPlace, number: int) -> Decimal:
    """The month's usage: by the season and by chance; one house leaks at the end, one meter has stuck."""
    if place.place == STUCK and number >= MONTHS - 4:
        return Decimal(0)
    usage = place.monthly * Decimal(place.chance.randint(80, 120)) / 100
    if place.place == LEAK and number >= MONTHS - 2:
        usage *= 5
    return usage.quantize(Decimal(1))


def _source(place: DemoPlace) -> str:
    return "field" if place.chance.random() < 0.7 or place.person is None else "customer_ussd"


def _reading(place: DemoPlace, value: Decimal, usage: Decimal, day: date, source: str) -> dict[str, object]:
    by = "demo"
    if source == "customer_ussd" and place.person is not None:
        by = f"customer {_phone(PEOPLE.index(place.person) + 1)}"
    return {
        "connection_id": place.connection_id, "meter_id": place.meter_id, "value": value, "usage": usage,
        "taken_on": day, "source": source, "entered_by": by, "status": "accepted", "note": "",
        "created_at": noon(day),
    }  # fmt: skip
