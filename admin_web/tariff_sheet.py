"""The tariff editor's sheet: a table of blocks and a few charges, read into the documented form of a tariff."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from werkzeug.datastructures import MultiDict

from admin_web.tariff_lines import SheetError, levies_from, levies_shown, sizes_from, sizes_shown
from billing.tariff_form import canonical

MODELS = {
    "graduated": "Each block at its own rate",
    "volume": "All of it at the rate of the block it ends in",
}
ROWS = 6
PLAIN = {
    "model", "tiers", "fixed_charges", "per_unit_charges", "percent_charges", "sewer", "taxes", "minimum", "rounding",
    "on_change",
}  # fmt: skip
COLUMNS = ("to", "rate", "flat", "sewer_rate")
Row = dict[str, str]


def tariff_from(sent: MultiDict[str, str]) -> dict[str, Any]:
    """The tariff that a sheet describes, in the documented form. SheetError in words where it is none."""
    if sent.get("write") == "json":
        return _expert(sent.get("rules", ""))
    rows = rows_of(sent)
    tariff: dict[str, Any] = {"model": sent.get("model", "graduated"), "tiers": _tiers(rows, "rate", "flat")}
    charge = _number(sent.get("fixed", ""), "The fixed charge")
    sizes = sizes_from(sent.get("by_size", ""))
    if charge or sizes:
        fixed = {"name": _code(sent.get("fixed_name", "")) or "meter_rent", "amount": str(charge or 0)}
        tariff["fixed_charges"] = [fixed | ({"by_size": sizes} if sizes else {})]
    if levies := levies_from(sent.get("levies", "")):
        tariff["per_unit_charges"] = levies
    sewer = _percent(sent.get("sewer", ""), "Sewerage")
    if sewer:
        tariff["percent_charges"] = [{"name": "sewerage", "rate": str(sewer), "base": ["usage"]}]
    if any(row["sewer_rate"] for row in rows):
        share = _percent(sent.get("sewer_share", ""), "The share of water that is drained")
        tariff["sewer"] = {"volume_factor": str(1 if share is None else share), "tiers": _tiers(rows, "sewer_rate")}
    tax = _percent(sent.get("tax", ""), "The tax")
    if tax:
        tariff["taxes"] = [{"name": _code(sent.get("tax_name", "")) or "VAT", "rate": str(tax), "base": "all"}]
    minimum = _number(sent.get("minimum", ""), "The minimum bill")
    if minimum:
        tariff["minimum"] = str(minimum)
    tariff["rounding"] = {"line": "0.01"}
    if sent.get("on_change", "by_days") != "by_days":
        tariff["on_change"] = sent["on_change"]
    return tariff


def rows_of(sent: MultiDict[str, str]) -> list[Row]:
    """The rows of the table of blocks as they were typed, empty ones too."""
    columns = [sent.getlist(name) for name in COLUMNS]
    length = max(len(column) for column in columns)
    padded = [column + [""] * (length - len(column)) for column in columns]
    return [
        {name: typed.strip() for name, typed in zip(COLUMNS, row, strict=True)} for row in zip(*padded, strict=True)
    ]


def _tiers(rows: Sequence[Row], price: str, flat: str = "") -> list[dict[str, Any]]:
    """The blocks with the prices of one column, and the flat amounts of another where it is named."""
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(row.values())]
    if not filled:
        raise SheetError("Write at least one block: its rate, and up to which usage it goes.")
    tiers: list[dict[str, Any]] = []
    start = Decimal(0)
    for place, (number, row) in enumerate(filled):
        rate = _number(row[price], f"The rate of block {number}")
        end = _number(row["to"], f"The end of block {number}")
        if rate is None:
            raise SheetError(
                f"Block {number} has no rate{' for sewerage' if not flat else ''}. Write 0 where it is free."
            )
        if end is None and place < len(filled) - 1:
            raise SheetError(f"Block {number} has no end, so nothing can come after it.")
        if end is not None and end <= start:
            raise SheetError(f"Block {number} ends at {end}, which is not beyond {start}, where it begins.")
        tier: dict[str, Any] = {"from": str(start), "to": None if end is None else str(end), "rate": str(rate)}
        entering = _number(row[flat], f"The flat amount of block {number}") if flat else None
        if entering:
            tier["flat"] = str(entering)
        tiers.append(tier)
        start = end if end is not None else start
    if tiers[-1]["to"] is not None:
        raise SheetError("The last block needs an open end: leave its 'up to' empty.")
    return tiers


def _number(typed: str, what: str) -> Decimal | None:
    typed = typed.strip().replace(",", "")
    if not typed:
        return None
    try:
        number = Decimal(typed)
    except InvalidOperation:
        raise SheetError(f"{what} is not a number: {typed[:20]}") from None
    if not number.is_finite() or not 0 <= number < 10**9:
        raise SheetError(f"{what} is from 0 to a thousand million.")
    return number


def _percent(typed: str, what: str) -> Decimal | None:
    number = _number(typed.strip().removesuffix("%"), what)
    if number is None:
        return None
    if number > 500:
        raise SheetError(f"{what} is a percentage, such as 16.")
    return number / 100


def _expert(typed: str) -> dict[str, Any]:
    try:
        tariff = json.loads(typed, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise SheetError(f"This is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    if not isinstance(tariff, dict):
        raise SheetError("A tariff is a JSON object: it begins with {.")
    return canonical(tariff)


def sheet_of(tariff: Mapping[str, Any]) -> tuple[dict[str, str], list[Row], bool]:
    """The fields and block rows that show `tariff`, and whether the sheet can show all of it (else the JSON does)."""
    fixed = (tariff.get("fixed_charges") or [{}])[0]
    sewer = (tariff.get("percent_charges") or [{}])[0]
    tax = (tariff.get("taxes") or [{}])[0]
    drained = tariff.get("sewer") or {}
    sewer_rates = [_shown(tier.get("rate")) for tier in drained.get("tiers") or []]
    rows = [
        {
            "to": _shown(tier.get("to")),
            "rate": _shown(tier.get("rate")),
            "flat": _shown(tier.get("flat")),
            "sewer_rate": "",
        }
        for tier in tariff.get("tiers") or []
    ]
    for row, sewer_rate in zip(rows, sewer_rates, strict=False):
        row["sewer_rate"] = sewer_rate
    fields = {
        "model": str(tariff.get("model", "graduated")),
        "fixed": _shown(fixed.get("amount")),
        "fixed_name": str(fixed.get("name", "")).replace("_", " "),
        "by_size": sizes_shown(fixed.get("by_size") or {}),
        "levies": levies_shown(tariff.get("per_unit_charges") or []),
        "on_change": str(tariff.get("on_change", "by_days")),
        "sewer": _hundredfold(sewer.get("rate")),
        "sewer_share": _hundredfold(drained.get("volume_factor")),
        "tax": _hundredfold(tax.get("rate")),
        "tax_name": str(tax.get("name", "")).replace("_", " "),
        "minimum": _shown(tariff.get("minimum")),
        "rules": json.dumps(tariff, indent=2, ensure_ascii=False),
    }
    back = MultiDict(fields)
    for name in COLUMNS:
        back.setlist(name, [row[name] for row in rows])
    return fields, rows, _same(tariff, back)


def _same(tariff: Mapping[str, Any], back: MultiDict[str, str]) -> bool:
    """Whether the sheet gives this very tariff back."""
    if not set(tariff) <= PLAIN or tariff.get("model") not in MODELS:
        return False
    try:
        again = tariff_from(back)
    except SheetError:
        return False
    return bool(_plain(again) == _plain({name: part for name, part in tariff.items() if part != "by_days"}))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if inner not in (None, [], {})}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        return value


def _code(name: str) -> str:
    """A charge's name as bases of percentages name it: without blanks."""
    return "_".join(name.split())


def _shown(value: object) -> str:
    return "" if value is None else f"{Decimal(str(value)):f}"


def _hundredfold(rate: object) -> str:
    return "" if rate is None else f"{(Decimal(str(rate)) * 100).normalize():f}"
