"""Bars of a value by month, laid out for a server-drawn SVG that also comes as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.i18n import quantity

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 480, 170, 36, 10, 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One month: where its bar stands, and what it says."""

    x: float
    y: float
    width: float
    height: float
    label: str
    year: int
    value: str
    last: bool


@dataclass(frozen=True, slots=True)
class GridLine:
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the template needs; `says` is the chart in one sentence, for those who do not see it."""

    bars: Sequence[Bar]
    lines: Sequence[GridLine]
    says: str
    unit: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def by_month(values: Sequence[tuple[date, Decimal]], unit: str) -> Chart | None:
    """The chart of (month, value), in the order given, or None where there is nothing to draw."""
    if not values:
        return None
    top = _round_up(max(value for _, value in values))
    room = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT) / len(values)
    wide = min(step * 0.62, 44)

    def level(value: Decimal) -> float:
        return round(HEIGHT - BOTTOM - float(max(value, Decimal(0)) / top) * room, 1)

    bars = [
        Bar(
            x=round(LEFT + step * (i + 0.5) - wide / 2, 1),
            y=level(value),
            width=round(wide, 1),
            height=round(HEIGHT - BOTTOM - level(value), 1),
            label=f"{month:%b}",
            year=month.year,
            value=quantity(value),
            last=i == len(values) - 1,
        )
        for i, (month, value) in enumerate(values)
    ]
    marks = [top * share / 2 for share in (0, 1, 2)]
    return Chart(bars, [GridLine(level(mark), quantity(mark)) for mark in marks], _sentence(values, unit), unit)


def _round_up(value: Decimal) -> Decimal:
    """The next of 10, 20, 40, 60, 80, 100, 200, ...: half of it is a round number too."""
    if value <= 0:
        return Decimal(10)
    scale = Decimal(10) ** (value.adjusted())
    return next(scale * step for step in (1, 2, 4, 6, 8, 10) if scale * step >= value)


def _sentence(values: Sequence[tuple[date, Decimal]], unit: str) -> str:
    (first, _), (last, latest) = values[0], values[-1]
    peak, most = max(values, key=lambda pair: pair[1])
    return (
        f"Use from {first:%B %Y} to {last:%B %Y}: {quantity(latest)} {unit} in the last month, "
        f"at most {quantity(most)} {unit} in {peak:%B %Y}."
    )
