"""What stands in a cell, read strictly: money, days, numbers and phones, or why they are none."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from core.config import settings
from core.money import CURRENCY_DIGITS
from core.phone import parse_phone

PLAIN = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00)?)?")
SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
DAYS = {"iso": "2026-11-21 only", "dmy": "21/11/2026 (day first)", "mdy": "11/21/2026 (month first)"}
"""How days are written in a file. ISO days are understood in every one."""
YES, NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a cell cannot be read, as a sentence about its column."""

    why: str


Reader = Callable[[str, str], Any]
"""(what stands there, how days are written) -> the value, or Wrong. It never sees an empty cell."""


def text(longest: int, shortest: int = 1) -> Reader:
    """A line of text with its blanks tidied."""

    def read(said: str, _days: str) -> str | Wrong:
        said = " ".join(said.split())
        if not shortest <= len(said) <= longest:
            return Wrong(f"must have {shortest} to {longest} characters")
        return said

    return read


def choice(choices: Mapping[str, str]) -> Reader:
    """One of the keys, or of the words that the office shows for them, in any case of letters."""
    meant = {words.casefold(): key for key, words in choices.items()} | {key.casefold(): key for key in choices}

    def read(said: str, _days: str) -> str | Wrong:
        found = meant.get(said.strip().casefold())
        return found if found is not None else Wrong(f"must be one of {', '.join(choices)}")

    return read


def whole(least: int, most: int) -> Reader:
    """A whole number."""

    def read(said: str, _days: str) -> int | Wrong:
        number = decimal_of(said)
        if number is None or number != int(number) or not least <= number <= most:
            return Wrong(f"must be a whole number from {least} to {most}")
        return int(number)

    return read


def number(places: int = 3) -> Reader:
    """An exact number that is not negative, as the dials have it."""

    def read(said: str, _days: str) -> Decimal | Wrong:
        value = decimal_of(said)
        if value is None:
            return Wrong("must be a number such as 1,234.5")
        if value < 0 or value >= 10**10:
            return Wrong("must be 0 or more, and below ten thousand millions")
        return value if value == round(value, places) else Wrong(f"must have at most {places} digits after the point")

    return read


def amount(*, signed: bool = False) -> Reader:
    """Money in the utility's currency, in minor units; "1.234,50" is refused, for it may mean two things."""

    def read(said: str, _days: str) -> int | Wrong:
        digits, value = CURRENCY_DIGITS[settings().currency], decimal_of(said)
        if value is None:
            return Wrong("must be an amount such as 1,234.50: commas part thousands, a point parts cents")
        minor = value.scaleb(digits)
        if minor != int(minor):
            return Wrong(f"must have at most {digits} digits after the point")
        if not minor or (minor < 0 and not signed) or abs(minor) >= 10**15:
            return Wrong("must be an amount other than 0" if signed else "must be an amount above 0")
        return int(minor)

    return read


def day(said: str, days: str) -> date | Wrong:
    """A calendar day: ISO always, the slashed form only in the order that was chosen for the file."""
    said = said.strip()
    if iso := ISO_DAY.fullmatch(said):
        return _day(*(int(part) for part in iso.groups()))
    if not (slashed := SLASHED.fullmatch(said)):
        return Wrong("must be a day such as 2026-11-21")
    first, second, year = (int(part) for part in slashed.groups())
    if days == "iso":
        return Wrong(f"says {said}: say in which order days are written when you upload, or write 2026-11-21")
    return _day(year, second, first) if days == "dmy" else _day(year, first, second)


def phone(said: str, _days: str) -> str | Wrong:
    """A phone in any way of writing it, in E.164."""
    return parse_phone(said, settings().region) or Wrong("must be a phone number such as 0700 000001 or +254700000001")


def yes_or_no(said: str, _days: str) -> bool | Wrong:
    """Whether it is so."""
    word = said.strip().casefold()
    return word in YES if word in YES + NO else Wrong("must be yes or no")


def decimal_of(said: str) -> Decimal | None:
    """The number written so, with commas only where thousands are parted; None where it is anything else."""
    said = said.strip().replace("−", "-")
    if not said.isascii() or len(said) > 30 or not PLAIN.fullmatch(said):
        return None
    return Decimal(said.replace(",", ""))


def _day(year: int, month: int, on: int) -> date | Wrong:
    try:
        found = date(year, month, on)
    except ValueError:
        return Wrong("is no day of the calendar")
    return found if 1950 <= year <= 2100 else Wrong("must be a day between 1950 and 2100")
