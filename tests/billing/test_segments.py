"""A bill in parts: tariff changes and seasons by days, rents by size, service days; the parts are the whole."""

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from billing.rating import rate, rate_parts
from billing.rules import Part, Period
from billing.segments import Plan, Span, Version, plan, service
from billing.sheet import rounded
from billing.tariff_form import read_tariff

DATA = json.loads((Path(__file__).parents[1] / "cases" / "tariffs.json").read_text(), parse_float=Decimal)
MARCH = date(2026, 3, 1)
A_MARCH = Span(date(2026, 2, 28), date(2026, 3, 31), service=(1, 1))
CENT = Decimal("0.01")
quantities = st.decimals(0, 2000, places=3)
prices = st.decimals(0, 500, places=4)


def flat(rate: object, **more: Any) -> dict[str, Any]:
    return {"model": "graduated", "tiers": [{"from": 0, "to": None, "rate": rate}], **more}


def blocks(*ends: int, dearer: int = 10) -> dict[str, Any]:
    """Blocks at 10, 20, 30 … a unit."""
    bounds = [0, *ends, None]
    return {
        "model": "graduated",
        "tiers": [
            {"from": start, "to": end, "rate": dearer * place} for place, (start, end) in enumerate(pairwise(bounds), 1)
        ],
    }


def versions(*dated: tuple[date, dict[str, Any]]) -> list[Version]:
    starts = [start for start, _ in dated]
    ends = [start - timedelta(days=1) for start in starts[1:]]
    return [
        Version(number, start, end, read_tariff(rules))
        for number, ((start, rules), end) in enumerate(zip(dated, [*ends, None], strict=True), 1)
    ]


def planned(found: list[Version], span: Span = A_MARCH, **series: Decimal) -> Plan:
    made = plan(found, span, series)
    assert made is not None
    return made


def total(made: Plan, usage: object) -> Decimal:
    return rate_parts(made.parts(Decimal(str(usage)))).total


def test_a_change_inside_the_month_counts_by_its_days() -> None:
    """31 days, 10 of them before the change: bounds, fixed charges and usage are all split 10 to 21."""
    old = blocks(31) | {"fixed_charges": [{"name": "rent", "amount": 62}]}
    new = blocks(31, dearer=20) | {"fixed_charges": [{"name": "rent", "amount": 124}]}
    made = planned(versions((date(2025, 1, 1), old), (date(2026, 3, 11), new)))
    bill = rate_parts(made.parts(Decimal(62)))
    assert [(line.label, line.amount) for line in bill.lines] == [
        ("Usage 0 to 10 (1 Mar to 10 Mar)", 100), ("Usage over 10 (1 Mar to 10 Mar)", 200),
        ("Rent (1 Mar to 10 Mar)", 20), ("Usage 0 to 21 (11 Mar to 31 Mar)", 420),
        ("Usage over 21 (11 Mar to 31 Mar)", 840), ("Rent (11 Mar to 31 Mar)", 84),
    ]  # fmt: skip
    assert made.version_id == 2


@pytest.mark.parametrize(
    ("rule", "expected"), [("by_days", 30 * 10 + 63 * 20), ("by_bill_date", 93 * 20), ("next_cycle", 93 * 10)]
)
def test_the_new_version_says_what_becomes_of_the_bill(rule: str, expected: int) -> None:
    old, new = flat(10, on_change="next_cycle"), flat(20, on_change=rule)
    found = versions((date(2025, 1, 1), old), (date(2026, 3, 11), new))
    assert total(planned(found), 93) == expected
    april = Span(date(2026, 3, 31), date(2026, 4, 30))
    assert total(planned(found, april), 93) == 93 * 20


def test_a_version_that_begins_on_the_first_day_is_alone_and_one_on_the_last_has_that_day() -> None:
    old, new = flat(0), flat(31)
    assert total(planned(versions((date(2025, 1, 1), old), (MARCH, new))), 31) == 31 * 31
    assert total(planned(versions((date(2025, 1, 1), old), (date(2026, 3, 31), new))), 31) == 31
    assert total(planned(versions((date(2025, 1, 1), old), (date(2026, 4, 1), new))), 31) == 0


def test_before_the_first_version_its_prices_hold_and_without_one_there_are_none() -> None:
    assert total(planned(versions((date(2026, 3, 15), flat(7)))), 2) == 14
    assert plan(versions((date(2026, 4, 1), flat(7))), A_MARCH, {}) is None


@pytest.mark.parametrize("vector", [v for v in DATA["extra_vectors"] if v["kind"] == "price_change_mid_term"])
def test_a_monthly_price_that_changes_in_mid_term(vector: dict[str, Any]) -> None:
    rules = read_tariff(flat(0, fixed_charges=[{"name": "rent", "amount": vector["monthly"]}]))
    period = Period(days=Decimal(31), share=(int(vector["days"]), int(vector["of_days"])))
    assert rounded(rate(rules, Decimal(0), period).total, CENT) == vector["expected"]


def test_a_season_counts_by_the_days_of_consumption() -> None:
    """From 21 March to 20 April: 11 days at 1.2, 20 days at 0.9, whatever the day of the bill."""
    seasonal = flat(31, seasonal={"hot": "1.2", "wet": "0.9"}, season_months={"hot": [1, 2, 3], "wet": [4, 5]})
    made = planned(versions((date(2025, 1, 1), seasonal)), Span(date(2026, 3, 20), date(2026, 4, 20)))
    bill = rate_parts(made.parts(Decimal(31)))
    assert [(line.label, line.amount) for line in bill.lines[1:]] == [
        ("Season: hot, 11 of 31 days", Decimal("68.2")), ("Season: wet, 20 of 31 days", Decimal(-62)),
    ]  # fmt: skip
    june = Span(date(2026, 5, 31), date(2026, 6, 30))
    assert total(planned(versions((date(2025, 1, 1), seasonal)), june), 31) == 961


def test_the_rent_goes_by_the_meters_size() -> None:
    sized = flat(0, fixed_charges=[{"name": "rent", "amount": 50, "by_size": {"25": 130, "50": "400.50"}}])
    rules = read_tariff(sized)
    assert [rate(rules, Decimal(0), Period(meter_mm=mm)).total for mm in (None, 15, 25, 50)] == [
        50, 50, 130, Decimal("400.50"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("opened", "month", "until", "expected"),
    [
        (date(2026, 4, 12), date(2026, 4, 1), None, (1, (19, 30))),  # both ends count
        (date(2026, 4, 1), date(2026, 4, 1), None, (1, (1, 1))),
        (date(2026, 3, 31), date(2026, 4, 1), None, (1, (1, 1))),  # read on the last day: it serves from the first
        (date(2026, 4, 12), date(2026, 5, 1), None, (2, (49, 30))),
        (date(2026, 4, 28), date(2026, 5, 1), None, (1, (11, 10))),
        (None, date(2026, 4, 1), date(2026, 4, 15), (1, (1, 2))),
        (None, date(2026, 4, 1), None, (1, (1, 1))),
        (date(2026, 2, 1), date(2026, 4, 1), None, (3, (3, 1))),
    ],
)  # fmt: skip
def test_service_days_are_what_fixed_charges_are_owed_for(
    opened: date | None, month: date, until: date | None, expected: tuple[int, tuple[int, int]]
) -> None:
    assert service(opened, month, until) == expected
    rules = read_tariff(flat(0, fixed_charges=[{"name": "rent", "amount": 30}]))
    cycles, owed = expected
    bill = rate(rules, Decimal(0), Period(cycles=cycles, service=owed))
    assert rounded(bill.total, CENT) == rounded(30 * Decimal(owed[0]) / owed[1], CENT)


def test_a_levy_has_the_rate_of_its_month_and_may_be_a_rebate() -> None:
    rules = flat(10, per_unit_charges=[{"name": "FCC", "series": "fuel"}], taxes=[{"name": "VAT", "rate": "0.1"}])
    made = planned(versions((date(2025, 1, 1), rules)), fuel=Decimal("-2.5"))
    assert total(made, 10) == Decimal("82.5")
    with pytest.raises(ValueError, match="fuel has no rate"):
        total(planned(versions((date(2025, 1, 1), rules))), 10)


def test_free_units_and_a_budget() -> None:
    free = read_tariff(blocks(10) | {"free_units": 6})
    assert [rate(free, Decimal(used), Period()).total for used in (6, 16, 17)] == [0, 100, 120]
    assert rate(free, Decimal(32), Period(cycles=2)).total == 200
    # The published irrigation budget: a bound of round(0.7 * 4.8 * 4500 * 0.62 / 748) = 13 (OWRS).
    by_budget = read_tariff({
        "model": "graduated", "budget": {"default": 10, "round": 1},
        "tiers": [{"from": 0, "to": 1, "rate": "3.66"}, {"from": 1, "to": None, "rate": "6.33"}],
        "fixed_charges": [{"name": "service", "amount": 22}], "per_unit_charges": [{"name": "sewer", "rate": "1.5"}],
    })  # fmt: skip
    own = Decimal("0.7") * Decimal("4.8") * 4500 * Decimal("0.62") / 748
    assert rate(by_budget, Decimal(41), Period(budget=own)).total == Decimal("308.32")
    assert rate(by_budget, Decimal(10), Period()).total == 22 + 15 + Decimal("36.6")


def test_the_quantum_of_a_bound_may_stand_beside_its_proration() -> None:
    inside = {"bound_proration": {"base_days": 1, "bound_round": 1}}
    beside = {"bound_proration": {"base_days": 1}, "bound_round": 1}
    assert read_tariff(blocks(5) | inside) == read_tariff(blocks(5) | beside)


def test_a_minimum_and_a_rounding_are_the_bills_not_the_parts() -> None:
    old, new = (flat(price, minimum=310, rounding={"total": 5}) for price in (1, 2))
    bill = rate_parts(planned(versions((date(2025, 1, 1), old), (date(2026, 3, 11), new))).parts(Decimal(31)))
    assert [(line.group, line.amount) for line in bill.lines] == [("usage", 10), ("usage", 42), ("minimum", 258)]
    dear = rate_parts(planned(versions((date(2025, 1, 1), flat("10.1", rounding={"total": 5})))).parts(Decimal(31)))
    assert (dear.lines[-1].group, dear.lines[-1].amount, dear.total) == ("rounding", Decimal("1.9"), 315)


def test_a_bill_needs_a_part() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        rate_parts(())
    with pytest.raises(ValueError, match="no charging model"):
        rate_parts((Part(read_tariff(flat(1)).__class__("cheap"), Decimal(1), Period()),))
