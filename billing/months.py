"""Billing months: a period is named by its first day."""

from datetime import date, timedelta

from billing.rules import TariffRules


def month_of(day: date) -> date:
    """The first day of the month that `day` is in."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    return month_of(month.replace(day=28) + timedelta(days=4))


def last_day(month: date) -> date:
    return next_month(month) - timedelta(days=1)


def months_before(month: date, count: int) -> date:
    """The first day of the month that is `count` months before `month`; after it where that is negative."""
    years, place = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(years, place + 1, 1)


def season_of(rules: TariffRules, month: date) -> str | None:
    """The tariff's season in that month, where it says."""
    return next((season for season, months in rules.season_months.items() if month.month in months), None)
