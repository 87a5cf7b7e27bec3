"""The funnel: on which screens people go on, and on which they leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import DESK, page
from admin_web.conversations import CHANNELS, flow_name, network_name, seen
from admin_web.flow_map import CONFIRM, nameless, screen_name
from admin_web.funnel_figures import Chosen, Funnel, Step, funnels, networks, replies
from core.clock import today
from core.config import settings
from core.i18n import LANGUAGES

PERIODS = {"1": "Today", "7": "7 days", "30": "30 days", "90": "90 days"}
LONGEST = timedelta(days=92)
EARLIEST = date(2000, 1, 1)
WIDTH = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A screen by a name people know, and its bar: (what became of them, where it begins, how wide it is)."""

    step: Step
    name: str
    bar: Sequence[tuple[str, float, float]]


@page("/funnel", roles=DESK)
def funnel(session: Session) -> ResponseReturnValue:
    """By flow and screen, for the period and the filters that the address names."""
    since, until = _period()
    chosen = Chosen(_midnight(since), _midnight(until + timedelta(days=1)), *_filters())
    found = funnels(session, chosen)
    names = _names(session, [step for funnel in found for step in funnel.steps])
    known = {*networks(session, chosen), chosen.network} - {""}
    return render_template(
        "office/funnel.html",
        found=[(funnel, flow_name(funnel.flow), _rows(funnel, names)) for funnel in found],
        total=sum(funnel.conversations for funnel in found),
        chosen=chosen,
        since=since,
        until=until,
        periods={days: _ago(int(days)) for days in PERIODS},
        period_words=PERIODS,
        today=today(settings().utility_zone),
        channels=CHANNELS,
        languages=LANGUAGES,
        networks={code: network_name(code) for code in sorted(known)},
        width=WIDTH,
    )


def _period() -> tuple[date, date]:
    """The first and the last day; the last seven days where the address says nothing that makes sense."""
    until = max(EARLIEST, min(_day("until") or date.max, today(settings().utility_zone)))
    since = _day("since") or until - timedelta(days=6)
    return max(min(since, until), until - LONGEST), until


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _ago(days: int) -> date:
    return today(settings().utility_zone) - timedelta(days=days - 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings().utility_zone))


def _filters() -> tuple[str, str, str]:
    channel, language, network = (request.args.get(name, "") for name in ("channel", "language", "network"))
    return (
        channel if channel in CHANNELS else "",
        language if language in LANGUAGES else "",
        network if len(network) <= 40 and network.isprintable() else "",
    )


def _names(session: Session, steps: Sequence[Step]) -> dict[tuple[str, str], str]:
    """What to call each screen. One that the map does not tell from others goes by what somebody saw there last."""
    names = {(step.flow, step.screen): screen_name(step.screen) for step in steps}
    unknown = [step for step in steps if step.screen == CONFIRM or names[step.flow, step.screen] == step.screen]
    lately = replies(session, unknown).items()
    return names | {place: nameless(seen(reply)) for place, reply in lately}


def _rows(funnel: Funnel, names: dict[tuple[str, str], str]) -> list[Row]:
    most = max(step.reached for step in funnel.steps)
    return [Row(step, names.get((step.flow, step.screen), step.screen), _bar(step, most)) for step in funnel.steps]


def _bar(step: Step, most: int) -> list[tuple[str, float, float]]:
    parts, at = list[tuple[str, float, float]](), 0.0
    for what in ("went_on", "ended", "waiting", "left", "failed"):
        wide = round(WIDTH * int(getattr(step, what)) / max(most, 1), 2)
        if wide:
            parts.append((what, round(at, 2), wide))
            at += wide
    return parts
