"""Prices in time: the same bill from every door, frozen for ever, and the very same lines when it is rated again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.batches import run_now
from billing.levies import LevyRefusal, add_rate, rates_in, rates_of, series_named
from billing.models import BillingRun, Connection, Invoice, InvoiceLine, LevyRate
from billing.pricing import PriceBook, rerate, versions_until
from billing.provisional import provisional_bill
from billing.runs import issue_run, start_run
from billing.segments import Span
from billing.tariffs import TariffRefusal, add_tariff, add_version, is_used, replace_rules
from billing.unbilled import unbilled_of
from core.clock import frozen
from tests.billing.estate import TEN_A_UNIT, Estate, must_read
from tests.billing.test_segment_properties import EVERYTHING, MODELS

FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
SEASONS: dict[str, Any] = {
    "seasonal": {"dry": "1.25", "wet": "0.8"},
    "season_months": {"dry": [1, 2], "wet": [3, 4, 5]},
}
LEVIED: dict[str, Any] = {**TEN_A_UNIT, "per_unit_charges": [{"name": "FCC", "series": "fuel"}]}


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 5, 2, 9, tzinfo=UTC)):
        yield


def by_run(session: Session, month: date) -> None:
    run = start_run(session, month, "office amina", notify=False)
    assert isinstance(run, BillingRun)
    run_now(session, run.id)
    assert isinstance(issue_run(session, run.id, "office amina"), BillingRun)
    run_now(session, run.id)


def lines_of(session: Session, invoice: Invoice) -> list[tuple[Any, ...]]:
    rows = session.scalars(
        select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
    )
    return [(row.code, row.label, row.quantity, row.rate, row.amount_minor, row.account) for row in rows]


def rated_again(session: Session, invoice: Invoice) -> list[tuple[Any, ...]]:
    charge = rerate(session, invoice)
    assert not isinstance(charge, str)
    assert charge.total.minor == invoice.amount_minor
    return [
        (line.code, line.label, kept(line.quantity), line.rate, line.amount.minor, line.account)
        for line in charge.lines
    ]


def kept(quantity: Decimal | None) -> Decimal | None:
    """As the column keeps it."""
    return None if quantity is None else quantity.quantize(Decimal("0.001"), ROUND_HALF_UP)


def test_rating_an_old_bill_again_gives_its_very_lines(session: Session) -> None:
    """Every model with every charge, three months, a change of prices in mid-month, a season, late and first bills."""
    chance, estate, homes = Random(7), Estate(session), []
    for number, model in enumerate(MODELS):
        rules = model | EVERYTHING | SEASONS | {"rounding": {"line": "0.01", "total": "0.05"}}
        tariff = add_tariff(session, f"Tariff {number}", "commercial")
        assert tariff is not None
        add_version(session, tariff.id, date(2025, 1, 1), rules, "test")
        add_version(session, tariff.id, date(2026, 3, 12), rules | {"minimum": 150}, "test")
        estate.tariff_id = tariff.id
        homes += [estate.metered(start=0, digits=6) for _ in range(4)]
    shown = dict.fromkeys((home.id for home in homes), 0)
    for month, day in ((FEBRUARY, 27), (MARCH, 29), (APRIL, 30)):
        for home in homes:
            if chance.random() < 0.8 or month == APRIL:
                shown[home.id] += chance.randint(0, 90)
                must_read(session, home, shown[home.id], month.replace(day=day - chance.randint(0, 3)))
        by_run(session, month)
        session.expire_all()
    for tariff_id in {home.tariff_id for home in homes}:
        add_version(session, tariff_id, date(2026, 5, 1), TEN_A_UNIT, "test")
    invoices = session.scalars(select(Invoice)).all()
    assert len(invoices) > 45
    for invoice in invoices:
        assert rated_again(session, invoice) == lines_of(session, invoice)


def test_every_door_leads_to_the_same_bill(session: Session) -> None:
    estate = Estate(session, MODELS[0] | EVERYTHING)
    add_version(session, estate.tariff_id, date(2026, 2, 11), MODELS[0] | EVERYTHING | {"on_change": "by_days"}, "x")
    home = estate.metered()
    must_read(session, home, 131, date(2026, 2, 28))
    row = unbilled_of(session, home.id, date(2026, 2, 28))
    assert row is not None
    single = PriceBook(session, versions_until(session, FEBRUARY)).price(row, FEBRUARY)
    seen = provisional_bill(session, home, Decimal(131), date(2026, 2, 28))
    by_run(session, FEBRUARY)
    run = session.scalars(select(Invoice)).one()
    assert not isinstance(single, str)
    assert seen is not None
    assert seen.lines == single.charge.lines
    assert single.charge.total.minor == run.amount_minor == seen.total.minor


def test_neighbours_share_a_plan_unless_the_tariff_tells_them_apart(session: Session) -> None:
    estate = Estate(session)
    book = PriceBook(session)
    one, other = (
        Span(date(2026, 1, 31), date(2026, 2, 28), 1, (1, 1), Decimal(used), mm) for used, mm in ((9, 15), (40, 25))
    )
    assert book.plan(estate.tariff_id, one) is book.plan(estate.tariff_id, other)
    for rules in (MODELS[2], TEN_A_UNIT | {"fixed_charges": [{"name": "rent", "amount": 1, "by_size": {"25": 2}}]}):
        tariff = add_tariff(session, str(rules), "domestic")
        assert tariff is not None
        add_version(session, tariff.id, date(2025, 1, 1), rules, "x")
        assert book.plan(tariff.id, one) is not book.plan(tariff.id, other)


def test_a_version_with_a_part_in_a_bill_is_frozen(session: Session) -> None:
    estate = Estate(session)
    home = estate.metered()
    new = add_version(session, estate.tariff_id, date(2026, 2, 11), TEN_A_UNIT, "x")
    assert not isinstance(new, TariffRefusal)
    must_read(session, home, 131, date(2026, 2, 28))
    assert not is_used(session, estate.version.id)
    row = unbilled_of(session, home.id, date(2026, 2, 28))
    assert row is not None
    priced = PriceBook(session).price(row, FEBRUARY)
    assert not isinstance(priced, str)
    assert priced.version_id == new.id
    bill(session, home, new.id)
    assert is_used(session, estate.version.id)
    assert replace_rules(session, estate.version.id, TEN_A_UNIT) == TariffRefusal("billed")
    assert add_version(session, estate.tariff_id, date(2026, 2, 20), TEN_A_UNIT, "x") == TariffRefusal("billed")


def test_a_version_that_waited_for_the_next_cycle_hides_no_bill(session: Session) -> None:
    estate = Estate(session)
    home = estate.metered()
    add_version(session, estate.tariff_id, date(2026, 2, 11), TEN_A_UNIT | {"on_change": "next_cycle"}, "x")
    must_read(session, home, 131, date(2026, 2, 28))
    bill(session, home, estate.version.id)
    assert add_version(session, estate.tariff_id, date(2026, 2, 20), TEN_A_UNIT, "x") == TariffRefusal("billed")


def bill(session: Session, home: Connection, version_id: int) -> None:
    row = unbilled_of(session, home.id, date(2026, 2, 28))
    assert row is not None
    session.add(
        Invoice(
            number="T1", connection_id=home.id, kind="regular", period_start=FEBRUARY, period_end=date(2026, 2, 28),
            usage=row.usage, days=28, cycles=1, amount_minor=0, status="issued", tariff_version_id=version_id,
            opening_reading_id=row.opening_id, closing_reading_id=row.closing_id, created_at=datetime.now(UTC),
        )
    )  # fmt: skip
    session.flush()


def test_a_levy_is_dated_and_a_billed_rate_stays(session: Session) -> None:
    estate = Estate(session, LEVIED)
    home = estate.metered()
    must_read(session, home, 110, date(2026, 2, 28))
    row = unbilled_of(session, home.id, date(2026, 2, 28))
    assert row is not None
    assert PriceBook(session).price(row, FEBRUARY) == "no_levy"
    assert isinstance(add_rate(session, "fuel", date(2026, 1, 15), Decimal("3.59"), "x"), LevyRate)
    assert isinstance(add_rate(session, "fuel", MARCH, Decimal("-1.5"), "x"), LevyRate)
    assert add_rate(session, "fuel", MARCH, Decimal(2), "x") == LevyRefusal("known")
    assert [str(rates_in(session, month)["fuel"]) for month in (FEBRUARY, MARCH, APRIL)] == ["3.59", "-1.5", "-1.5"]
    priced = PriceBook(session).price(row, FEBRUARY)
    assert not isinstance(priced, str)
    assert priced.bill.total == Decimal("135.9")
    bill(session, home, estate.version.id)
    assert add_rate(session, "fuel", FEBRUARY, Decimal(2), "x") == LevyRefusal("billed")
    assert series_named(session) == ["fuel"]
    assert [one.rate for one in rates_of(session)] == [Decimal("-1.5"), Decimal("3.59")]


def test_overtaken_estimates_are_billed_again_over_the_whole_gap(session: Session) -> None:
    """Two months billed on estimates, then the dials: one bill over three months, with the bounds of three."""
    estate = Estate(session, {"model": "graduated", "tiers": [
        {"from": 0, "to": 10, "rate": 1}, {"from": 10, "to": None, "rate": 100}]})  # fmt: skip
    home = estate.metered()
    must_read(session, home, 110, date(2026, 2, 28))
    bill(session, home, estate.version.id)
    for number, (month, day, value) in enumerate(((MARCH, 31, 130), (APRIL, 30, 150)), 2):
        must_read(session, home, value, month.replace(day=day)).reading.source = "estimate"
        row = unbilled_of(session, home.id, month.replace(day=day))
        assert row is not None
        session.add(
            Invoice(
                number=f"T{number}", connection_id=home.id, kind="regular", period_start=month, usage=row.usage,
                period_end=month.replace(day=day), days=30, cycles=1, amount_minor=0, status="issued",
                tariff_version_id=estate.version.id, opening_reading_id=row.opening_id,
                closing_reading_id=row.closing_id, created_at=datetime.now(UTC),
            )
        )  # fmt: skip
        session.flush()
    must_read(session, home, 140, date(2026, 5, 2))
    row = unbilled_of(session, home.id, date(2026, 5, 31))
    assert row is not None
    standing = session.scalars(select(Invoice.id).where(Invoice.number.in_(("T2", "T3"))).order_by(Invoice.id)).all()
    assert (row.usage, row.cycles(date(2026, 5, 1)), list(row.replaces)) == (30, 3, standing)
    priced = PriceBook(session).price(row, date(2026, 5, 1))
    assert not isinstance(priced, str)
    assert priced.bill.total == 30
    waits = unbilled_of(session, home.id, date(2026, 5, 31), rebill=False)
    assert waits is not None
    assert (waits.closing_id, waits.in_review) == (None, True)
