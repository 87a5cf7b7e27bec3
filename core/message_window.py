"""The hours in which a phone may ring for something nobody waits for: no bills at three in the morning."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

WRITTEN = re.compile(r"\A([01]?\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]?\d|2[0-3]):([0-5]\d)|24:00)\Z")


@dataclass(frozen=True, slots=True)
class SendingHours:
    """From `first` until just before `last` on the utility's clock; `last` None is midnight. Never across midnight."""

    first: time
    last: time | None
    zone: ZoneInfo

    def open_at(self, moment: datetime) -> bool:
        here = moment.astimezone(self.zone).time()
        return self.first <= here and (self.last is None or here < self.last)

    def opening(self, moment: datetime) -> datetime:
        """`moment` itself where it is within the hours, else when they next begin; in UTC."""
        if self.open_at(moment):
            return moment
        here = moment.astimezone(self.zone)
        day = here.date() if here.time() < self.first else here.date() + timedelta(days=1)
        return datetime.combine(day, self.first, self.zone).astimezone(UTC)


@cache
def hours(window: str, zone: str) -> SendingHours:
    """The hours written as 08:00-20:00 in the time zone `zone`. Raises ValueError where they are not."""
    found = WRITTEN.match(window.strip())
    if found is None:
        raise ValueError("it is written as 08:00-20:00; 00:00-24:00 is the whole day")
    first = time(int(found[1]), int(found[2]))
    last = time(int(found[3]), int(found[4])) if found[3] else None
    if last is not None and last <= first:
        raise ValueError("it ends after it begins, on the same day")
    return SendingHours(first, last, ZoneInfo(zone))
