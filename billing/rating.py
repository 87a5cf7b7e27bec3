"""The one way a usage becomes a bill: exact decimals, the tariff's rules, and nothing else.

The order of a bill: usage, season, minimum for usage, fixed charges, sewer, levies, percentages, taxes,
minimum for the bill, rounding. Blocks are continuous: more than the lower bound, up to and with the upper.
Where the tariff changed inside the bill's time it has parts, each by its own rules; the last two lines are the bill's.
Arrears are no part of a bill here, so nothing is ever taxed twice.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext

from billing.bounds import Bounds
from billing.rules import ZERO, FixedByUsage, FixedCharge, Part, Percentage, Period, TariffRules, UnitCharge
from billing.sheet import Bill, Line, Sheet, plain, rounded, title
from billing.usage_lines import cycles_of, graduated, usage_lines

__all__ = ["Bill", "Line", "rate", "rate_parts"]

DIGITS = 50  # enough that only a division can be inexact, and that far below any quantum


def rate(rules: TariffRules, usage: Decimal, period: Period) -> Bill:
    """Rate `usage` (in the tariff's unit, not negative). The same arguments always give the same lines.

    ValueError where the period lacks what the rules need: the days of a charge per day, the rate of a dated levy.
    """
    return rate_parts((Part(rules, usage, period),))


def rate_parts(parts: Sequence[Part]) -> Bill:
    """Rate the parts of one bill in their order; ValueError as for `rate`, and where there is no part."""
    if not parts:
        raise ValueError("a bill has at least one part")
    if any(part.usage < 0 for part in parts):
        raise ValueError("usage cannot be negative")
    with localcontext() as exact:
        exact.prec = DIGITS
        lines = [line for part in parts for line in _part_lines(part)]
        total = sum((line.amount for line in lines), ZERO)
        for closing in _closing_lines(parts, total):
            lines.append(closing)
            total += closing.amount
        return Bill(sum((part.usage for part in parts), ZERO), tuple(lines), total)


def _part_lines(part: Part) -> list[Line]:
    sheet = Sheet(part.rules.round_line, part.when)
    usage_lines(sheet, part)
    _fixed_lines(sheet, part)
    _levy_lines(sheet, part)
    for tax in part.rules.taxes:
        _percentage(sheet, tax, "tax")
    return sheet.lines


def _fixed_lines(sheet: Sheet, part: Part) -> None:
    for charge in part.rules.fixed_charges:
        sheet.add(charge.name, "fixed", title(charge.name), _fixed(charge, part.period))
    by_usage = part.rules.fixed_by_usage
    if by_usage is not None:
        amount = cycles_of(part.period, _bracketed(by_usage, part.usage, part.period))
        sheet.add(by_usage.name, "fixed", title(by_usage.name), amount)


def _fixed(charge: FixedCharge, period: Period) -> Decimal:
    amount = charge.by_size.get(period.meter_mm or 0, charge.amount)
    part, whole = period.share
    if charge.per_day:
        if period.days is None:
            raise ValueError(f"{charge.name} is a charge per day, and the period's days are not known")
        return amount * period.days * part / whole
    served, of = period.service or (period.cycles, 1)
    if charge.applies_days is not None and charge.full_days is not None:
        amount = amount * charge.applies_days / charge.full_days
    return amount * served * part / (of * whole)


def _bracketed(fixed: FixedByUsage, usage: Decimal, period: Period) -> Decimal:
    # Compared as usage * normal * whole <= bound * days * part, so that nothing is divided.
    part, whole = period.share
    if fixed.normalise_days is not None and period.days:
        usage, days = usage * fixed.normalise_days * whole, period.days * part
    else:
        usage, days = usage * whole, Decimal(period.cycles * part)
    for bracket in fixed.brackets:
        if bracket.to is None or usage <= bracket.to * days:
            return bracket.amount
    return fixed.brackets[-1].amount


def _levy_lines(sheet: Sheet, part: Part) -> None:
    rules, usage, period = part.rules, part.usage, part.period
    if rules.sewer is not None:
        tiers = Bounds(rules, period).tiers(rules.sewer.tiers)
        graduated(sheet, "sewer", "Sewer", tiers, usage * rules.sewer.volume_factor, period)
    for levy in rules.per_unit_charges:
        rate = _unit_rate(levy, period)
        sheet.add(levy.name, "levy", title(levy.name), usage * rate, usage, rate)
    for charge in rules.percent_charges:
        group = "sewer" if charge.name.lower().startswith("sewer") else "levy"
        _percentage(sheet, charge, group)


def _unit_rate(levy: UnitCharge, period: Period) -> Decimal:
    if levy.series is None:
        return levy.rate
    for name, rate in period.series:
        if name == levy.series:
            return rate
    raise ValueError(f"the levy {levy.series} has no rate for this bill")


def _percentage(sheet: Sheet, percentage: Percentage, group: str) -> None:
    base = sheet.base(percentage.base)
    label = f"{title(percentage.name)} {plain(percentage.rate * 100)}%"
    sheet.add(percentage.name, group, label, base * percentage.rate, base, percentage.rate)


def _closing_lines(parts: Sequence[Part], total: Decimal) -> list[Line]:
    """What makes the bill its minimum (each part's rules give their share of it), and what rounds it."""
    closing: list[Line] = []
    rules = parts[-1].rules
    minimum = sum((cycles_of(part.period, part.rules.minimum or ZERO) for part in parts), ZERO)
    if any(part.rules.minimum is not None for part in parts) and total < minimum:
        missing = rounded(minimum - total, rules.round_line)
        closing.append(Line("minimum", "minimum", "Minimum bill", missing))
        total += missing
    difference = rounded(total, rules.round_total) - total
    if difference:
        closing.append(Line("rounding", "rounding", "Rounding", difference))
    return closing
