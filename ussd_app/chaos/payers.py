"""Customers who pay: by USSD, as the gateway carries them, and by PayBill, from the phone's own menu."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any
from urllib.parse import urlsplit

from ussd_app.chaos.callers import Customer, Seen
from ussd_app.chaos.scripts import payment
from ussd_app.chaos.town import Neighbour

BY_USSD = 0.6
MISTYPED = 0.08
THINKS_S = 1.0
RESTS_S = (0.1, 1.0)
PATIENCE_S = 30
PIN = "1234"


@dataclass
class Market:
    """What all payers share. `room` is set while the service keeps up; `asked` counts what they did."""

    ussd_url: str
    daraja_url: str
    belongs: Mapping[str, Neighbour]
    pool: ThreadPoolExecutor
    seen: Seen = field(default_factory=Seen)
    asked: "Counter[str]" = field(default_factory=Counter)
    room: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Payer:
    """One customer, who pays several times."""

    neighbour: Neighbour
    chance: Random
    market: Market

    async def live(self, payments: int) -> None:
        for _ in range(payments):
            await self.market.room.wait()
            if self.chance.random() < BY_USSD:
                await self._by_ussd()
            else:
                await self._by_paybill()
            await asyncio.sleep(self.chance.uniform(*RESTS_S))

    async def _by_ussd(self) -> None:
        market = self.market
        market.asked["by_ussd"] += 1
        script = payment(self.neighbour, self.chance)
        await Customer(
            market.ussd_url, self.neighbour, script, self.chance, market.belongs, market.seen, market.pool, THINKS_S
        ).live(0)

    async def _by_paybill(self) -> None:
        self.market.asked["by_paybill"] += 1
        account = self.neighbour.account_no
        if self.chance.random() < MISTYPED:
            account = account[:-1] + str((int(account[-1]) + 1) % 10)  # its check digit is wrong, so it is nobody's
        bill = {
            "phone": self.neighbour.phone, "account": account, "amount": self.chance.randint(20, 1_200), "pin": PIN,
        }  # fmt: skip
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self.market.pool, told, f"{self.market.daraja_url}/sim/paybill", bill)
        if said.get("outcome") == "rejected":
            self.market.asked["rejected"] += 1


def told(url: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """What a simulator answers to a POST of `body`, or to a GET without one. Raises OSError where it does not."""
    where = urlsplit(url)
    line = HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE_S)
    try:
        if body is None:
            line.request("GET", where.path)
        else:
            line.request("POST", where.path, json.dumps(body), {"Content-Type": "application/json"})
        answer = line.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
    except (HTTPException, ValueError) as error:
        raise OSError(f"no answer from {where.path}: {error}") from None
    finally:
        line.close()
    if answer.status != 200:
        raise OSError(f"{where.path}: {answer.status} {said}")
    return said


async def all_pay(payers: Sequence[Payer], payments: int) -> None:
    """Have them make so many payments together."""
    each, more = divmod(payments, len(payers))
    await asyncio.gather(*(one.live(each + (at < more)) for at, one in enumerate(payers)))
