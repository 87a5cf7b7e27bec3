"""Rating: the reference bills of others, and what must hold for any tariff."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.bounds import Bounds
from billing.cases import check_file, compare
from billing.rating import rate
from billing.rules import BoundProration, Period, TariffRules, Tier
from billing.sheet import rounded
from billing.tariff_form import read_tariff

FILE = Path(__file__).parents[1] / "cases" / "tariffs.json"
DATA = json.loads(FILE.read_text(), parse_float=Decimal)
MONTH = Period(days=Decimal(30))

quantities = st.decimals(0, 2000, places=3)
prices = st.decimals(0, 500, places=4)


@st.composite
def blocks(draw: st.DrawFn, *, flats: bool = False) -> list[dict[str, Any]]:
    """Continuous blocks with rates of any order."""
    ends = sorted(draw(st.sets(st.integers(1, 900), max_size=5)))
    starts = [0, *ends]
    return [
        {"from": start, "to": end, "rate": draw(prices), "flat": draw(prices) if flats else 0}
        for start, end in zip(starts, [*ends, None], strict=True)
    ]


def graduated(tiers: list[dict[str, Any]], **more: Any) -> TariffRules:
    return read_tariff({"model": "graduated", "tiers": tiers, **more})


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: case["id"])
def test_a_known_bill(case: dict[str, Any]) -> None:
    assert compare(case) is None


def test_a_file_is_summed_up(tmp_path: Path) -> None:
    assert check_file(FILE) == {"cases": 73, "matched": 73, "mismatched": []}
    wrong = {**DATA["cases"][0], "expected_total": "417"}
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"cases": [wrong]}, default=str))
    assert check_file(file) == {
        "cases": 1,
        "matched": 0,
        "mismatched": [{"id": wrong["id"], "why": "416 instead of 417"}],
    }
    file.write_text("[]")
    with pytest.raises(ValueError, match="no file of cases"):
        check_file(file)


@pytest.mark.parametrize("vector", [v for v in DATA["extra_vectors"] if v["kind"] == "bound_proration"])
def test_a_daily_bound_is_rounded_after_scaling(vector: dict[str, Any]) -> None:
    proration = BoundProration(base_days=Decimal(1), round_bound=Decimal(1))
    bounds = Bounds(TariffRules("graduated", bound_proration=proration), Period(days=Decimal(vector["days"])))
    assert bounds.scaled(vector["daily_bound"]) == vector["expected_bound"]


def test_a_period_billed_in_two_parts_goes_on_in_the_block_it_reached() -> None:
    vector = next(v for v in DATA["extra_vectors"] if v["kind"] == "cumulative_split")
    rules, already = read_tariff(vector["tariff"]), Decimal(vector["already"])
    whole = rate(rules, already + vector["usage"], MONTH).total
    assert whole - rate(rules, already, MONTH).total == vector["expected"]


@given(blocks(), quantities)
def test_blocks_equal_the_price_of_each_unit(tiers: list[dict[str, Any]], usage: Decimal) -> None:
    naive = Decimal(0)
    for tier in tiers:
        end = usage if tier["to"] is None else min(usage, Decimal(tier["to"]))
        naive += max(end - tier["from"], Decimal(0)) * tier["rate"]
    assert rate(graduated(tiers), usage, MONTH).total == naive


@given(blocks(flats=True), quantities, quantities)
def test_more_usage_never_costs_less(tiers: list[dict[str, Any]], one: Decimal, other: Decimal) -> None:
    rules = graduated(tiers, minimum=100, rounding={"line": "0.01"})
    assert rate(rules, min(one, other), MONTH).total <= rate(rules, max(one, other), MONTH).total


@given(blocks(), st.integers(1, 899), quantities)
def test_cutting_a_block_in_two_changes_nothing(tiers: list[dict[str, Any]], cut: int, usage: Decimal) -> None:
    halves: list[dict[str, Any]] = []
    for tier in tiers:
        if tier["from"] < cut and (tier["to"] is None or cut < tier["to"]):
            halves += [{**tier, "to": cut}, {**tier, "from": cut}]
        else:
            halves.append(tier)
    assert rate(graduated(tiers), usage, MONTH).total == rate(graduated(halves), usage, MONTH).total


@given(blocks(flats=True), quantities, st.integers(1, 12))
def test_a_catch_up_bill_of_even_months_is_the_sum_of_theirs(
    tiers: list[dict[str, Any]], usage: Decimal, cycles: int
) -> None:
    rules = graduated(
        tiers, fixed_charges=[{"name": "rent", "amount": 50}], minimum_usage_charge=40, minimum=120,
        taxes=[{"name": "VAT", "rate": "0.16", "base": "all"}],
        fixed_by_usage={"brackets": [{"to": 10, "amount": 5}, {"to": None, "amount": 9}]},
    )  # fmt: skip
    together = rate(rules, usage * cycles, Period(cycles=cycles)).total
    assert together == rate(rules, usage, Period()).total * cycles


@given(blocks(flats=True), quantities, st.sampled_from(["0.01", "0.05", "1"]))
def test_a_total_is_its_lines_and_a_whole_number_of_quanta(
    tiers: list[dict[str, Any]], usage: Decimal, quantum: str
) -> None:
    bill = rate(graduated(tiers, rounding={"total": quantum}), usage, MONTH)
    assert bill.total == sum(line.amount for line in bill.lines)
    assert bill.total % Decimal(quantum) == 0
    assert bill == rate(graduated(tiers, rounding={"total": quantum}), usage, MONTH)


def test_an_upper_bound_belongs_to_its_block() -> None:
    tiers = [{"from": 0, "to": 6, "rate": 10}, {"from": 6, "to": None, "rate": 20, "flat": 5}]
    assert rate(graduated(tiers), Decimal(6), MONTH).total == 60
    assert rate(graduated(tiers), Decimal("6.001"), MONTH).total == Decimal("65.02")
    volume = read_tariff({"model": "volume", "tiers": tiers})
    assert rate(volume, Decimal(6), MONTH).total == 60
    assert rate(volume, Decimal("6.001"), MONTH).total == Decimal("125.02")


def test_the_last_block_goes_on() -> None:
    assert rate(graduated([{"from": 0, "to": 30, "rate": 10}]), Decimal(40), MONTH).total == 400


def test_a_band_goes_by_the_trailing_average() -> None:
    rules = read_tariff(
        {"model": "band", "tiers": [{"from": 0, "to": 30, "rate": 12}, {"from": 30, "to": None, "rate": 16}]}
    )
    assert rate(rules, Decimal(40), MONTH).total == 640
    assert rate(rules, Decimal(40), Period(band_usage=Decimal(29))).total == 480


def test_a_rebate_and_a_season_below_one() -> None:
    rules = graduated(
        [{"from": 0, "to": None, "rate": 10}], seasonal={"wet": "0.9"}, per_unit_charges=[{"name": "fuel", "rate": -1}]
    )
    assert rate(rules, Decimal(10), Period(season="wet")).total == 80
    assert rate(rules, Decimal(10), Period(season="dry")).total == 90


def test_a_season_below_one_is_rounded_like_any_charge() -> None:
    rules = graduated([{"from": 0, "to": None, "rate": "0.05"}], seasonal={"wet": "0.9"}, rounding={"line": "0.01"})
    assert rate(rules, Decimal(1), Period(season="wet")).total == Decimal("0.05")  # 0.045, half up


def test_a_case_may_give_its_days_by_their_ends() -> None:
    tariff = {"model": "volume", "tiers": [{"from": 0, "to": None, "rate": 0}]}
    tariff["fixed_charges"] = [{"name": "service", "amount": "0.5", "per": "day"}]
    case = {"tariff": tariff, "usage": 0, "period": {"from": "2024-04-12", "to": "2024-04-30"}, "tolerance": "0"}
    assert compare(case | {"expected_total": "9.5"}) is None


def test_a_daily_charge_needs_the_days() -> None:
    rules = graduated([{"from": 0, "to": None, "rate": 0}], fixed_charges=[{"name": "rent", "amount": 2, "per": "day"}])
    assert rate(rules, Decimal(0), MONTH).total == 60
    with pytest.raises(ValueError, match="days are not known"):
        rate(rules, Decimal(0), Period())
    with pytest.raises(ValueError, match="negative"):
        rate(rules, Decimal(-1), MONTH)


def test_rounding_is_half_away_from_zero() -> None:
    assert rounded(Decimal("0.125"), Decimal("0.01")) == Decimal("0.13")
    assert rounded(Decimal("-0.125"), Decimal("0.01")) == Decimal("-0.13")
    assert rounded(Decimal("12.63"), Decimal("0.05")) == Decimal("12.65")


def test_tiers_for_a_longer_period_keep_their_rates() -> None:
    rules = TariffRules("graduated", tiers=(Tier(Decimal(0), Decimal(6), Decimal(1)),) * 2)
    assert [tier.to for tier in Bounds(rules, Period(cycles=2)).tiers(rules.tiers)] == [12, None]
