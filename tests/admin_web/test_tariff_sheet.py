"""The sheet of blocks becomes a documented tariff, and comes back as it was."""

import json
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from admin_web.tariff_editor import STARTER
from admin_web.tariff_lines import SheetError
from admin_web.tariff_sheet import COLUMNS, rows_of, sheet_of, tariff_from
from billing.tariff_form import read_tariff
from billing.tariffs import EXAMPLE


def sheet(*blocks: tuple[str, ...], **fields: str) -> "MultiDict[str, str]":
    sent: MultiDict[str, str] = MultiDict(fields)
    for name, column in zip(COLUMNS, zip(*blocks, strict=True), strict=False):
        sent.setlist(name, list(column))
    return sent


NAIROBI = sheet(
    ("6", "0", "204"), ("60", "53", ""), ("", "64", ""), ("", "", ""),
    model="graduated", fixed="50", fixed_name="meter rent", sewer="75", tax="16%", tax_name="VAT",
)  # fmt: skip
WIDER = sheet(
    ("", "53", ""), model="volume", fixed="50", fixed_name="meter rent", by_size="25: 130\n\n50: 1,500",
    levies="WRA: 0.015\nFCC: fuel\nlow income: -1.20", on_change="next_cycle",
)  # fmt: skip


def test_sizes_levies_and_the_change_are_lines_of_the_sheet() -> None:
    tariff = tariff_from(WIDER)
    assert tariff["fixed_charges"] == [{"name": "meter_rent", "amount": "50", "by_size": {"25": "130", "50": "1500"}}]
    assert tariff["per_unit_charges"] == [
        {"name": "WRA", "rate": "0.015"}, {"name": "FCC", "series": "fuel"}, {"name": "low_income", "rate": "-1.20"},
    ]  # fmt: skip
    assert tariff["on_change"] == "next_cycle"
    assert sheet_of({**tariff_from(NAIROBI), "on_change": "by_days"})[2]


def test_a_sheet_becomes_a_tariff() -> None:
    tariff = tariff_from(NAIROBI)
    assert tariff["tiers"] == [
        {"from": "0", "to": "6", "rate": "0", "flat": "204"},
        {"from": "6", "to": "60", "rate": "53"},
        {"from": "60", "to": None, "rate": "64"},
    ]
    assert tariff["fixed_charges"] == [{"name": "meter_rent", "amount": "50"}]
    assert tariff["percent_charges"] == [{"name": "sewerage", "rate": "0.75", "base": ["usage"]}]
    assert tariff["taxes"] == [{"name": "VAT", "rate": "0.16", "base": "all"}]


@pytest.mark.parametrize(
    "tariff", [tariff_from(NAIROBI), tariff_from(WIDER), EXAMPLE, STARTER],
    ids=["nairobi", "wider", "example", "starter"],
)  # fmt: skip
def test_a_tariff_comes_back_onto_the_sheet(tariff: dict[str, Any]) -> None:
    fields, rows, all_shown = sheet_of(tariff)
    assert all_shown
    again = sheet(*(tuple(row[name] for name in COLUMNS) for row in rows), **fields)
    assert read_tariff(tariff_from(again)) == read_tariff(tariff)
    assert len(rows_of(again)) == len(tariff["tiers"])


def test_what_the_sheet_cannot_show_is_left_to_json() -> None:
    tariff = tariff_from(NAIROBI) | {"seasonal": {"dry": "1.2"}}
    assert not sheet_of(tariff)[2]
    assert not sheet_of({"model": "package", "package_size": 1})[2]
    kept = tariff_from(MultiDict({"write": "json", "rules": json.dumps(tariff)}))
    assert kept == tariff


def test_json_keeps_every_digit() -> None:
    rules = '{"model": "graduated", "tiers": [{"from": 0, "to": null, "rate": 18.710000000000000001}]}'
    tariff = tariff_from(MultiDict({"write": "json", "rules": rules}))
    assert Decimal(tariff["tiers"][0]["rate"]) == Decimal("18.710000000000000001")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (sheet(("", "", "")), "at least one block"),
        (sheet(("6", "5", "")), "open end"),
        (sheet(("", "5", ""), ("9", "6", "")), "has no end"),
        (sheet(("6", "", ""), ("", "6", "")), "has no rate"),
        (sheet(("6", "1", ""), ("6", "6", ""), ("", "7", "")), "not beyond"),
        (sheet(("six", "1", ""), ("", "7", "")), "is not a number"),
        (sheet(("", "-1", "")), "from 0"),
        (sheet(("", "NaN", "")), "from 0"),
        (sheet(("", "1", ""), sewer="7500"), "percentage"),
        (sheet(("6", "1", "", "5"), ("", "7", "", "")), "no rate for sewerage"),
        (sheet(("", "1", ""), by_size="a: 5"), "no size"),
        (sheet(("", "1", ""), by_size="25"), "line 1"),
        (sheet(("", "1", ""), by_size="25: much"), "not a number"),
        (sheet(("", "1", ""), levies="WRA: 10000000"), "less than a million"),
        (MultiDict({"write": "json", "rules": "{"}), "not JSON"),
        (MultiDict({"write": "json", "rules": "[]"}), "JSON object"),
    ],
)
def test_what_is_no_tariff_is_told_in_words(sent: "MultiDict[str, str]", said: str) -> None:
    with pytest.raises(SheetError, match=said):
        tariff_from(sent)
