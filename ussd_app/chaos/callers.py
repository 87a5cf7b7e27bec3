"""The customers: each dials, reads, answers, and dials again where she is put off; and a gateway that repeats itself.

Every screen is looked through for what belongs to somebody else.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from ussd_app.chaos.scripts import Script
from ussd_app.chaos.town import Neighbour
from ussd_app.gateways.africastalking import LABEL_HEADER

GATEWAY_WAITS_S = 10
GATEWAY_TRIES = 2
THINKS_AT_LEAST_S = 0.5
REPEATED = 0.3
MOST_DIALS = 8
MOST_HOPS = 12
IN_FLIGHT = 48
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen as it came over the wire; "" where nobody answered. `name` is the screen's, as its label says."""

    line: str
    name: str

    @property
    def ends(self) -> bool:
        return not self.line.startswith("CON ")


@dataclass
class Seen:
    """What all customers have seen together. `crossed` and `unlike` are screens, with who saw them."""

    most_open: int = 0
    open: int = 0
    steps: int = 0
    dials: int = 0
    redialled: int = 0
    promised: int = 0
    repeated: int = 0
    unanswered: int = 0
    gave_up: int = 0
    crossed: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    apologies: list[str] = field(default_factory=list)


@dataclass
class Customer:
    """One of them. `belongs` is what gives everybody away, and whom; `thinks_s` is the longest she takes to answer."""

    url: str
    neighbour: Neighbour
    script: Script
    chance: Random
    belongs: Mapping[str, Neighbour]
    seen: Seen
    pool: ThreadPoolExecutor
    thinks_s: float
    session_id: str = ""

    async def live(self, begins_s: float) -> None:
        """Do what she wants, dialling again where she is put off."""
        await asyncio.sleep(begins_s)
        for dial in range(MOST_DIALS):
            self.seen.dials += 1
            self.seen.redialled += dial > 0
            self.seen.open += 1
            self.seen.most_open = max(self.seen.most_open, self.seen.open)
            done = await self._session()
            self.seen.open -= 1
            if done:
                return
            await asyncio.sleep(self.chance.uniform(1, 3))
        self.seen.gave_up += 1

    async def _session(self) -> bool:
        """One session; whether she has come to where she wanted to."""
        self.session_id = f"ATUid_{UUID(int=self.chance.getrandbits(128)).hex}"
        inputs, answered = list[str](), ""
        for _hop in range(MOST_HOPS):
            shown = await self._hop(inputs)
            if self._is_done(shown, answered):
                return True
            known = self.script.knows(shown.name, shown.line)
            if shown.ends or known is None:
                return self._put_off(shown, answered)
            inputs.append(self.script.answers[known])
            answered = known
            await asyncio.sleep(self.chance.uniform(THINKS_AT_LEAST_S, self.thinks_s))
        return False

    def _is_done(self, shown: Shown, answered: str) -> bool:
        if self.script.enough:
            return answered == self.script.enough and shown.line.startswith("CON ")
        return shown.name == "end"

    def _put_off(self, shown: Shown, answered: str) -> bool:
        """An apology, or a promise; whether she waits for the promised message instead of dialling again."""
        self.seen.apologies.append(f"{self.script.name}, after {answered!r}: {shown.line or 'no answer'!r}")
        self.seen.promised += shown.name == "late"
        return shown.name == "late" and answered in self.script.decides

    async def _hop(self, inputs: list[str]) -> Shown:
        """One step as the gateway makes it: sometimes twice at once, sometimes again a little later."""
        self.seen.steps += 1
        again = self.chance.random() < REPEATED
        if not again:
            return await self._send(inputs)
        self.seen.repeated += 1
        if self.chance.random() < 0.5:
            first, second = await asyncio.gather(self._send(inputs), self._send(inputs))
        else:
            first, second = await self._send(inputs), await self._send(inputs)
        if first != second:
            self.seen.unlike.append(f"{self.session_id} {inputs}: {first.line!r} and {second.line!r}")
        return first if first.line else second

    async def _send(self, inputs: list[str]) -> Shown:
        form = urlencode(
            {"sessionId": self.session_id, "phoneNumber": self.neighbour.phone, "networkCode": "63902",
             "serviceCode": "*384*7#", "text": "*".join(inputs)}
        )  # fmt: skip
        loop = asyncio.get_running_loop()
        for _try in range(GATEWAY_TRIES):
            shown = await loop.run_in_executor(self.pool, posted, self.url, form)
            if shown is not None:
                self._look_for_others(shown.line)
                return shown
            self.seen.unanswered += 1
            await asyncio.sleep(0.5)
        return Shown("", "")

    def _look_for_others(self, line: str) -> None:
        for word in WORD.findall(line):
            whose = self.belongs.get(word)
            if whose is not None and whose != self.neighbour:
                self.seen.crossed.append(f"{self.neighbour.phone} was shown {word} of {whose.phone}: {line!r}")


def posted(url: str, form: str) -> Shown | None:
    """The answer to one post, or None where there is none that a gateway could use."""
    where = urlsplit(url)
    line = HTTPConnection(where.hostname or "", where.port, timeout=GATEWAY_WAITS_S)
    try:
        line.request("POST", where.path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = line.getresponse()
        body = answer.read().decode()
    except (OSError, HTTPException):
        return None
    finally:
        line.close()
    if answer.status != 200 or not body.startswith(("CON ", "END ")):
        return None
    return Shown(body, (answer.getheader(LABEL_HEADER) or "").strip())


def owners(neighbours: Sequence[Neighbour]) -> dict[str, Neighbour]:
    """What gives a customer away, as a single word -> the customer."""
    belongs = dict[str, Neighbour]()
    for one in neighbours:
        for word in (one.surname, one.account_no, one.serial, one.phone.removeprefix("+"), f"0{one.phone[4:]}"):
            belongs[word] = one
    return belongs


async def all_day(customers: Sequence[Customer], over_s: float) -> None:
    """Let them all live; they begin within the first `over_s` seconds."""
    await asyncio.gather(*(one.live(one.chance.uniform(0, over_s)) for one in customers))
