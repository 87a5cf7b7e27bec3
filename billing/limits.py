"""How much a connection may be expected to use: by its own history, by its category, and by what its meter can pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import median

from billing.known import Entered

LOW_SHARE = Decimal("0.2")
LOW_LEAST = Decimal(5)  # an expectation below this says nothing about a low reading
STRICTER = Decimal("0.8")  # of the high limit, for a customer whose own readings nobody has compared yet
LEAST_DAYS = 30  # without history a few days are judged as a month


@dataclass(frozen=True, slots=True)
class Category:
    """The usual of a customer class: how many times the expectation is high, how much above it at least, and the
    highest daily usage taken without asking where there is no history. In the meter's unit."""

    high_times: Decimal
    high_least: Decimal
    unknown_daily: Decimal


CATEGORIES = {
    "domestic": Category(Decimal("2.5"), Decimal(10), Decimal(4)),
    "commercial": Category(Decimal(3), Decimal(30), Decimal(20)),
    "institution": Category(Decimal(3), Decimal(60), Decimal(40)),
}

# Overload flow Q4 in m³/h by nominal diameter in mm: ISO 4064-1, Q4 = 1.25 Q3 with the usual Q3 of each size.
OVERLOAD = {
    15: Decimal("3.125"), 20: Decimal(5), 25: Decimal("7.875"), 32: Decimal("12.5"), 40: Decimal(20),
    50: Decimal("31.25"), 65: Decimal(50), 80: Decimal("78.75"), 100: Decimal(125), 150: Decimal("312.5"),
    200: Decimal(500),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What a usage over some days is held against; `expected` is None where there is no history."""

    expected: Decimal | None
    high: Decimal
    most: Decimal

    def kind(self, usage: Decimal) -> str:
        """'ok', 'low', 'high' or 'impossible' (more than the meter can let through)."""
        if usage > self.most:
            return "impossible"
        if usage > self.high:
            return "high"
        if self.expected is not None and self.expected >= LOW_LEAST and usage < self.expected * LOW_SHARE:
            return "low"
        return "ok"


def limits(size_mm: int, category: str, history: Sequence[Entered], days: int, *, strict: bool = False) -> Limits:
    """The limits over `days`, by actual readings (newest first, of this meter of `size_mm` and those before it)."""
    known = CATEGORIES.get(category, CATEGORIES["domestic"])
    days = max(days, 1)
    daily = usual_daily(history)
    if daily is None:
        expected, high = None, known.unknown_daily * max(days, LEAST_DAYS)
    else:
        expected = daily * days
        high = max(expected * known.high_times, expected + known.high_least)
    return Limits(expected, high * STRICTER if strict else high, overload(size_mm) * 24 * days)


def usual_daily(history: Sequence[Entered]) -> Decimal | None:
    """The median daily usage of the known intervals; None where there are fewer than two."""
    rates = [
        later.usage / days
        for later, earlier in pairwise(history)
        if later.source != "opening" and (days := _days(earlier.taken_on, later.taken_on)) > 0
    ]
    return median(rates) if len(rates) > 1 else None


def overload(size_mm: int) -> Decimal:
    """The most that a meter of this size passes, in m³ an hour; by the area of the pipe where it is no usual size."""
    usual = OVERLOAD.get(size_mm)
    return usual if usual is not None else OVERLOAD[15] * size_mm * size_mm / 225


def _days(earlier: date, later: date) -> int:
    return (later - earlier).days
