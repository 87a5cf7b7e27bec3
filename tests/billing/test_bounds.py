"""The two sides of each bound that a tariff can have, reckoned by hand."""

from decimal import Decimal
from typing import Any

import pytest

from billing.cases import compare

DAY_OF = {"model": "volume", "tiers": [{"from": 0, "to": None, "rate": 0}]}
DELHI: dict[str, Any] = {
    **DAY_OF, "fixed_by_usage": {"brackets": [{"to": 20, "amount": "146.41"}, {"to": 30, "amount": "219.62"},
                                              {"to": None, "amount": "292.82"}]},
}  # fmt: skip
BY_30_DAYS = {**DELHI, "fixed_by_usage": {**DELHI["fixed_by_usage"], "normalise_days": 30}}
SYABAS: dict[str, Any] = {
    "model": "graduated", "tiers": [{"from": 0, "to": 20, "rate": "0.57"}, {"from": 20, "to": None, "rate": "1.03"}],
    "bound_proration": {"base_days": 30, "window": [28, 33], "round_factor": "0.01"},
}  # fmt: skip
QUEENSLAND: dict[str, Any] = {
    "model": "graduated", "tiers": [{"from": 0, "to": 300, "rate": 1}, {"from": 300, "to": None, "rate": 2}],
    "bound_proration": {"base_days": 365, "bound_round": 1},
}  # fmt: skip
LIFELINE: dict[str, Any] = {
    "model": "schedule_by_total",
    "schedules": [{"max_total": 30, "fixed": "2.13", "tiers": [{"from": 0, "to": None, "rate": "0.5"}]},
                  {"max_total": None, "fixed": "10.73", "tiers": [{"from": 0, "to": 300, "rate": 2},
                                                                   {"from": 300, "to": None, "rate": 3}]}],
}  # fmt: skip
FLAT: dict[str, Any] = {
    "model": "graduated", "tiers": [{"from": 0, "to": 6, "flat": 204}, {"from": 6, "to": None, "rate": 53, "flat": 1}]
}  # fmt: skip
PACKAGES = {"model": "package", "package_size": 10, "package_price": 100, "free_units": 5}
LEAST = {
    **FLAT,
    "minimum_usage_charge": 210,
    "minimum": 300,
    "taxes": [{"name": "VAT 16%", "rate": "0.16", "base": "all"}],
}
TWICE_TAXED: dict[str, Any] = {
    **DAY_OF, "fixed_charges": [{"name": "rent", "amount": 100}],
    "taxes": [{"name": "VAT", "rate": "0.1", "base": "all"}, {"name": "levy", "rate": "0.05", "base": "all"}],
}  # fmt: skip
SEWER: dict[str, Any] = {
    **DAY_OF, "sewer": {"volume_factor": "0.75", "tiers": [{"from": 0, "to": 6, "rate": 43},
                                                           {"from": 6, "to": None, "rate": 56}]},
}  # fmt: skip
PER_DAY = {**DAY_OF, "fixed_charges": [{"name": "Base (5/8 in)", "amount": "0.2", "per": "day"}]}
NAMED: dict[str, Any] = {
    "model": "band", "tiers": [{"from": 0, "to": 30, "rate": 10}, {"from": 30, "to": 100, "rate": 20}],
    "per_unit_charges": [{"name": "FCC", "rate": "-1"}],
    "percent_charges": [{"name": "REP", "rate": "0.05", "base": ["usage"]}],
    "taxes": [{"name": "VAT", "rate": "0.1", "base": ["usage", "FCC"]}], "rounding": {"total": "1"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("tariff", "usage", "period", "total"),
    [
        (DELHI, "20", {}, "146.41"), (DELHI, "20.001", {}, "219.62"), (DELHI, "30", {}, "219.62"),
        (DELHI, "30.001", {}, "292.82"), (DELHI, "0", {}, "146.41"),
        (BY_30_DAYS, "40", {"days": 60}, "146.41"), (BY_30_DAYS, "40.001", {"days": 60}, "219.62"),
        (BY_30_DAYS, "10", {"days": 15}, "146.41"), (BY_30_DAYS, "10.1", {"days": 15}, "219.62"),
        # 25 m3: 20 at 0.57 and 5 at 1.03 within the window, else by the days.
        (SYABAS, "25", {"days": 28}, "16.55"), (SYABAS, "25", {"days": 33}, "16.55"),
        (SYABAS, "25", {"days": 27}, "17.47"), (SYABAS, "25", {"days": 34}, "15.354"), (SYABAS, "25", {}, "16.55"),
        # 91 days of 300 a year are 74.79, so 75.
        (QUEENSLAND, "75", {"days": 91}, "75"), (QUEENSLAND, "76", {"days": 91}, "77"),
        (QUEENSLAND, "301", {"days": 365}, "302"),
        (LIFELINE, "30", {}, "17.13"), (LIFELINE, "30.001", {}, "70.732"), (LIFELINE, "0", {}, "2.13"),
        (LIFELINE, "300", {}, "610.73"), (LIFELINE, "301", {}, "613.73"),
        (FLAT, "0", {}, "204"), (FLAT, "6", {}, "204"), (FLAT, "6.1", {}, "210.3"),
        (PACKAGES, "5", {}, "0"), (PACKAGES, "5.001", {}, "100"), (PACKAGES, "15", {}, "100"),
        (PACKAGES, "15.001", {}, "200"),
        (LEAST, "6", {}, "300"), (LEAST, "7", {}, "300"), (LEAST, "8", {}, "360.76"),
        (TWICE_TAXED, "0", {}, "115"),
        (SEWER, "8", {}, "258"), (SEWER, "12", {}, "426"), (SEWER, "0", {}, "0"),
        (PER_DAY, "5", {"days": 31}, "6.2"), (PER_DAY, "5", {"from": "2026-04-12", "to": "2026-04-30"}, "3.8"),
        # 30 at 10: 300 and REP 15, FCC -30, VAT 27. One unit more is at 20: 620, 31, -31, 58.9, together 678.9.
        (NAMED, "30", {}, "312"), (NAMED, "31", {}, "679"), (NAMED, "31", {"band_usage": 30}, "322"),
        (NAMED, "150", {}, "3285"),
    ],
)  # fmt: skip
def test_a_bound_by_hand(tariff: dict[str, Any], usage: str, period: dict[str, Any], total: str) -> None:
    case = {"id": "by hand", "tariff": tariff, "usage": Decimal(usage), "period": period,
            "expected_total": Decimal(total), "tolerance": 0}  # fmt: skip
    assert compare(case) is None
