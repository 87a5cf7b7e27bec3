"""How many leaks each rule finds, and how often it cries without one: on made-up households with known leaks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from benchmarks.households import LAST, Household, households
from billing.anomaly_rules import Finding, plain, robust, zone_seasons

HISTORY = 13  # months: twelve, and the one that is judged
LEAK = 2.5
SIZES = (1.5, 2.0, 2.5, 4.0)
RULES = {"plain": "two sigmas", "robust": "robust", "robust_zone": "robust, beside the zone"}

Rule = Callable[[Household], Finding | None]


@dataclass(frozen=True, slots=True)
class Counted:
    """Of all leaks, the share that was found; of all usual months, the share that was called a leak."""

    recall: float
    false_alarms: float


def measure(count: int, seed: int) -> dict[str, Any]:
    """The table of `docs/anomalies.md`: each rule by the history it has to go by, and by the leak's size."""
    even = households(count, HISTORY, seed, season=0.0)
    chance = Random(seed + 1)  # noqa: S311  made-up data
    histories = {
        "no season": even,
        "an earlier leak in the year": [one.with_month(chance.randint(1, 10), LEAK) for one in even],
        "in the wettest month": households(count, HISTORY, seed + 2, season=0.35, dry=LAST.month - 6),
        "in the driest month": households(count, HISTORY, seed + 3, season=0.35, dry=LAST.month),
    }
    return {
        "households": count,
        "seed": seed,
        "leak": LEAK,
        "histories": {name: _rules(homes, LEAK) for name, homes in histories.items()},
        "sizes": {str(size): _rules(even, size) for size in SIZES},
        "standstill": _standstill(even),
    }


def _rules(homes: Sequence[Household], size: float) -> dict[str, dict[str, float]]:
    seasons = _seasons(homes)
    rules: dict[str, Rule] = {
        "plain": lambda one: plain(one.months()),
        "robust": lambda one: robust(one.months()),
        "robust_zone": lambda one: robust(one.months(), seasons[one.zone]),
    }
    counted = {name: _count(rule, homes, size) for name, rule in rules.items()}
    return {name: {"recall": one.recall, "false_alarms": one.false_alarms} for name, one in counted.items()}


def _count(rule: Rule, homes: Sequence[Household], size: float) -> Counted:
    """Each household twice: as it is, and with a leak in its last month."""
    found = sum(_is_leak(rule(one.with_month(0, size))) for one in homes)
    cried = sum(_is_leak(rule(one)) for one in homes)
    return Counted(round(found / len(homes), 4), round(cried / len(homes), 4))


def _is_leak(found: Finding | None) -> bool:
    return found is not None and found.kind == "leak"


def _seasons(homes: Sequence[Household]) -> dict[int, dict[date, float]]:
    return {
        zone: zone_seasons([one.months() for one in homes if one.zone == zone]) for zone in {one.zone for one in homes}
    }


def _standstill(homes: Sequence[Household]) -> dict[str, float]:
    """The share found of: a meter that stops, three months at zero, a third of what is usual; and cried without."""
    seasons = _seasons(homes)

    def kinds(changed: Callable[[Household], Household]) -> list[str | None]:
        said = [robust(changed(one).months(), seasons[one.zone]) for one in homes]
        return [found.kind if found else None for found in said]

    def share(said: Sequence[str | None], *wanted: str) -> float:
        return round(sum(kind in wanted for kind in said) / len(said), 4)

    return {
        "stuck": share(kinds(lambda one: one.with_month(0, 0)), "stuck"),
        "zero_streak": share(kinds(lambda one: one.with_month(0, 0).with_month(1, 0).with_month(2, 0)), "zero_streak"),
        "drop_to_a_third": share(kinds(lambda one: one.with_month(0, 0.33)), "drop"),
        "false_alarms": share(kinds(lambda one: one), "stuck", "zero_streak", "drop"),
    }


def table(found: Mapping[str, Any]) -> list[str]:
    """The same as lines of Markdown: by history, by size, and the meters that do not turn."""
    head = "leaks found | false alarms |"
    rows = [f"| a year before the month that is judged | rule | {head}", "|---|---|---:|---:|"]
    rows += _lines(found["histories"])
    rows += ["", f"| the leak makes the month | rule | {head}", "|---|---|---:|---:|"]
    rows += _lines({f"{size} times the usual": rules for size, rules in found["sizes"].items()})
    rows += ["", "| what stands still | robust rule |", "|---|---:|"]
    return rows + [f"| {name.replace('_', ' ')} | {share:.1%} |" for name, share in found["standstill"].items()]


def _lines(rules_by: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    return [
        f"| {by} | {words} | {rules[name]['recall']:.1%} | {rules[name]['false_alarms']:.1%} |"
        for by, rules in rules_by.items()
        for name, words in RULES.items()
    ]
