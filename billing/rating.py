"""The one way a usage becomes a bill: exact decimals, the tariff's rules, and nothing else.

The order of a bill: usage, season, minimum for usage, fixed charges, sewer, levies, percentages, taxes,
minimum for the bill, rounding. Blocks are continuous: more than the lower bound, up to and with the upper.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext

from billing.rules import ZERO, FixedByUsage, FixedCharge, Percentage, Period, Schedule, TariffRules, Tier

DIGITS = 50  # enough that only a division can be inexact, and that far below any quantum


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


def rate(rules: TariffRules, usage: Decimal, period: Period) -> Bill:
    """Rate `usage` (in the tariff's unit, not negative). The same arguments always give the same lines."""
    if usage < 0:
        raise ValueError("usage cannot be negative")
    with localcontext() as exact:
        exact.prec = DIGITS
        sheet = _Sheet(rules.round_line)
        _usage_lines(sheet, rules, usage, period)
        _fixed_lines(sheet, rules, usage, period)
        _levy_lines(sheet, rules, usage, period)
        _closing_lines(sheet, rules, period)
        return Bill(usage, tuple(sheet.lines), sheet.total())


def rounded(amount: Decimal, quantum: Decimal | None) -> Decimal:
    """`amount` to the nearest multiple of `quantum`, half away from zero; as it is without one."""
    if quantum is None:
        return amount
    return (amount / quantum).to_integral_value(ROUND_HALF_UP) * quantum


class _Sheet:
    """The lines so far."""

    def __init__(self, quantum: Decimal | None) -> None:
        self.lines: list[Line] = []
        self._quantum = quantum

    def add(
        self,
        code: str,
        group: str,
        label: str,
        amount: Decimal,
        quantity: Decimal | None = None,
        rate: Decimal | None = None,
    ) -> None:
        self.lines.append(Line(code, group, label, rounded(amount, self._quantum), quantity, rate))

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


class Bounds:
    """How bounds stretch with the length of the period."""

    def __init__(self, rules: TariffRules, period: Period) -> None:
        self._factor, self._of, self._quantum = Decimal(period.cycles), Decimal(1), None
        proration = rules.bound_proration
        if proration is None or period.days is None:
            return
        self._factor, self._quantum = Decimal(1), proration.round_bound
        if proration.window and proration.window[0] <= period.days <= proration.window[1]:
            return
        if proration.round_factor is None:
            # Kept as a fraction: 24 * 30 / 30 must be 24, not 23.99…
            self._factor, self._of = period.days, proration.base_days
        else:
            self._factor = rounded(period.days / proration.base_days, proration.round_factor)

    def scaled(self, bound: Decimal | None) -> Decimal | None:
        return None if bound is None else rounded(bound * self._factor / self._of, self._quantum)

    def tiers(self, tiers: Sequence[Tier]) -> list[Tier]:
        """The tiers for this period; the last one goes on without an end, for somebody has to pay for the rest."""
        last = len(tiers) - 1
        return [
            Tier(self.scaled(tier.above) or ZERO, self.scaled(tier.to) if place < last else None, tier.rate, tier.flat)
            for place, tier in enumerate(tiers)
        ]


def _usage_lines(sheet: _Sheet, rules: TariffRules, usage: Decimal, period: Period) -> None:
    bounds = Bounds(rules, period)
    match rules.model:
        case "graduated":
            _graduated(sheet, "usage", "Usage", bounds.tiers(rules.tiers), usage, period.cycles)
        case "volume":
            _whole(sheet, bounds.tiers(rules.tiers), usage, usage, period.cycles)
        case "band":
            chosen = usage if period.band_usage is None else period.band_usage * period.cycles
            _whole(sheet, bounds.tiers(rules.tiers), usage, chosen, period.cycles)
        case "package":
            _packages(sheet, rules, usage, period)
        case "schedule_by_total":
            schedule = _schedule(rules.schedules, bounds, usage)
            _graduated(sheet, "usage", "Usage", bounds.tiers(schedule.tiers), usage, period.cycles)
            if schedule.fixed:
                sheet.add("fixed", "fixed", "Fixed charge", schedule.fixed * period.cycles)
        case _:
            raise ValueError(f"no charging model {rules.model!r}")
    charge = sheet.total(["usage"])
    multiplier = rules.seasonal.get(period.season or "")
    if multiplier is not None and multiplier != 1:
        sheet.add("usage", "usage", f"Season: {period.season}", charge * (multiplier - 1))
        charge = sheet.total(["usage"])
    if rules.minimum_usage_charge is not None and charge < rules.minimum_usage_charge * period.cycles:
        sheet.add("usage", "usage", "Minimum charge", rules.minimum_usage_charge * period.cycles - charge)


def _graduated(sheet: _Sheet, group: str, what: str, tiers: Sequence[Tier], usage: Decimal, cycles: int) -> None:
    """Each unit at its block's rate."""
    for place, tier in enumerate(tiers):
        if place and usage <= tier.above:
            break
        label = _label(what, tier)
        quantity = min(usage, tier.to) - tier.above if tier.to is not None else usage - tier.above
        if tier.flat:
            sheet.add(group, group, f"{label}, flat", tier.flat * cycles)
        if quantity > 0 and (tier.rate or not tier.flat):
            sheet.add(group, group, label, quantity * tier.rate, quantity, tier.rate)


def _whole(sheet: _Sheet, tiers: Sequence[Tier], usage: Decimal, chosen_by: Decimal, cycles: int) -> None:
    """All units at the rate of the one block that `chosen_by` falls in."""
    tier = next(tier for tier in tiers if tier.to is None or chosen_by <= tier.to)
    label = _label("Usage", tier)
    if tier.flat:
        sheet.add("usage", "usage", f"{label}, flat", tier.flat * cycles)
    if usage > 0:
        sheet.add("usage", "usage", label, usage * tier.rate, usage, tier.rate)


def _packages(sheet: _Sheet, rules: TariffRules, usage: Decimal, period: Period) -> None:
    package = rules.package
    if package is None:
        raise ValueError("a package tariff needs its package")
    beyond = max(usage - package.free_units * period.cycles, ZERO)
    started = (beyond / package.size).to_integral_value(ROUND_CEILING)
    if started:
        sheet.add("usage", "usage", "Packages", started * package.price, started, package.price)


def _schedule(schedules: Sequence[Schedule], bounds: Bounds, usage: Decimal) -> Schedule:
    for schedule in schedules:
        most = bounds.scaled(schedule.max_total)
        if most is None or usage <= most:
            return schedule
    return schedules[-1]


def _fixed_lines(sheet: _Sheet, rules: TariffRules, usage: Decimal, period: Period) -> None:
    for charge in rules.fixed_charges:
        sheet.add(charge.name, "fixed", _title(charge.name), _fixed(charge, period))
    if rules.fixed_by_usage is not None:
        amount = _bracketed(rules.fixed_by_usage, usage, period)
        sheet.add(rules.fixed_by_usage.name, "fixed", _title(rules.fixed_by_usage.name), amount * period.cycles)


def _fixed(charge: FixedCharge, period: Period) -> Decimal:
    if charge.per_day:
        if period.days is None:
            raise ValueError(f"{charge.name} is a charge per day, and the period's days are not known")
        return charge.amount * period.days
    if charge.applies_days is not None and charge.full_days is not None:
        return charge.amount * period.cycles * charge.applies_days / charge.full_days
    return charge.amount * period.cycles


def _bracketed(fixed: FixedByUsage, usage: Decimal, period: Period) -> Decimal:
    if fixed.normalise_days is not None and period.days:
        # Compared as usage * normal <= bound * days, so that nothing is divided.
        usage, days = usage * fixed.normalise_days, period.days
    else:
        days = Decimal(period.cycles)
    for bracket in fixed.brackets:
        if bracket.to is None or usage <= bracket.to * days:
            return bracket.amount
    return fixed.brackets[-1].amount


def _levy_lines(sheet: _Sheet, rules: TariffRules, usage: Decimal, period: Period) -> None:
    if rules.sewer is not None:
        tiers = Bounds(rules, period).tiers(rules.sewer.tiers)
        _graduated(sheet, "sewer", "Sewer", tiers, usage * rules.sewer.volume_factor, period.cycles)
    for levy in rules.per_unit_charges:
        sheet.add(levy.name, "levy", _title(levy.name), usage * levy.rate, usage, levy.rate)
    for charge in rules.percent_charges:
        group = "sewer" if charge.name.lower().startswith("sewer") else "levy"
        _percentage(sheet, charge, group)


def _closing_lines(sheet: _Sheet, rules: TariffRules, period: Period) -> None:
    for tax in rules.taxes:
        _percentage(sheet, tax, "tax")
    total = sheet.total()
    if rules.minimum is not None and total < rules.minimum * period.cycles:
        sheet.add("minimum", "minimum", "Minimum bill", rules.minimum * period.cycles - total)
        total = sheet.total()
    difference = rounded(total, rules.round_total) - total
    if difference:
        sheet.lines.append(Line("rounding", "rounding", "Rounding", difference))


def _percentage(sheet: _Sheet, percentage: Percentage, group: str) -> None:
    base = sheet.base(percentage.base)
    label = f"{_title(percentage.name)} {_plain(percentage.rate * 100)}%"
    sheet.add(percentage.name, group, label, base * percentage.rate, base, percentage.rate)


def _label(what: str, tier: Tier) -> str:
    if tier.to is None:
        return f"{what} over {_plain(tier.above)}" if tier.above else what
    return f"{what} {_plain(tier.above)} to {_plain(tier.to)}"


def _title(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _plain(value: Decimal) -> str:
    text = f"{value.quantize(Decimal('0.001')):f}"
    return text.rstrip("0").rstrip(".")
