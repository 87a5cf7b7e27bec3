"""The tariff's JSON: what is read, what is refused, and that nothing of it becomes a float."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from billing.tariff_form import canonical, read_tariff
from billing.tariffs import EXAMPLE

TIERS = [{"from": 0, "to": 6, "rate": 10}, {"from": 6, "to": None, "rate": 20}]


@pytest.mark.parametrize(
    ("tariff", "field"),
    [
        ("graduated", "_schema"),
        ({}, "model"),
        ({"model": "cheap"}, "model"),
        ({"model": "graduated"}, "tiers"),
        ({"model": "graduated", "tiers": []}, "tiers"),
        ({"model": "graduated", "tiers": [{"from": 1, "to": None, "rate": 1}]}, "tiers"),
        ({"model": "graduated", "tiers": [{**TIERS[0], "to": 5}, TIERS[1]]}, "tiers"),
        ({"model": "graduated", "tiers": [{"from": 0, "to": None, "rate": "NaN"}]}, "tiers"),
        ({"model": "graduated", "tiers": [{"from": 0, "to": None}]}, "tiers"),
        ({"model": "graduated", "tiers": TIERS, "discount": 5}, "discount"),
        ({"model": "package", "package_price": 3}, "package_size"),
        ({"model": "package", "package_size": 0, "package_price": 3}, "package_size"),
        ({"model": "schedule_by_total"}, "schedules"),
        (
            {"model": "schedule_by_total", "schedules": [{"tiers": TIERS}, {"max_total": 3, "tiers": TIERS}]},
            "schedules",
        ),
        ({"model": "graduated", "tiers": TIERS, "taxes": [{"name": "VAT", "rate": 1, "base": ["fuel"]}]}, "taxes"),
        ({"model": "graduated", "tiers": TIERS, "taxes": [{"name": "VAT", "rate": 1, "base": 7}]}, "taxes"),
        ({"model": "graduated", "tiers": TIERS, "rounding": {"line": 0}}, "rounding"),
        ({"model": "graduated", "tiers": TIERS, "season_months": {"wet": [13]}}, "season_months"),
    ],
)
def test_a_tariff_that_cannot_be_billed(tariff: object, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_tariff(tariff)
    messages = caught.value.messages
    assert field in (messages if isinstance(messages, dict) else {"_schema": messages})


words = st.sampled_from(["model", "tiers", "from", "to", "rate", "taxes", "name", "sewer"])
atoms = st.none() | st.booleans() | st.floats() | st.text() | words


@given(st.recursive(atoms, lambda inner: st.lists(inner) | st.dictionaries(words, inner), max_leaves=12))
def test_garbage_is_refused_politely(raw: object) -> None:
    with pytest.raises(ValidationError):
        read_tariff(raw)


def test_the_canonical_form_has_no_floats_and_means_the_same() -> None:
    raw: dict[str, Any] = {
        "model": "graduated",
        "tiers": [{"from": 0, "to": None, "rate": 18.71}],
        "minimum": Decimal("1.10"),
    }
    stored = json.loads(json.dumps(canonical(raw)))
    assert stored["tiers"][0]["rate"] == "18.71"
    assert stored["minimum"] == "1.10"
    assert read_tariff(stored) == read_tariff(raw)


def test_the_example_is_a_tariff() -> None:
    assert len(read_tariff(EXAMPLE).tiers) == 4
