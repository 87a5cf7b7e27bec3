"""Made-up households whose months are known by heart: what a rule or a forecast says of them can be counted.

The same seed always gives the same months. A household has a level, a zone whose dry months are stronger or weaker,
chance from month to month, months away, and sometimes a change of level for good (somebody moved in).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import cos, exp, pi
from random import Random

from billing.anomaly_rules import MonthUse
from billing.months import months_before

LAST = date(2026, 10, 1)
ZONES = 8
AWAY = 0.01  # of the months nobody is at home for a part of
MOVES = 0.01  # of the months somebody moves in or out


@dataclass(frozen=True, slots=True)
class Household:
    """Units a day of each month, the oldest first."""

    zone: int
    daily: tuple[float, ...]

    def months(self) -> list[MonthUse]:
        """As the books have them, up to LAST."""
        count = len(self.daily)
        return [MonthUse(months_before(LAST, count - 1 - at), use) for at, use in enumerate(self.daily)]

    def with_month(self, back: int, factor: float) -> "Household":
        """The same, with `factor` times the usage in the month `back` months before the last one."""
        at = len(self.daily) - 1 - back
        return Household(self.zone, (*self.daily[:at], self.daily[at] * factor, *self.daily[at + 1 :]))


def households(count: int, months: int, seed: int, *, season: float = 0.15, dry: int = 2) -> Sequence[Household]:
    """`count` of them; `season` is how much more (and less) is used in a year's dry (and wet) months, the driest of
    which is `dry`."""
    chance = Random(seed)  # noqa: S311  made-up data
    return [_household(chance, at % ZONES, months, season, dry) for at in range(count)]


def _household(chance: Random, zone: int, months: int, season: float, dry: int) -> Household:
    level = exp(chance.gauss(-0.7, 0.6))  # half a cubic metre a day, most between a fifth and two
    noise = 0.08 + 0.2 * chance.random()
    swing = season * (0.5 + zone / (ZONES - 1))
    daily = []
    for at in range(months):
        month = months_before(LAST, months - 1 - at).month
        if chance.random() < MOVES:
            level *= chance.choice((0.7, 1.35))
        use = level * (1 + swing * cos(2 * pi * (month - dry) / 12)) * exp(chance.gauss(0, noise))
        daily.append(use * (0.4 if chance.random() < AWAY else 1))
    return Household(zone, tuple(daily))
