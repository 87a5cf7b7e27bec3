"""What a month will use, by the months before it.

Where the zone's seasons are known: the level of the last months, each out of its season, in the season to come. Where
they are not: the same month a year before at today's level, or without a year of months their trimmed mean. Months
count by their daily averages, so long and short ones compare. The interval comes from how far the same reckoning was
off in the months that are known by now: nothing is assumed about how chance is distributed.
Usage is measured here, not charged, so these are floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor
from statistics import fmean

from billing.months import months_before

YEAR = 12
RECENT = 6  # months that a level is taken of, at most
LEAST_LEVEL = 3  # fewer do not say how this year stands to the last one
LARGEST_LEVEL = 3.0  # a household that tripled is another household: the year before says nothing of it
LEAST_RESIDUALS = 6
KEPT_RESIDUALS = 24
COVERAGE = 0.8  # of the interval

Known = Sequence[tuple[date, float]]
"""Months and the units a day of each, the oldest first."""
Seasons = Mapping[date, float]
"""By month, how many times its usual a zone used."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Units a day that are expected; `low` and `high` are None where too few months say how far off that may be."""

    daily: float
    low: float | None = None
    high: float | None = None


def project(known: Known, target: date, seasons: Seasons | None = None) -> Projection | None:
    """The month `target`, which is not before any of those in `known`; None where there are none."""
    if not known:
        return None
    seasons = seasons or {}
    expected = point(known, target, seasons)
    first = max(len(known) - KEPT_RESIDUALS, 1)
    off = [use - point(known[:at], month, seasons) for at, (month, use) in enumerate(known[first:], first)]
    if len(off) < LEAST_RESIDUALS:
        return Projection(expected)
    low, high = _quantiles(sorted(off))
    return Projection(expected, max(expected + min(low, 0.0), 0.0), expected + max(high, 0.0))


def point(known: Known, target: date, seasons: Seasons) -> float:
    """One number for the month `target` by those before it, of which there is at least one."""
    coming = _season(seasons, target)
    recent = [(use, _season(seasons, month)) for month, use in known[-RECENT:]]
    usual = [use / share for use, share in recent if share is not None]
    if coming is not None and len(usual) == len(recent):
        return _trimmed(usual) * coming
    by_month = dict(known)
    year_ago = by_month.get(months_before(target, YEAR))
    level = _level(known, by_month) if year_ago is not None else None
    if year_ago is not None and level is not None:
        return year_ago * level
    return _trimmed([use for _, use in known[-RECENT:]])


def _season(seasons: Seasons, month: date) -> float | None:
    """The zone's share of that month, or of the same one a year before or after it."""
    for one in (month, months_before(month, YEAR), months_before(month, -YEAR)):
        if (share := seasons.get(one)) is not None and share > 0:
            return share
    return None


def _level(known: Known, by_month: Mapping[date, float]) -> float | None:
    """How many times the year before is used now: as it was where too few months can say, None where it is another
    household."""
    pairs = [(use, by_month.get(months_before(month, YEAR))) for month, use in known[-RECENT:]]
    both = [(use, before) for use, before in pairs if before is not None]
    before = sum(then for _, then in both)
    if len(both) < LEAST_LEVEL:
        return 1.0
    level = sum(use for use, _ in both) / before if before > 0 else 0.0
    return level if 1 / LARGEST_LEVEL <= level <= LARGEST_LEVEL else None


def _trimmed(daily: Sequence[float]) -> float:
    """The mean without the least and the most, where there are enough to leave them out."""
    return fmean(sorted(daily)[1:-1] if len(daily) >= 3 else daily)


def _quantiles(off: Sequence[float]) -> tuple[float, float]:
    """Of the next one as well as of those that are known: the ranks count one more than there are."""
    tail, last = (1 - COVERAGE) / 2 * (len(off) + 1), len(off) - 1
    return off[max(floor(tail) - 1, 0)], off[min(ceil(len(off) + 1 - tail) - 1, last)]
