"""The invariants see what is broken, and the demonstration's books are whole."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from time import monotonic

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing.books import QUERIES, check, last_check, remember
from billing.customers import connections_of, find_connection, find_customer
from billing.demo import LEAK, MONTHS, STUCK, seed_demo
from billing.invoices import recent_bills
from billing.ledger import balance_of
from billing.models import Balance, Connection, Customer, Reading, Zone
from billing.readings import judge, latest_reading
from core.clock import frozen, today
from core.phone import Phone
from tests.billing.estate import broken


@pytest.fixture
def seeded(session: Session) -> Iterator[Session]:
    with frozen(datetime(2026, 11, 21, 9, tzinfo=UTC)):
        for table in NUMBERED:  # the breaches name rows by their numbers, and a sequence is never rolled back
            session.execute(text(f"ALTER TABLE {table} ALTER COLUMN id RESTART"))
        seed_demo(session, today("Africa/Nairobi"))
        session.flush()
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        yield session


NUMBERED = (
    "zone", "customer", "tariff", "tariff_version", "connection", "meter", "meter_assignment", "reading",
    "billing_run", "run_batch", "invoice", "ledger_entry", "posting",
)  # fmt: skip
NOTE = (
    "INSERT INTO adjustment (number, kind, connection_id, amount_minor, account, reason, status, proposed_by,"
    " proposed_at, entry_id) VALUES ('{number}', 'adjustment', 1, {amount}, 'x', 'x', 'posted', 'x', now(), {entry})"
)
BREAKS = {
    "every entry sums to zero": "UPDATE posting SET amount_minor = amount_minor + 1 WHERE id = 1",
    "every entry has postings": "DELETE FROM posting WHERE entry_id = 1",
    "every posting has its entry": "DELETE FROM ledger_entry WHERE id = 1",
    "balances equal the receivable postings": "UPDATE balance SET amount_minor = 7 WHERE connection_id = 1",
    "receivables equal all balances": "DELETE FROM balance WHERE connection_id = 1",
    "each invoice equals its lines": "UPDATE invoice_line SET amount_minor = 1 WHERE invoice_id = 1",
    "each issued invoice equals its postings": "UPDATE invoice SET amount_minor = 1 WHERE id = 1",
    "no draft is posted, no posting without its invoice":
        "UPDATE invoice SET status = 'draft', number = NULL WHERE id = 1",
    "invoice numbers have no gap within a run": "UPDATE invoice SET number = 'INV-999999' WHERE id = 2",
    "the runs' numbers follow each other from the first to the last":
        "UPDATE billing_run SET number_from = number_from + 1 WHERE id = 3",
    "notes are numbered without a gap": NOTE.format(number="ADJ-000002", entry=1, amount=5),
    "each note in the books has its entry": NOTE.format(number="ADJ-000001", entry=1, amount=5),
    "a void invoice's entry is reversed, leg by leg": "UPDATE invoice SET status = 'void' WHERE id = 1",
    "an invoice that stands is not reversed": "UPDATE ledger_entry SET reverses_id = 1 WHERE id = 2",
    "an entry's due date is its invoice's": "UPDATE ledger_entry SET due_on = NULL",
    "payment plans leave nothing in between": "UPDATE posting SET account = 'plans' WHERE id = 2",
    "a plan's instalments are its amount":
        "INSERT INTO payment_plan (connection_id, amount_minor, status, entry_id, created_by, created_at)"
        " VALUES (1, 5, 'active', 1, 'x', now())",
    "no more of a deposit is used than was paid": "UPDATE posting SET account = 'deposits' WHERE id = 1",
    "nothing waits to be balanced": "INSERT INTO ledger_unsettled VALUES (1)",
    "no number was given out twice": "UPDATE billing_run SET number_from = 1 WHERE id = 2",
    "a finished run has nothing left over": "UPDATE billing_run SET status = 'cancelled' WHERE id = 1",
    "bills follow each other without a gap or an overlap":
        "UPDATE invoice SET opening_reading_id = closing_reading_id WHERE period_start > '2000-01-01'",
    "billed usage equals the readings between": "UPDATE reading SET usage = usage + 1 WHERE source <> 'opening'",
    "a meter is at one place at most":
        "DROP INDEX uq_meter_assignment_meter_open; UPDATE meter_assignment SET meter_id = 1 WHERE id = 2",
    "every reading says who entered it": "UPDATE reading SET entered_by = '' WHERE id = 1",
}  # fmt: skip


def test_every_invariant_sees_its_breach(seeded: Session) -> None:
    assert BREAKS.keys() == QUERIES.keys()
    seeded.execute(text("SET LOCAL session_replication_role = replica"))
    for name, breach in BREAKS.items():
        with seeded.begin_nested() as attempt:
            for statement in breach.split("; "):
                seeded.execute(text(statement))
            [found] = [invariant for invariant in check(seeded) if invariant.name == name]
            assert found.violations, name
            assert 1 <= len(found.sample) <= 5
            attempt.rollback()


def test_a_check_is_kept_for_the_office(seeded: Session) -> None:
    assert last_check(seeded) is None
    fine = remember(seeded, check(seeded))
    assert (fine.violations, fine.found["broken"]) == (0, {})
    assert sum(fine.found["aging"].values()) == sum(seeded.scalars(
        select(Balance.amount_minor).where(Balance.amount_minor > 0)))  # fmt: skip
    seeded.execute(text("SET LOCAL session_replication_role = replica"))
    seeded.execute(text(BREAKS["every entry has postings"]))
    remember(seeded, check(seeded))
    alarm = last_check(seeded)
    assert alarm is not None
    assert alarm.violations > 0
    assert "every entry has postings" in alarm.found["broken"]


def test_the_demonstration_looks_like_a_utility(seeded: Session) -> None:
    assert broken(seeded) == []
    people = seeded.scalars(select(Customer).order_by(Customer.id)).all()
    assert (len(people), len(seeded.scalars(select(Zone)).all())) == (40, 2)
    assert {person.language for person in people} == {"en", "sw"}
    wanjiku = find_customer(seeded, Phone("+254700000001"))
    assert wanjiku is not None
    assert (wanjiku.name, wanjiku.language) == ("Wanjiku Kamau", "en")
    homes = connections_of(seeded, wanjiku.id)
    assert [home.account_no for home in homes] == ["1000017"]
    achieng = find_customer(seeded, Phone("+254700000003"))
    assert achieng is not None
    assert [home.account_no for home in connections_of(seeded, achieng.id)] == ["1000033", "1000413"]
    balances = seeded.scalars(select(Balance.amount_minor)).all()
    assert sum(balance > 100_000 for balance in balances) >= 5
    assert sum(balance < -10_000 for balance in balances) >= 3
    bills = recent_bills(seeded, homes[0].id, limit=20)
    assert len(bills) == MONTHS
    first_of_month = today("Africa/Nairobi").replace(day=1)
    assert bills[0].period < first_of_month
    last = latest_reading(seeded, homes[0].id)
    assert last is not None
    assert last.taken_on < first_of_month
    assert judge(seeded, homes[0].id, last.value + 15).kind in ("ok", "low")


def test_among_the_customers_are_a_school_a_suspended_and_a_prepaid_one(seeded: Session) -> None:
    def connections(phone: str) -> list[Connection]:
        customer = find_customer(seeded, Phone(phone))
        assert customer is not None
        return connections_of(seeded, customer.id)

    school = connections("+254700000040")
    assert sorted((one.building, one.department) for one in school) == [
        ("Classrooms", "Kitchen"), ("Classrooms", "Laboratory"),
        ("Hostel", "East wing"), ("Hostel", "Laundry"), ("Hostel", "West wing"),
    ]  # fmt: skip
    assert len({one.address for one in school} | {str(one.zone_id) for one in school}) == 2
    assert all(len(recent_bills(seeded, one.id, limit=20)) == MONTHS for one in school)
    [suspended] = connections("+254700000031")
    assert suspended.status == "suspended"
    assert balance_of(seeded, suspended.id).minor > 0
    [prepaid] = connections("+254700000028")
    assert prepaid.prepaid
    assert recent_bills(seeded, prepaid.id) == []
    assert latest_reading(seeded, prepaid.id) is not None


def test_one_house_leaks_and_one_meter_is_stuck(seeded: Session) -> None:
    def usages(place: int) -> list[int]:
        connection = seeded.scalars(select(Connection).order_by(Connection.id).offset(place).limit(1)).one()
        rows = select(Reading.usage).where(Reading.connection_id == connection.id).order_by(Reading.taken_on)
        return [int(usage) for usage in seeded.scalars(rows)]

    assert min(usages(LEAK)[-2:]) > 2 * max(usages(LEAK)[1:-2])
    assert usages(STUCK)[-4:] == [0] * 4


def test_vacant_places_wait_for_somebody_to_register(seeded: Session) -> None:
    vacant = seeded.scalars(select(Connection).where(Connection.customer_id.is_(None))).all()
    assert len(vacant) == 3
    assert all(find_connection(seeded, one.account_no) is one for one in vacant)


def test_the_seed_is_the_same_each_time_and_quick(session: Session) -> None:
    begun = monotonic()
    seen = []
    for _again in range(2):
        with frozen(datetime(2026, 3, 9, 9, tzinfo=UTC)), session.begin_nested() as attempt:
            seed_demo(session, date(2026, 3, 9))
            values = session.execute(select(Reading.value, Reading.taken_on).order_by(Reading.id)).all()
            seen.append((values, session.scalars(select(Balance.amount_minor).order_by(Balance.connection_id)).all()))
            attempt.rollback()
        session.expire_all()
    assert seen[0] == seen[1]
    assert monotonic() - begun < 20


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2028, 2, 29)])
def test_any_day_has_a_demonstration(session: Session, day: date) -> None:
    with frozen(datetime(day.year, day.month, day.day, 9, tzinfo=UTC)):
        seed_demo(session, day)
        assert broken(session) == []
