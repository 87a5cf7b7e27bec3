"""Requests to pay: each is taken once for its id, shown as a prompt, and ended once."""

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from simulators.momo.book import Payment

Ending = Literal["paid", "cancelled", "wrong_pin", "no_funds", "expired", "over_limit", "refused"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a utility asked for; `reference` is its own id, `phone` as 2547.., `amount` in major units."""

    reference: str
    phone: str
    amount: Decimal
    account: str
    callback_url: str
    label: str = ""
    """Another id or text of the utility's that goes back to it (MTN's externalId)."""


class Request:
    """One ask on its way; a silent one is decided by the provider and never shows."""

    def __init__(self, ask: Ask, shown_after_s: float, stays_s: float, *, silent: bool = False) -> None:
        self.ask = ask
        self.shown_at = math.inf if silent else time.monotonic() + shown_after_s
        self.gone_at = self.shown_at + stays_s
        self.ending: Ending | None = None
        self.payment: Payment | None = None
        self.claimed = False
        self.number = 0
        """Which request to this phone it is, from 1."""
        self.delivered = threading.Event()
        """Set when its callback has been delivered once."""

    @property
    def about(self) -> str:
        """What it is, the same in every run: its phone, and which of its requests."""
        return f"{self.ask.phone}:{self.number}"

    def on_screen(self) -> bool:
        return not self.claimed and time.monotonic() >= self.shown_at


class Requests:
    """Every request since the last reset, by the utility's id; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_reference: dict[str, Request] = {}
        self._asked: Counter[str] = Counter()

    def take(self, request: Request) -> bool:
        """False where this id was taken before: the first request stays what it is."""
        with self._lock:
            if request.ask.reference in self._by_reference:
                return False
            self._asked[request.ask.phone] += 1
            request.number = self._asked[request.ask.phone]
            self._by_reference[request.ask.reference] = request
            return True

    def find(self, reference: str) -> Request | None:
        with self._lock:
            return self._by_reference.get(reference)

    def on_screen(self, phone: str) -> Request | None:
        """The oldest prompt that this phone shows now, if any."""
        with self._lock:
            known = [request for request in self._by_reference.values() if request.ask.phone == phone]
        return next((request for request in known if request.on_screen()), None)

    def claim(self, request: Request) -> bool:
        """Take it off the screen to end it. False if it has been taken already."""
        with self._lock:
            was_free, request.claimed = not request.claimed, True
            return was_free

    def reset(self) -> None:
        """Forget all; those still waiting end without a word to anyone."""
        with self._lock:
            for request in self._by_reference.values():
                request.claimed = True
            self._by_reference.clear()
            self._asked.clear()
