"""Lists come into the books by their own rules, once, and go again as far as nothing builds on them."""

import json
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import bulk_jobs
from billing.books import check
from billing.importing import applying
from billing.importing.models import ImportFile, ImportName, ImportRow
from billing.ledger import balance_of
from billing.models import Connection, Customer, CustomerPhone, Meter, MeterAssignment, Reading, Tariff, TariffVersion
from billing.tariffs import EXAMPLE
from core.config import Settings
from core.outbox import JOBS, Outbox
from tests.billing.estate import Estate
from tests.billing.importing import BY, brought, csv_of, excel_of, rows_of, taken, taken_back

CUSTOMERS = csv_of(
    "reference,name,phone,phone_2,language",
    "C-1,Amina Otieno,0700 000 001,+254 711 000001,sw",
    "C-2,Juma & Sons,0700000002,,en",
    "C-3,Neema Wekesa,,,",
)
CONNECTIONS = csv_of(
    "reference,customer,zone,tariff,address,opened_on",
    "OLD-1,C-1,A,domestic,Plot 1,2026-01-05",
    "OLD-2,0700000002,Estate,Domestic,Plot 2,",
    "OLD-3,,A,Domestic,Plot 3,",
)
METERS = csv_of(
    "serial,digits,account,start_value,from_on",
    "km 1,5,OLD-1,100,2026-01-05",
    'KM2,5,OLD-2,"1,250.5",2026-01-05',
    "KM3,4,,,",
)


@pytest.fixture
def estate(session: Session, settings: Settings) -> Estate:
    return Estate(session)


def place(session: Session, reference: str) -> Connection:
    row = session.scalars(
        select(ImportRow)
        .join(ImportName, (ImportName.file_id == ImportRow.file_id) & (ImportName.number == ImportRow.number))
        .where(ImportName.name == f"connection {reference}")
    ).one()
    assert row.made is not None
    return session.get_one(Connection, row.made["connection"])


def a_utility(session: Session) -> list[ImportFile]:
    """Customers, their connections and meters, as one that begins brings them."""
    return [
        taken(session, kind, content)
        for kind, content in (("customers", CUSTOMERS), ("connections", CONNECTIONS), ("meters", METERS))
    ]


def count(session: Session, *things: type) -> list[int]:
    return [session.scalar(select(func.count()).select_from(thing)) or 0 for thing in things]


def test_a_utility_that_begins_is_brought_in_by_its_own_numbers(session: Session, estate: Estate) -> None:
    files = a_utility(session)
    assert [(file.status, file.made, file.skipped) for file in files] == [("done", 3, 0)] * 3
    first = place(session, "OLD-1")
    owner = session.get_one(Customer, first.customer_id)
    phones = set(session.scalars(select(CustomerPhone.phone).where(CustomerPhone.customer_id == owner.id)))
    assert (owner.name, owner.language, owner.consent_at) == ("Amina Otieno", "sw", None)
    assert phones == {"+254700000001", "+254711000001"}
    assert (first.zone_id, first.tariff_id, first.opened_on) == (estate.zone_id, estate.tariff_id, date(2026, 1, 5))
    put = session.scalars(select(MeterAssignment).order_by(MeterAssignment.id)).all()
    assert [str(one.start_value) for one in put] == ["100.000", "1250.500"]
    assert set(session.scalars(select(Meter.serial))) == {"KM1", "KM2", "KM3"}


def test_readings_are_judged_and_those_that_do_not_fit_are_named(session: Session, estate: Estate) -> None:
    a_utility(session)
    content = csv_of(
        "account,value,taken_on,meter,confirmed",
        "OLD-1,110,2026-02-05,KM1,", "OLD-1,118,2026-03-05,,", "OLD-1,119,2026-03-06,KM9,", "OLD-1,90,2026-04-05,,",
        "OLD-3,5,2026-02-05,,", "OLD-9,5,2026-02-05,,", "OLD-1,118.0,2026-03-05,,",
    )  # fmt: skip
    file = taken(session, "readings", content)
    rows = rows_of(session, file)
    assert [rows[number][0] for number in sorted(rows)] == [
        "made",
        "made",
        "wrong",
        "made",
        "wrong",
        "wrong",
        "skipped",
    ]
    assert (rows[4][1], rows[6][1], rows[7][1], rows[8][1]) == (
        "The meter there is KM1.", "There is no meter at this connection.", "There is no connection OLD-9.",
        "This reading is in the books already.",
    )  # fmt: skip
    said = {reading.value: reading.status for reading in session.scalars(select(Reading)) if reading.source == "office"}
    assert said == {Decimal(110): "accepted", Decimal(118): "accepted", Decimal(90): "review"}


def test_payments_are_credited_once_for_their_reference(session: Session, estate: Estate) -> None:
    a_utility(session)
    content = csv_of(
        "account;amount;paid_on;method;reference",
        "OLD-1;1,250.50;2026-02-20;Bank;FT 1", "OLD-2;100;2026-02-21;cash;R-1", "OLD-2;100;2026-02-22;cash;r-1",
    )  # fmt: skip
    file = taken(session, "payments", content)
    assert rows_of(session, file)[4] == ("wrong", "It repeats row 3.")
    account = place(session, "OLD-1")
    assert balance_of(session, account.id).minor == -125050
    again = brought(session, "payments", content)
    assert (again.valid, again.wrong) == (0, 3)
    assert "in the books already" in rows_of(session, again)[2][1]
    taken_back(session, file)
    assert balance_of(session, account.id).minor == 0
    assert taken(session, "payments", content).made == 2
    assert balance_of(session, account.id).minor == -125050
    assert [one.name for one in check(session) if one.violations] == []


def test_opening_balances_are_owed_since_their_day(session: Session, estate: Estate) -> None:
    a_utility(session)
    content = csv_of("account,amount,as_of", 'OLD-1,"3,400.50",31/12/2025', "OLD-2,-200,31/12/2025")
    file = taken(session, "balances", content, days="dmy")
    owed = [balance_of(session, place(session, name).id).minor for name in ("OLD-1", "OLD-2")]
    assert owed == [340050, -20000]
    assert brought(session, "balances", content, days="dmy").wrong == 2
    taken_back(session, file)
    assert taken(session, "balances", content, days="dmy").made == 2
    assert [one.name for one in check(session) if one.violations] == []


def test_tariffs_come_as_their_documented_json(session: Session, estate: Estate) -> None:
    lines = [
        {"name": "Kiosk", "customer_class": "commercial", "valid_from": "2026-01-01", "rules": EXAMPLE},
        {"name": "Kiosk", "valid_from": "2026-07-01", "rules": EXAMPLE},
        {"name": "Broken", "valid_from": "2026-01-01", "rules": {"model": "graduated"}},
        {"name": "Domestic", "valid_from": "2024-01-01", "rules": EXAMPLE},
    ]
    file = taken(session, "tariffs", "\n".join(json.dumps(line) for line in lines).encode())
    rows = rows_of(session, file)
    assert [rows[number][0] for number in sorted(rows)] == ["made", "made", "wrong", "wrong"]
    assert "tiers" in rows[3][1]
    assert "later one" in rows[4][1]
    versions = select(TariffVersion.valid_to).join(Tariff).where(Tariff.name == "Kiosk").order_by(TariffVersion.id)
    assert list(session.scalars(versions)) == [date(2026, 6, 30), None]
    assert (taken_back(session, file).undone, list(session.scalars(versions))) == (2, [])
    assert session.scalar(select(Tariff.id).where(Tariff.name == "Kiosk")) is None


def test_everything_goes_again_in_the_other_order(session: Session, estate: Estate) -> None:
    files = a_utility(session)
    early = taken_back(session, files[0])
    assert (early.undone, early.kept) == (1, 2)
    assert rows_of(session, early)[2] == ("kept", "She has a connection.")
    for file in reversed(files):
        taken_back(session, file)
        assert (file.status, file.kept, file.undone) == ("undone", 0, 3)
    assert count(session, Customer, CustomerPhone, Connection, Meter, MeterAssignment, Reading) == [0] * 6
    assert [file.made for file in a_utility(session)] == [3, 3, 3]


def test_what_was_built_on_stays_and_says_why(session: Session, estate: Estate) -> None:
    _customers, connections, meters = a_utility(session)
    first = taken(session, "readings", csv_of("account,value,taken_on", "OLD-1,110,2026-02-05"))
    taken(session, "readings", csv_of("account,value,taken_on", "OLD-1,118,2026-03-05"))
    assert rows_of(session, taken_back(session, first))[2] == ("kept", "There is a later reading of this meter.")
    assert rows_of(session, taken_back(session, meters))[2] == ("kept", "It was read.")
    assert rows_of(session, taken_back(session, connections))[2] == ("kept", "It has a meter.")


def test_a_job_may_run_twice_and_stop_half_way(session: Session, estate: Estate) -> None:
    rows = (f"Customer {number},07{number:08d}" for number in range(450))
    file = brought(session, "customers", csv_of("name,phone", *rows))
    applying.start(session, file.id, BY)
    assert not applying.start(session, file.id, BY)
    session.commit()
    assert bulk_jobs.applying.TAKE in JOBS
    JOBS[applying.TAKE](file.id)
    session.refresh(file)
    assert (file.status, file.made) == ("importing", 200)
    waiting = session.scalars(select(Outbox.job).where(Outbox.subject_id == file.id)).all()
    assert waiting == [applying.TAKE] * 2  # the first, and the one that the first asked for
    for _ in range(4):
        JOBS[applying.TAKE](file.id)
    session.refresh(file)
    assert (file.status, file.made, file.skipped) == ("done", 450, 0)
    assert count(session, Customer, CustomerPhone) == [450, 450]


def test_a_row_that_was_fine_may_be_refused_when_its_turn_comes(session: Session, estate: Estate) -> None:
    file, twin = brought(session, "customers", CUSTOMERS), brought(session, "customers", CUSTOMERS)
    for one in (file, twin):
        applying.start(session, one.id, BY)
        applying.take_batch(session, one.id)
    assert (file.made, twin.made, twin.skipped) == (3, 0, 3)
    assert rows_of(session, twin)[2] == ("skipped", "+254700000001 speaks for another customer already.")
    assert count(session, Customer) == [3]


def test_nothing_of_a_dropped_file_comes_in(session: Session, estate: Estate) -> None:
    file = brought(session, "customers", CUSTOMERS)
    assert applying.drop(session, file.id)
    assert not applying.start(session, file.id, BY)
    assert not applying.take_batch(session, file.id)
    assert count(session, Customer) == [0]


def test_excel_is_taken_as_csv_is(session: Session, estate: Estate) -> None:
    a_utility(session)
    head = ["Account", "Amount", "Paid on", "Method", "Reference"]
    file = taken(session, "payments", excel_of(head, ["OLD-1", 1250.5, date(2026, 2, 20), "bank", 77]))
    assert file.made == 1
    assert balance_of(session, place(session, "OLD-1").id).minor == -125050


def test_an_account_number_of_its_own_needs_its_check_digit(session: Session, estate: Estate) -> None:
    head = "account,zone,tariff,address"
    file = taken(session, "connections", csv_of(head, "10000017,A,Domestic,Plot 1", "1000017,A,Domestic,Plot 2"))
    assert [state for state, _error in rows_of(session, file).values()].count("wrong") >= 1
    made = [row.made for row in session.scalars(select(ImportRow).where(ImportRow.state == "made"))]
    for one in made:
        assert one is not None
        assert session.get_one(Connection, one["connection"]).account_no == one["account"]
