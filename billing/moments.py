"""A day of the utility as a moment of the books."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from core.clock import now, today
from core.config import settings


def here() -> date:
    """Today where the utility is."""
    return today(settings().utility_zone)


def moment_of(day: date) -> datetime:
    """Now, or the noon of a day that has passed."""
    zone = settings().utility_zone
    if day >= today(zone):
        return now()
    return datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)


def day_of(moment: datetime) -> date:
    """The day of a moment where the utility is."""
    return moment.astimezone(ZoneInfo(settings().utility_zone)).date()
