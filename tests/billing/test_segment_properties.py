"""What must hold for the parts of any bill: they are the whole, more never costs less, bounds have no step."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from billing.bounds import Bounds
from billing.rating import rate_parts
from billing.rules import Period
from billing.tariff_form import read_tariff
from tests.billing.test_segments import MARCH, blocks, flat, planned, prices, quantities, total, versions

MODELS: list[dict[str, Any]] = [
    blocks(6, 20), blocks(6, 20) | {"model": "volume"}, blocks(30) | {"model": "band"},
    {"model": "package", "package_size": 10, "package_price": 100, "free_units": 5},
    {"model": "schedule_by_total", "schedules": [
        {"max_total": 30, "fixed": 2, "tiers": blocks()["tiers"]}, {"fixed": 10, "tiers": blocks(50)["tiers"]}]},
]  # fmt: skip
EVERYTHING: dict[str, Any] = {
    "fixed_charges": [{"name": "rent", "amount": 50}, {"name": "lamp", "amount": 2, "per": "day"}],
    "fixed_by_usage": {"brackets": [{"to": 10, "amount": 5}, {"to": None, "amount": 9}]},
    "sewer": {"volume_factor": "0.75", "tiers": blocks(6)["tiers"]}, "minimum_usage_charge": 40, "minimum": 120,
    "per_unit_charges": [{"name": "fuel", "rate": "-0.25"}],
    "percent_charges": [{"name": "rep", "rate": "0.05", "base": ["usage"]}],
    "taxes": [{"name": "VAT", "rate": "0.16", "base": "all"}],
}  # fmt: skip


@given(st.sampled_from(MODELS), st.integers(1, 30), st.integers(0, 400), st.booleans())
def test_a_change_that_changes_nothing_costs_nothing(model: dict[str, Any], day: int, daily: int, much: bool) -> None:
    """The parts of one price list sum to the bill in one piece."""
    usage = daily * 31  # so that the parts' usages are exact
    rules = model | EVERYTHING | ({"bound_proration": {"base_days": 30}} if much else {})
    if model["model"] == "package":
        del rules["minimum_usage_charge"]  # packages begin all at once, so a part's least may be more than its packages
    whole = planned(versions((date(2025, 1, 1), rules)))
    parted = planned(versions((date(2025, 1, 1), rules), (MARCH + timedelta(days=day), rules)))
    assert len(parted.slices) == 2
    assert abs(total(parted, usage) - total(whole, usage)) < Decimal("1e-30")


@given(
    st.lists(st.tuples(st.integers(1, 27), prices), min_size=1, max_size=4, unique_by=lambda one: one[0]), quantities
)
def test_parts_sum_to_the_usage_and_the_bill_lies_between_its_prices(
    changes: list[tuple[int, Decimal]], usage: Decimal
) -> None:
    changes.sort()
    found = versions(
        (date(2025, 1, 1), flat(5)), *((MARCH + timedelta(days=day), flat(price)) for day, price in changes)
    )
    made = planned(found)
    parts = made.parts(usage)
    assert sum(part.usage for part in parts) == usage
    assert all(part.usage >= 0 for part in parts)
    assert sum(one.days for one in made.slices) == 31
    rates = [Decimal(5), *(price for _, price in changes)]
    assert min(rates) * usage <= rate_parts(parts).total <= max(rates) * usage


@given(st.sampled_from(MODELS[:1]), st.integers(1, 30), quantities, quantities)
def test_more_usage_never_costs_less_over_a_change(
    model: dict[str, Any], day: int, one: Decimal, other: Decimal
) -> None:
    made = planned(versions((date(2025, 1, 1), model), (MARCH + timedelta(days=day), blocks(3, 9, dearer=12))))
    assert total(made, min(one, other)) <= total(made, max(one, other))


@given(st.integers(1, 30), st.sampled_from([Decimal("0.001"), Decimal("0.01")]))
def test_a_graduated_bill_has_no_step_at_a_bound(day: int, step: Decimal) -> None:
    made = planned(versions((date(2025, 1, 1), blocks(31, 62)), (MARCH + timedelta(days=day), blocks(31, 62))))
    for bound in (Decimal(31), Decimal(62)):
        assert total(made, bound + step) - total(made, bound) <= 30 * step * 2
        assert total(made, bound) - total(made, bound - step) <= 30 * step * 2


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 40))
def test_bounds_are_exact_fractions(bound: int, days: int, base: int) -> None:
    rules = read_tariff(blocks(5) | {"bound_proration": {"base_days": base}})
    scaled = Bounds(rules, Period(days=Decimal(days), share=(3, 7))).scaled(Decimal(bound * base * 7))
    assert scaled == bound * days * 3
