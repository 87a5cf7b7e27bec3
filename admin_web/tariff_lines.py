"""What a tariff's sheet has as lines of text: amounts by the meter's size, and levies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

CHANGES = {
    "by_days": "Each version for its days",
    "by_bill_date": "All of it by the new version",
    "next_cycle": "The new version from the next bill on",
}


class SheetError(ValueError):
    """What was typed is not a tariff; the message says where."""


def sizes_from(typed: str) -> dict[str, str]:
    """ "25: 130" a line: what the fixed charge is for meters of that size in millimetres."""
    sizes = {}
    for name, value in _lines(typed, "Amounts by size"):
        if not name.isdecimal() or not 1 <= int(name) <= 2000:
            raise SheetError(f"Amounts by size: {name[:20]} is no size in millimetres.")
        sizes[str(int(name))] = str(_amount(value, f"The amount for {name} mm"))
    return sizes


def levies_from(typed: str) -> list[dict[str, str]]:
    """ "WRA: 0.015" a line, or "FCC: fuel" where `fuel` is the series of its dated rates."""
    levies = []
    for name, value in _lines(typed, "Levies"):
        try:
            rate = Decimal(value)
        except InvalidOperation:
            levies.append({"name": "_".join(name.split()), "series": value})
            continue
        if not rate.is_finite() or abs(rate) >= 10**6:
            raise SheetError(f"The levy {name} is less than a million either way.")
        levies.append({"name": "_".join(name.split()), "rate": value})
    return levies


def sizes_shown(sizes: Mapping[Any, Any]) -> str:
    return _shown((str(size), f"{Decimal(str(amount)):f}") for size, amount in sizes.items())


def levies_shown(levies: Sequence[Mapping[str, Any]]) -> str:
    """Their lines; nothing of a levy is lost by it."""
    return _shown(
        (str(levy["name"]).replace("_", " "), str(levy["series"]) if levy.get("series") else str(levy.get("rate", "")))
        for levy in levies
    )


def _shown(lines: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in lines)


def _lines(typed: str, what: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(typed.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not (name and colon and value):
            raise SheetError(f"{what}, line {number}: write a name, a colon and what it is.")
        yield name, value


def _amount(typed: str, what: str) -> Decimal:
    try:
        amount = Decimal(typed.replace(",", ""))
    except InvalidOperation:
        raise SheetError(f"{what} is not a number: {typed[:20]}") from None
    if not amount.is_finite() or not 0 <= amount < 10**9:
        raise SheetError(f"{what} is from 0 to a thousand million.")
    return amount
