"""The lines of a bill as rating writes them down, and how they are rounded and named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from billing.rules import ZERO, Tier


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill in major units. `code` is what the tariff's bases name; `group` is where it belongs:
    'usage', 'fixed', 'sewer', 'levy', 'tax', 'minimum' or 'rounding'."""

    code: str
    group: str
    label: str
    amount: Decimal
    quantity: Decimal | None = None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A rated usage; `total` is the sum of the lines."""

    usage: Decimal
    lines: tuple[Line, ...]
    total: Decimal


class Sheet:
    """The lines of one part of a bill so far; each is rounded to `quantum` as it is written."""

    def __init__(self, quantum: Decimal | None, when: str = "") -> None:
        self.lines: list[Line] = []
        self._quantum = quantum
        self._when = f" ({when})" if when else ""

    def add(
        self,
        code: str,
        group: str,
        label: str,
        amount: Decimal,
        quantity: Decimal | None = None,
        rate: Decimal | None = None,
    ) -> None:
        self.lines.append(Line(code, group, label + self._when, rounded(amount, self._quantum), quantity, rate))

    def rounded(self, amount: Decimal) -> Decimal:
        return rounded(amount, self._quantum)

    def total(self, groups: Iterable[str] | None = None) -> Decimal:
        wanted = None if groups is None else set(groups)
        return sum((line.amount for line in self.lines if wanted is None or line.group in wanted), ZERO)

    def base(self, names: Sequence[str] | None) -> Decimal:
        """The sum of the lines that a percentage is taken of: by code, else by group; None is all so far but taxes."""
        if names is None:
            return sum((line.amount for line in self.lines if line.group != "tax"), ZERO)
        codes = {line.code for line in self.lines}
        return sum(
            (
                line.amount
                for line in self.lines
                if line.code in names or (line.group in names and line.group not in codes)
            ),
            ZERO,
        )


def rounded(amount: Decimal, quantum: Decimal | None) -> Decimal:
    """`amount` to the nearest multiple of `quantum`, half away from zero; as it is without one."""
    if quantum is None:
        return amount
    return (amount / quantum).to_integral_value(ROUND_HALF_UP) * quantum


@lru_cache(maxsize=4096)
def block_label(what: str, tier: Tier) -> str:
    """The name of a block, such as: Usage 6 to 20."""
    if tier.to is None:
        return f"{what} over {plain(tier.above)}" if tier.above else what
    return f"{what} {plain(tier.above)} to {plain(tier.to)}"


@lru_cache(maxsize=1024)
def title(name: str) -> str:
    """The name of a charge as a line says it: meter_rent is Meter rent."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def plain(value: Decimal) -> str:
    """At most three digits after the point."""
    text = f"{value.quantize(Decimal('0.001')):f}"
    return text.rstrip("0").rstrip(".")
