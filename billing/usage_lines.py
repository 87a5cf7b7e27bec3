"""What the usage itself costs, by each charging model; then its season and its least."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from billing.bounds import Bounds
from billing.rules import ZERO, Part, Period, Schedule, Tier
from billing.sheet import Sheet, block_label


def cycles_of(period: Period, amount: Decimal) -> Decimal:
    """An amount that is owed for each billing period, for this part's share of them."""
    part, whole = period.share
    return amount * period.cycles * part / whole


def usage_lines(sheet: Sheet, part: Part) -> None:
    """Write the lines of group 'usage', and the fixed charge of a schedule that is chosen by the usage."""
    rules, period = part.rules, part.period
    bounds = Bounds(rules, period)
    usage = part.usage
    if rules.free_units:
        usage = max(usage - cycles_of(period, rules.free_units), ZERO)
    match rules.model:
        case "graduated":
            graduated(sheet, "usage", "Usage", bounds.of_budget(rules.tiers), usage, period)
        case "volume":
            tiers = bounds.of_budget(rules.tiers)
            _whole(sheet, _entered(tiers, usage), usage, period)
        case "band":
            _whole(sheet, _band(part, bounds, usage), usage, period)
        case "package":
            _packages(sheet, part)
        case "schedule_by_total":
            schedule = _schedule(rules.schedules, bounds, usage)
            graduated(sheet, "usage", "Usage", bounds.of_budget(schedule.tiers), usage, period)
            if schedule.fixed:
                sheet.add("fixed", "fixed", "Fixed charge", cycles_of(period, schedule.fixed))
        case _:
            raise ValueError(f"no charging model {rules.model!r}")
    _season_lines(sheet, part)
    charge = sheet.total(["usage"])
    if rules.minimum_usage_charge is not None:
        least = cycles_of(period, rules.minimum_usage_charge)
        if charge < least:
            sheet.add("usage", "usage", "Minimum charge", least - charge)


def graduated(sheet: Sheet, group: str, what: str, tiers: Sequence[Tier], usage: Decimal, period: Period) -> None:
    """Each unit at its block's rate."""
    for place, tier in enumerate(tiers):
        if place and usage <= tier.above:
            break
        label = block_label(what, tier)
        quantity = min(usage, tier.to) - tier.above if tier.to is not None else usage - tier.above
        if tier.flat:
            sheet.add(group, group, f"{label}, flat", cycles_of(period, tier.flat))
        if quantity > 0 and (tier.rate or not tier.flat):
            sheet.add(group, group, label, quantity * tier.rate, quantity, tier.rate)


def _whole(sheet: Sheet, tier: Tier, usage: Decimal, period: Period) -> None:
    """All units at the rate of one block."""
    label = block_label("Usage", tier)
    if tier.flat:
        sheet.add("usage", "usage", f"{label}, flat", cycles_of(period, tier.flat))
    if usage > 0:
        sheet.add("usage", "usage", label, usage * tier.rate, usage, tier.rate)


def _entered(tiers: Sequence[Tier], usage: Decimal) -> Tier:
    return next(tier for tier in tiers if tier.to is None or usage <= tier.to)


def _band(part: Part, bounds: Bounds, usage: Decimal) -> Tier:
    """The band of the trailing average, which is by the month as the bounds are; without one, that of the usage."""
    if part.period.band_usage is None:
        return _entered(bounds.of_budget(part.rules.tiers), usage)
    month = Bounds(part.rules, Period(budget=part.period.budget))
    return _entered(month.of_budget(part.rules.tiers), part.period.band_usage)


def _packages(sheet: Sheet, part: Part) -> None:
    """Started packages. A part begins in the package that the part before it has started."""
    package, period = part.rules.package, part.period
    if package is None:
        raise ValueError("a package tariff needs its package")

    def started(usage: Decimal) -> Decimal:
        beyond = max(usage - package.free_units * period.cycles, ZERO)
        return (beyond / package.size).to_integral_value(ROUND_CEILING)

    count = started(period.before + part.usage) - started(period.before)
    if count:
        sheet.add("usage", "usage", "Packages", count * package.price, count, package.price)


def _schedule(schedules: Sequence[Schedule], bounds: Bounds, usage: Decimal) -> Schedule:
    for schedule in schedules:
        most = bounds.scaled(schedule.max_total)
        if most is None or usage <= most:
            return schedule
    return schedules[-1]


def _season_lines(sheet: Sheet, part: Part) -> None:
    """What each season adds to the usage charge, or takes off it; by days where there are several."""
    period, multipliers = part.period, part.rules.seasonal
    seasons = period.seasons or ((period.season, 1),)
    days = sum(length for _, length in seasons)
    charge = sheet.total(["usage"])
    for season, length in seasons:
        multiplier = multipliers.get(season or "")
        if multiplier is None or multiplier == 1:
            continue
        label = f"Season: {season}" if len(seasons) == 1 else f"Season: {season}, {length} of {days} days"
        # Rounded as what the charge becomes, so that a half is rounded up for a season below 1 too.
        grown = sheet.rounded(charge + charge * (multiplier - 1) * length / days)
        sheet.add("usage", "usage", label, grown - charge)
