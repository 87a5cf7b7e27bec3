"""Which month of a connection stands out: a robust rule, and beside it the plain one that it is measured against.

A month is judged by its daily usage, taken out of its season: what the whole zone does in a month is no leak.
Months that were flagged before, and those that were estimated, are left out of what is usual: a leak that is part of
the baseline hides the next one. Usage is measured here, not charged, so these are floats.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, median, pstdev

LEAST_MONTHS = 6  # fewer do not say what is usual
FAR = 3.5  # of the modified z-score: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993
NORMAL = 0.6745  # what makes the median absolute deviation of a normal sample its standard deviation
ABOVE = 1.5  # and so many times the usual, for a household that is very even is far off at once
FINEST_SPREAD = 0.05  # of the usual: dials show whole units
DROP = 0.5  # of the least month that there was
STREAK = 3  # months at zero that make it a streak
PLAIN_SIGMAS = 2.0
LEAST_NEIGHBOURS = 20


@dataclass(frozen=True, slots=True)
class MonthUse:
    """The units a day of one month's bill; `estimated`: not by the dials; `flagged`: it stood out, and was not
    dismissed."""

    month: date
    daily: float
    estimated: bool = False
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a month. `usual` is the units a day that would be usual in it."""

    kind: str
    score: float
    usual: float


def robust(months: Sequence[MonthUse], seasons: Mapping[date, float] | None = None) -> Finding | None:
    """Judge the last of the months, in their order, by those before it; None where it is as usual, or none can say."""
    seasons = seasons or {}
    if not months or months[-1].estimated:
        return None
    last, season = months[-1], seasons.get(months[-1].month, 1.0)
    idle = _idle(months)
    base = [
        one.daily / seasons.get(one.month, 1.0)
        for one in months[: len(months) - max(idle, 1)]
        if not one.estimated and not one.flagged
    ]
    if len(base) < LEAST_MONTHS:
        return None
    usual = median(base)
    if usual <= 0:
        return None
    if idle:
        return _standstill(idle, base, usual * season)
    daily = last.daily / season
    spread = max(median(abs(one - usual) for one in base), FINEST_SPREAD * usual)
    score = NORMAL * (daily - usual) / spread
    if score > FAR and daily > ABOVE * usual:
        return Finding("leak", score, usual * season)
    if daily < DROP * min(base):
        return Finding("drop", usual / daily, usual * season)
    return None


def plain(months: Sequence[MonthUse]) -> Finding | None:
    """The rule of many systems: more than two standard deviations above the mean of all months before."""
    before = [one.daily for one in months[:-1]]
    if len(before) < LEAST_MONTHS:
        return None
    mean, sigma = fmean(before), pstdev(before)
    if months[-1].daily <= mean + PLAIN_SIGMAS * sigma:
        return None
    return Finding("leak", (months[-1].daily - mean) / sigma if sigma else FAR, mean)


def zone_seasons(neighbours: Iterable[Sequence[MonthUse]]) -> dict[date, float]:
    """By month, how many times their usual the connections of a zone used: the median over them.

    Months for which too few can say have none, and count as they are.
    """
    shares: dict[date, list[float]] = {}
    for months in neighbours:
        known = [one for one in months if not one.estimated]
        usual = median(one.daily for one in known) if len(known) > LEAST_MONTHS else 0
        if usual > 0:
            for one in known:
                shares.setdefault(one.month, []).append(one.daily / usual)
    found = {month: median(said) for month, said in shares.items() if len(said) >= LEAST_NEIGHBOURS}
    return {month: share for month, share in found.items() if share > 0}


def _idle(months: Sequence[MonthUse]) -> int:
    """How many months the dials have stood still, up to the last one."""
    count = 0
    for one in reversed(months):
        if one.daily > 0:
            break
        count += 1
    return count


def _standstill(idle: int, base: Sequence[float], usual: float) -> Finding | None:
    """A meter that always turned may be stuck; a streak is told of once, when it has become one."""
    if idle == STREAK:
        return Finding("zero_streak", float(idle), usual)
    if idle == 1 and min(base) > 0:
        return Finding("stuck", float(len(base)), usual)
    return None
