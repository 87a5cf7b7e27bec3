"""How far the forecast of a month's usage is off, beside the plain seasonal naive one: on made-up households."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import fmean

from benchmarks.households import LAST, ZONES, Household, households
from billing.anomaly_rules import zone_seasons
from billing.months import months_before
from billing.projection import COVERAGE, RECENT, YEAR, Seasons, point, project

HISTORIES = (6, 12, 13, 18, 24)  # months that the forecast has to go by
ORIGINS = 6  # months that each household's forecast is tried on
SEASONS = (0.05, 0.15, 0.35)
WINDOW = 13  # months that the zone's seasons are taken of, as after a run


@dataclass(slots=True)
class Errors:
    """Absolute errors in units a day of each way to forecast, and what became of the intervals."""

    naive: list[float] = field(default_factory=list)
    with_zone: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    recent: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    wide: list[float] = field(default_factory=list)


def measure(count: int, seed: int) -> dict[str, object]:
    """The table of `docs/forecast.md`: by the strength of the season and the months of history.

    `mase` is the mean absolute error over that of the seasonal naive forecast of the same months (each month as the
    same one a year before); below 1 it is the better one. No forecast sees anything of its month or of those after it.
    """
    rows = []
    for season in SEASONS:
        homes = households(count, max(HISTORIES) + YEAR + ORIGINS, seed, season=season)
        rows += [_row(season, months, homes) for months in HISTORIES]
    return {"households": count, "seed": seed, "origins": ORIGINS, "interval": COVERAGE, "rows": rows}


def _row(season: float, months: int, homes: Sequence[Household]) -> dict[str, float]:
    errors = Errors()
    for back in range(ORIGINS):
        seasons = [_seasons([one for one in homes if one.zone == zone], back) for zone in range(ZONES)]
        for one in homes:
            _try(errors, one, back, months, seasons[one.zone])
    naive = fmean(errors.naive)
    return {
        "season": season,
        "months": months,
        "mase": round(fmean(errors.with_zone) / naive, 3),
        "mase_without_zone": round(fmean(errors.alone) / naive, 3),
        "mase_trimmed_mean": round(fmean(errors.recent) / naive, 3),
        "coverage": round(fmean(errors.inside), 3) if errors.inside else 0.0,
        "width": round(fmean(errors.wide), 2) if errors.wide else 0.0,
    }


def _seasons(neighbours: Sequence[Household], back: int) -> Seasons:
    """Those of a zone as they were known before the month `back` months before the last one."""
    return zone_seasons([one.months()[: -1 - back][-WINDOW:] for one in neighbours])


def _try(errors: Errors, one: Household, back: int, months: int, seasons: Seasons) -> None:
    at = len(one.daily) - 1 - back
    actual, target = one.daily[at], months_before(LAST, back)
    known: list[tuple[date, float]] = [
        (months_before(target, at - place), one.daily[place]) for place in range(at - months, at)
    ]
    made = project(known, target, seasons)
    assert made is not None
    errors.naive.append(abs(actual - one.daily[at - YEAR]))
    errors.with_zone.append(abs(actual - made.daily))
    errors.alone.append(abs(actual - point(known, target, {})))
    errors.recent.append(abs(actual - point(known[-RECENT:], target, {})))
    if made.low is not None and made.high is not None:
        errors.inside.append(made.low <= actual <= made.high)
        errors.wide.append((made.high - made.low) / made.daily)


def table(found: dict[str, object]) -> list[str]:
    """The same as lines of Markdown."""
    rows = found["rows"]
    assert isinstance(rows, list)
    lines = [
        "| season | months known | MASE | without the zone | trimmed mean alone | inside the interval | its width |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        inside = f"{row['coverage']:.1%} | {row['width']:.0%}" if row["width"] else "– | –"
        lines.append(
            f"| ±{row['season']:.0%} | {row['months']} | {row['mase']:.2f} | {row['mase_without_zone']:.2f} "
            f"| {row['mase_trimmed_mean']:.2f} | {inside} |"
        )
    return lines
