"""The parts of a bill's time: which version of the tariff holds on which days, and in which season they lie.

A day is one of consumption: what was used after the reading of the first day, up to the reading of the last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

from billing.months import last_day, month_of, next_month, season_of
from billing.rules import ZERO, Part, Period, TariffRules

LITRE = Decimal("0.001")  # the finest that a dial or an invoice line shows; a part's usage is a whole number of them
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A tariff version as rating needs it. `valid_to` is its last day, None as long as none follows.

    It is compared as an object, for its rules are large.
    """

    id: int
    valid_from: date
    valid_to: date | None
    rules: TariffRules


@dataclass(frozen=True, slots=True)
class Span:
    """What a bill covers: the days after `since`, up to and with `until`; what rating wants to know of the rest."""

    since: date
    until: date
    cycles: int = 1
    service: tuple[int, int] | None = None
    band_usage: Decimal | None = None
    meter_mm: int | None = None
    budget: Decimal | None = None

    @property
    def days(self) -> int:
        """At least one: two readings of one day are a day's use."""
        return max((self.until - self.since).days, 1)


@dataclass(frozen=True, slots=True)
class Slice:
    """The days of a bill that one version governs."""

    version: Version
    first: date
    last: date
    period: Period
    when: str = ""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


Shape = tuple[tuple[Version, int, Period, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How any usage over a span is to be rated. The newest version that has a part in it is the bill's own."""

    span: Span
    slices: tuple[Slice, ...]

    @property
    def version_id(self) -> int:
        return self.slices[-1].version.id

    @property
    def shape(self) -> Shape:
        """What the price of a usage depends on, and nothing else: other days in the same number may have the same."""
        return tuple((one.version, one.days, one.period, one.when) for one in self.slices)

    def parts(self, usage: Decimal) -> tuple[Part, ...]:
        """The usage spread evenly over the days; the parts sum to it exactly."""
        parts, before, gone, days = [], ZERO, 0, sum(one.days for one in self.slices)
        for one in self.slices:
            gone += one.days
            upto = usage if gone == days else (usage * gone / days).quantize(LITRE, ROUND_HALF_UP)
            period = replace(one.period, before=before) if before else one.period
            parts.append(Part(one.version.rules, upto - before, period, one.when))
            before = upto
        return tuple(parts)


def plan(versions: Sequence[Version], span: Span, series: Mapping[str, Decimal]) -> Plan | None:
    """The parts of a span by a tariff's versions in time; None where none of them holds in it."""
    first = min(span.since + DAY, span.until)
    ruled = _ruled(versions, first, span.until)
    if not ruled:
        return None
    whole = sum((last - begun).days + 1 for _, begun, last in ruled)
    slices = []
    for version, begun, last in ruled:
        days = (last - begun).days + 1
        period = Period(
            days=Decimal(span.days), cycles=span.cycles, band_usage=span.band_usage, meter_mm=span.meter_mm,
            budget=span.budget, series=tuple(sorted(series.items())), service=span.service, share=(days, whole),
            seasons=seasons(version.rules, begun, last),
        )  # fmt: skip
        when = f"{_shown(begun)} to {_shown(last)}" if len(ruled) > 1 else ""
        slices.append(Slice(version, begun, last, period, when))
    return Plan(span, tuple(slices))


def seasons(rules: TariffRules, first: date, last: date) -> tuple[tuple[str | None, int], ...]:
    """The days in each of the rules' seasons, in time; nothing where the rules have none."""
    if not rules.season_months:
        return ()
    counted: dict[str | None, int] = {}
    for month, days in _by_month(first, last):
        season = season_of(rules, month)
        counted[season] = counted.get(season, 0) + days
    return tuple(counted.items())


@lru_cache(maxsize=4096)  # a street is read on one day
def service(opened: date | None, month: date, until: date | None = None) -> tuple[int, tuple[int, int]]:
    """The billing periods of a first or last bill for `month`, and the months its fixed charges are owed for.

    `opened` is the day supply began where this is the first bill, `until` its last day where this is the last one;
    both are days of service. A meter that is read on a month's last day serves from the next month on.
    """
    begin = month if opened is None else opened + DAY if opened == last_day(opened) else opened
    end = min(last_day(month), until or last_day(month))
    begin = min(begin, end)
    served = sum((Fraction(days, last_day(first).day) for first, days in _by_month(begin, end)), Fraction())
    return max(int(served + Fraction(1, 2)), 1), (served.numerator, served.denominator)


def _ruled(versions: Sequence[Version], first: date, last: date) -> list[tuple[Version, date, date]]:
    """Who rules from when to when. Each version says itself what becomes of a bill that it begins inside of."""
    ruled: list[tuple[Version, date, date]] = []
    for version in sorted(versions, key=lambda one: one.valid_from):
        if version.valid_from > last or (version.valid_to is not None and version.valid_to < first):
            continue
        if version.valid_from <= first or not ruled or version.rules.on_change == "by_bill_date":
            ruled = [(version, first, last)]
        elif version.rules.on_change == "by_days":
            before, begun, _ = ruled[-1]
            ruled[-1:] = [(before, begun, version.valid_from - DAY), (version, version.valid_from, last)]
    return ruled


def _by_month(first: date, last: date) -> Iterator[tuple[date, int]]:
    """Each calendar month that the days lie in, and how many of them."""
    month = month_of(first)
    while month <= last:
        yield month, (min(last, last_day(month)) - max(first, month)).days + 1
        month = next_month(month)


def _shown(day: date) -> str:
    return f"{day.day} {day:%b}"
