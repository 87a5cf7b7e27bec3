"""A small utility that looks like a real one: 40 customers in two zones, 13 months of readings, bills and payments.

The same day always gives the same books. All phones are +2547000000NN, which nobody has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from billing.accounts import with_check_digit
from billing.batches import run_now
from billing.demo_people import ADDRESSES, PEOPLE, ZONES, Person
from billing.ledger import Leg, post
from billing.models import (
    Balance,
    BillingRun,
    Connection,
    Customer,
    CustomerPhone,
    Meter,
    MeterAssignment,
    Reading,
    Zone,
)
from billing.months import last_day, month_of, next_month
from billing.runs import issue_run, start_run
from billing.tariffs import EXAMPLE, add_tariff, add_version
from core.config import settings
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
class _Place:
    """A connection to be, and how much is used there in a month."""

    connection_id: int
    meter_id: int
    person: Person | None
    place: int
    monthly: Decimal
    start: Decimal


def seed_demo(session: Session, today: date) -> None:
    """Fill empty books as of `today`: the month before is the last one billed, and this month is not yet read."""
    chance = Random(SEED)  # noqa: S311  demonstration data
    months = _months(today)
    zones = _zones(session)
    tariffs = _tariffs(session, months[0])
    places = _places(session, chance, zones, tariffs, months[0])
    _readings(session, chance, places, months)
    # The next connection gets the next number.
    session.execute(text("SELECT setval('account_body', :last)"), {"last": FIRST_BODY + len(places) - 1})
    for month in months:
        _bill(session, month, today)
        _payments(session, chance, places, month, today)


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
) -> list[_Place]:
    """Customers, phones, connections and meters; Achieng Odhiambo has a second connection, three places are vacant."""
    owners: list[tuple[int | None, Person | None]] = []
    opened = datetime.combine(first, time(6), UTC)
    for number, person in enumerate(PEOPLE, 1):
        customer_id = session.scalars(
            insert(Customer).values(
                name=person.name, kind=person.kind, language=person.language, status="active", consent_at=opened,
                created_at=opened,
            ).returning(Customer.id)
        ).one()  # fmt: skip
        phone = Phone(f"+2547000000{number:02d}")
        session.execute(
            insert(CustomerPhone).values(phone=phone, customer_id=customer_id, added_by="demo", created_at=opened)
        )
        owners.append((customer_id, person))
    owners += [owners[WITH_TWO], *[(None, None)] * VACANT]
    return [
        _place(session, chance, zones[place % len(zones)], tariffs, first, place, owner, person)
        for place, (owner, person) in enumerate(owners)
    ]


def _place(
    session: Session,
    chance: Random,
    zone_id: int,
    tariffs: dict[str, int],
    first: date,
    place: int,
    owner: int | None,
    person: Person | None,
) -> _Place:
    kind = person.kind if person and person.kind in tariffs else "domestic"
    street = ADDRESSES[place % len(ADDRESSES)]
    connection_id = session.scalars(
        insert(Connection).values(
            account_no=with_check_digit(str(FIRST_BODY + place)), customer_id=owner, zone_id=zone_id,
            tariff_id=tariffs[kind], status="active", address=f"{street} {chance.randint(1, 90)}", opened_on=first,
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
    return _Place(connection_id, meter_id, person, place, monthly, start)


def _readings(session: Session, chance: Random, places: Sequence[_Place], months: Sequence[date]) -> None:
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
            usage = _usage(chance, place, number)
            value = (value + usage) % 10**5
            day = last_day(month) - timedelta(days=place.place % 3)
            rows.append(_reading(place, value, usage, day, _source(chance, place)))
    rows.sort(key=lambda row: (row["taken_on"], row["connection_id"]))
    session.execute(insert(MeterAssignment), assignments)
    session.execute(insert(Reading), rows)


def _usage(chance: Random, place: _Place, number: int) -> Decimal:
    """The month's usage: by the season and by chance; one house leaks at the end, one meter has stuck."""
    if place.place == STUCK and number >= MONTHS - 4:
        return Decimal(0)
    usage = place.monthly * Decimal(chance.randint(80, 120)) / 100
    if place.place == LEAK and number >= MONTHS - 2:
        usage *= 5
    return usage.quantize(Decimal(1))


def _source(chance: Random, place: _Place) -> str:
    return "field" if chance.random() < 0.7 or place.person is None else "customer_ussd"


def _reading(place: _Place, value: Decimal, usage: Decimal, day: date, source: str) -> dict[str, object]:
    owner = place.place % len(PEOPLE) + 1
    by = f"customer +2547000000{owner:02d}" if source == "customer_ussd" else "demo"
    return {
        "connection_id": place.connection_id, "meter_id": place.meter_id, "value": value, "usage": usage,
        "taken_on": day, "source": source, "entered_by": by, "status": "accepted", "note": "",
        "created_at": _noon(day),
    }  # fmt: skip


def _bill(session: Session, month: date, today: date) -> None:
    """Bill a month by the real run, issued on the second day after it."""
    run = start_run(session, month, "demo", notify=False)
    assert isinstance(run, BillingRun)
    run_now(session, run.id)
    issued = issue_run(session, run.id, "demo", on=min(next_month(month) + timedelta(days=1), today))
    assert isinstance(issued, BillingRun)
    run_now(session, run.id)


def _payments(session: Session, chance: Random, places: Sequence[_Place], month: date, today: date) -> None:
    """What came in by the bank after the month's bill: most pay it, some in part, some late, some in advance."""
    balances = dict(session.execute(select(Balance.connection_id, Balance.amount_minor)).tuples().all())
    for place in places:
        if place.person is None:
            continue
        paid = _paid(place.person.pays, balances[place.connection_id], chance)
        day = next_month(month) + timedelta(days=chance.randint(3, 16))
        if paid <= 0 or day >= today:
            continue
        source = f"bank:demo:{place.connection_id}:{month:%Y-%m}"
        legs = [Leg("cash:bank", paid), Leg("receivable", -paid, place.connection_id)]
        post(session, "payment", source, legs, "Bank deposit", at=_noon(day))


def _paid(habit: str, owed_minor: int, chance: Random) -> int:
    """In cents, whole shillings."""
    shillings = max(owed_minor, 0) // 100
    share = {
        "full": 100,
        "part": chance.choice((40, 60, 100)),
        "late": chance.choice((0, 0, 100)),
        "ahead": 130,
        "never": 0,
    }[habit]
    rounded = -(-shillings // 50) * 50 if habit in ("full", "ahead") else shillings
    return rounded * share // 100 * 100


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(settings().utility_zone)).astimezone(UTC)
