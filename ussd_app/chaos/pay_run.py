"""Money under disturbance, the whole of it: an instance, a town that pays, faults and kills, calm, the judgement."""

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
from time import monotonic, sleep
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.config import settings
from core.database import configure, transaction
from ussd_app.chaos import callers, pay_verdict, stack, town
from ussd_app.chaos.killing import Killer
from ussd_app.chaos.pay_verdict import Judgement
from ussd_app.chaos.payers import Market, Payer, all_pay, told
from ussd_app.chaos.stack import Stack

MOST_PEOPLE = 200
MANY = 2_000
CALM_S, CALM_OF_MANY_S = (1.0, 3.0), (4.0, 20.0)
BACKLOG = 300
"""More work than this waiting, and nobody begins another payment: real customers would be as many as we can serve."""
PULL_EVERY_S, CLOCK_S, SETTLES_S = 30, 60, 60
CYCLE_S = PULL_EVERY_S + CLOCK_S + SETTLES_S
"""The janitor's cycle: the list of payments is read so often, the clock looks whether it is due, and it is settled."""
WAITING = text("SELECT count(*) FROM outbox WHERE done_at IS NULL AND run_after <= now()")
DRAINS_S = 60
SHOWN = 10
FAULTS: dict[str, object] = {
    "callback_copies_most": 5, "callback_jitter_s": 3.0, "drop": 0.2, "confirm_pushes": True, "answer_lost": 0.08,
    "answer_after_callback": 0.05, "failure_first": 0.05, "wrong_amount": 0.03, "wrong_shortcode": 0.03,
    "query_denies": 0.05, "pending_shape": "any", "too_many": 0.03, "broken": 0.04, "by_itself": True,
    "thinks_s": 0.4, "cancels": 0.1, "mistypes": 0.05, "ignores": 0.05,
}  # fmt: skip
CALM: dict[str, object] = {
    "callback_copies_most": 0, "callback_jitter_s": 0.0, "drop": 0.0, "answer_lost": 0.0, "answer_after_callback": 0.0,
    "failure_first": 0.0, "wrong_amount": 0.0, "wrong_shortcode": 0.0, "query_denies": 0.0, "too_many": 0.0,
    "broken": 0.0,
}  # fmt: skip
TOLD = {
    "SIM_OPENING_BALANCE": "1000000000", "SIM_REPEAT_WINDOW_S": "0", "SIM_PUSH_DELAY_S": "0.1",
    "SIM_CALLBACK_DELAY_S": "0.2", "SIM_PROMPT_S": "5", "MPESA_PUSH_DELAY_S": "0.5", "SMS_RATE": "1000",
    "SMS_WINDOW": "00:00-24:00", "MPESA_PULL_EVERY_S": str(PULL_EVERY_S),
}  # fmt: skip
"""Rich and quick customers, so that many payments fit into an hour; and M-Pesa's list is read twenty times as often."""


@dataclass(frozen=True)
class Report:
    """What happened and what came of it."""

    payments: int
    seed: int
    asked: "Counter[str]"
    killed: "Counter[str]"
    judgement: Judgement
    paid: int
    converged_s: float | None
    books: int
    seconds: float

    @property
    def good(self) -> bool:
        return self.judgement.good and self.converged_s is not None and self.books == 0

    def as_json(self) -> dict[str, object]:
        """The figures, as one object. `payments` were begun, `paid` are in M-Pesa's own book."""
        judged = self.judgement
        return {
            "payments": self.payments, "seed": self.seed, "paid": self.paid, "credited": judged.credited,
            "in_suspense": judged.in_suspense, "lost": len(judged.lost), "double": len(judged.double),
            "phantom": len(judged.phantom), "wrong": len(judged.wrong),
            "converged_s": None if self.converged_s is None else round(self.converged_s, 1), "cycle_s": CYCLE_S,
            "pull_every_s": PULL_EVERY_S,
            "books_violations": self.books, "faults": FAULTS, "killed": dict(self.killed), "asked": dict(self.asked),
            "seconds": round(self.seconds, 1),
        }  # fmt: skip


def run(payments: int, seed: int, data: Path | None, say: Callable[[str], None]) -> Report:
    """Do it all; `say` is told how it goes, and each violation. Raises NotReady where the instance does not start."""
    with stack.running(data, TOLD) as ours:
        os.environ.update({name: value for name, value in ours.settings.items() if value})
        settings.cache_clear()
        configure(ours.settings["DATABASE_URL"])
        people = min(payments, MOST_PEOPLE)
        say(f"{people} customers move in")
        neighbours = town.settle(people)
        market = _market(ours, neighbours)
        told(f"{market.daraja_url}/sim/faults", {"seed": seed, **FAULTS})
        killer = Killer(ours.folder, _chance(seed, "killer"), CALM_OF_MANY_S if payments > MANY else CALM_S)
        payers = [Payer(one, _chance(seed, number), market) for number, one in enumerate(neighbours)]
        began = monotonic()
        _disturbed(payers, payments, killer, say)
        say(f"the storm is over: {killer.killed.total()} kills; now nothing fails any more")
        told(f"{market.daraja_url}/sim/faults", CALM)
        book, converged_s = _converged(market.daraja_url, say)
        judgement = pay_verdict.judge(book, neighbours)
        books = int(json.loads(ours.cli("books", "check", "--json").splitlines()[-1])["violations"])
        report = Report(payments, seed, market.asked, killer.killed, judgement, len(book), converged_s, books,
                        monotonic() - began)  # fmt: skip
        _tell(report, say)
        return report


def _market(ours: Stack, neighbours: list[town.Neighbour]) -> Market:
    ussd = str(json.loads(ours.cli("urls", "--json"))["ussd"])
    pool = ThreadPoolExecutor(callers.IN_FLIGHT)
    return Market(ussd, ours.settings["DARAJA_BASE_URL"], callers.owners(neighbours), pool)


def _chance(seed: int, whose: object) -> Random:
    return Random(f"{seed} {whose}")  # noqa: S311 - who does what, and when


def _disturbed(payers: list[Payer], payments: int, killer: Killer, say: Callable[[str], None]) -> None:
    over = Event()
    with ThreadPoolExecutor(1) as storm:
        blows = storm.submit(killer.go, over)
        try:
            asyncio.run(_paying(payers, payments, say))
        finally:
            over.set()
        blows.result()


async def _paying(payers: list[Payer], payments: int, say: Callable[[str], None]) -> None:
    watch = asyncio.create_task(_keep_pace(payers[0].market, payments, say))
    try:
        await all_pay(payers, payments)
        await _drained(payers[0].market)
    finally:
        watch.cancel()


async def _keep_pace(market: Market, payments: int, say: Callable[[str], None]) -> None:
    """Let in as many as the service can serve, and tell how far it is."""
    loop, next_word = asyncio.get_running_loop(), monotonic()
    while True:
        waiting = await loop.run_in_executor(market.pool, _waiting)
        if waiting is not None and waiting < BACKLOG:
            market.room.set()
        else:
            market.room.clear()
        if monotonic() > next_word:
            begun = market.asked["by_ussd"] + market.asked["by_paybill"]
            say(f"{begun} of {payments} payments begun, {waiting} jobs wait")
            next_word = monotonic() + 15
        await asyncio.sleep(0.5)


async def _drained(market: Market) -> None:
    """The storm goes on until what was asked for has been pushed, or as long as that may take under these blows."""
    loop, end = asyncio.get_running_loop(), monotonic() + DRAINS_S
    while monotonic() < end and await loop.run_in_executor(market.pool, _waiting) != 0:
        await asyncio.sleep(0.5)


def _waiting() -> int | None:
    """The jobs that are due; None while the database is away."""
    try:
        with transaction() as session:
            return int(session.scalar(WAITING) or 0)
    except SQLAlchemyError:
        return None


def _converged(daraja_url: str, say: Callable[[str], None]) -> tuple[list[dict[str, Any]], float | None]:
    """M-Pesa's book when it moves no more, and how long it took until we had all of it; None: not within a cycle."""
    began, book, word = monotonic(), list[dict[str, Any]](), 0.0
    while monotonic() - began < CYCLE_S:
        before, book = len(book), list(told(f"{daraja_url}/sim/book")["payments"])
        try:
            with transaction() as session:
                left = pay_verdict.lacking(session, book), pay_verdict.unfinished(session)
        except SQLAlchemyError:
            left = (1, 1)
        if left == (0, 0) and before == len(book):
            return book, monotonic() - began
        if monotonic() > word:
            say(f"{left[0]} of {len(book)} payments are not known yet, {left[1]} things are unfinished")
            word = monotonic() + 15
        sleep(1)
    return book, None


def _tell(report: Report, say: Callable[[str], None]) -> None:
    judged = report.judgement
    found = {"lost": judged.lost, "double": judged.double, "phantom": judged.phantom, "wrong": judged.wrong}
    for name, entries in found.items():
        for entry in entries[:SHOWN]:
            say(f"{name}: {entry}")
