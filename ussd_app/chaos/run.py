"""The whole of it: an instance, a town, the customers, the weather, the verdict."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic

from core.config import settings
from core.database import configure
from ussd_app.chaos import callers, stack, town
from ussd_app.chaos.callers import Customer, Seen
from ussd_app.chaos.scripts import script_for
from ussd_app.chaos.verdict import Verdict, judge, wait_for_promises
from ussd_app.chaos.weather import Weather

BEGIN_PER_S = 100
THINKS_S = 4.0
THINKS_MORE_PER_S = 100
PROMISES_S = 60
SHOWN = 10
"""So many of each violation are named."""


@dataclass(frozen=True)
class Report:
    """What happened and what came of it."""

    sessions: int
    seen: Seen
    faults: "Counter[str]"
    verdict: Verdict
    promises_kept: bool
    books: int
    seconds: float

    @property
    def good(self) -> bool:
        bad = self.verdict.wrong or self.verdict.doubled or self.verdict.lost or self.crossed
        return not bad and self.promises_kept and self.books == 0

    @property
    def crossed(self) -> list[str]:
        return self.seen.crossed + self.verdict.crossed

    def as_json(self) -> dict[str, object]:
        """The figures, as one object."""
        seen, verdict = self.seen, self.verdict
        return {
            "sessions": self.sessions, "at_once": seen.most_open, "steps": seen.steps,
            "faults": self.faults.total(), **self.faults,
            "wrong": len(verdict.wrong), "doubled": len(verdict.doubled), "lost": len(verdict.lost),
            "crossed": len(self.crossed), "seconds": round(self.seconds, 1), "redialled": seen.redialled,
            "gave_up": seen.gave_up, "repeated": seen.repeated, "unlike": len(seen.unlike),
            "unanswered": seen.unanswered, "promised": seen.promised, "promises_kept": self.promises_kept,
            "books_violations": self.books,
        }  # fmt: skip


def run(sessions: int, seed: int, data: Path | None, say: Callable[[str], None]) -> Report:
    """Do it all; `say` is told how it goes, and each violation. Raises NotReady where the instance does not start."""
    with stack.running(data) as ours:
        os.environ.update({name: value for name, value in ours.settings.items() if value})
        settings.cache_clear()
        configure(ours.settings["DATABASE_URL"])
        say(f"{sessions} customers move in")
        neighbours = town.settle(sessions)
        url = str(json.loads(ours.cli("urls", "--json"))["ussd"])
        customers = _customers(neighbours, url, seed)
        weather = Weather(ours.folder, ours.settings["REDIS_URL"], _chance(seed, "weather"))
        say("the day begins")
        began = monotonic()
        _live(customers, weather)
        took = monotonic() - began
        say(f"the day is over: {dict(weather.faults)}")
        kept = wait_for_promises(PROMISES_S)
        verdict = judge({one.neighbour: one.script.wants for one in customers}, customers[0].belongs)
        books = int(json.loads(ours.cli("books", "check", "--json").splitlines()[-1])["violations"])
        report = Report(sessions, customers[0].seen, weather.faults, verdict, kept, books, took)
        _tell(report, say)
        return report


def _customers(neighbours: list[town.Neighbour], url: str, seed: int) -> list[Customer]:
    belongs, seen, pool = callers.owners(neighbours), Seen(), ThreadPoolExecutor(callers.IN_FLIGHT)
    chances = [_chance(seed, number) for number in range(len(neighbours))]
    thinks_s = THINKS_S + len(neighbours) / THINKS_MORE_PER_S  # so that a thousand sessions are open at once
    return [
        Customer(url, one, script_for(one, chance), chance, belongs, seen, pool, thinks_s)
        for one, chance in zip(neighbours, chances, strict=True)
    ]


def _chance(seed: int, whose: object) -> Random:
    return Random(f"{seed} {whose}")  # noqa: S311 - who does what, and when


def _live(customers: list[Customer], weather: Weather) -> None:
    over = Event()
    with ThreadPoolExecutor(1) as sky:
        blows = sky.submit(weather.blow, over)
        try:
            asyncio.run(callers.all_day(customers, over_s=len(customers) / BEGIN_PER_S))
        finally:
            over.set()
        blows.result()


def _tell(report: Report, say: Callable[[str], None]) -> None:
    found = {
        "wrong": report.verdict.wrong, "doubled": report.verdict.doubled, "lost": report.verdict.lost,
        "crossed": report.crossed, "unlike": report.seen.unlike, "put off": report.seen.apologies,
    }  # fmt: skip
    for name, entries in found.items():
        for entry in entries[:SHOWN]:
            say(f"{name}: {entry}")
