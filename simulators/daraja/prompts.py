"""The PIN prompts: opened by a push, closed once by the subscriber, the clock or the network."""

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass

from simulators.daraja.bank import Payment


@dataclass(frozen=True, slots=True)
class Push:
    """A push that Daraja has accepted; `phone` as 2547.., `amount` in whole shillings."""

    checkout_id: str
    merchant_id: str
    phone: str
    amount: int
    account: str
    description: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a push ended: Daraja's ResultCode and its words, and the payment when money moved."""

    code: int
    text: str
    payment: Payment | None = None


PAID = "The service request is processed successfully."
INSUFFICIENT = Result(1, "The balance is insufficient for the transaction.")
ABOVE_MAXIMUM = Result(3, "Declined due to limit rule: greater than the maximum transaction amount.")
RULE_LIMITED = Result(17, "Rule limited.")
CANCELLED = Result(1032, "Request cancelled by user")
UNREACHABLE = Result(1037, "DS timeout user cannot be reached")
WRONG_PIN = Result(2001, "The initiator information is invalid.")


class Prompt:
    """One push on its way; a silent one is refused by the network and never shows."""

    def __init__(self, push: Push, shown_after_s: float, stays_s: float, *, silent: bool = False) -> None:
        self.push = push
        self.shown_at = math.inf if silent else time.monotonic() + shown_after_s
        self.gone_at = self.shown_at + stays_s
        self.claimed = False
        self.result: Result | None = None
        self.number = 0
        """Which push to this phone it is, from 1."""
        self.delivered = threading.Event()
        """Set when its callback has been delivered once."""

    @property
    def about(self) -> str:
        """What it is, the same in every run: its phone, and which of its pushes."""
        return f"{self.push.phone}:{self.number}"

    def on_screen(self) -> bool:
        return not self.claimed and time.monotonic() >= self.shown_at


class Prompts:
    """Every prompt since the last reset, by CheckoutRequestID; at most one waits on a phone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, Prompt] = {}
        self._waiting: dict[str, Prompt] = {}
        self._opened: Counter[str] = Counter()

    def open(self, prompt: Prompt) -> bool:
        """False where this phone already has one: the subscriber is locked."""
        with self._lock:
            if prompt.push.phone in self._waiting:
                return False
            self._opened[prompt.push.phone] += 1
            prompt.number = self._opened[prompt.push.phone]
            self._by_id[prompt.push.checkout_id] = prompt
            self._waiting[prompt.push.phone] = prompt
            return True

    def find(self, checkout_id: str) -> Prompt | None:
        with self._lock:
            return self._by_id.get(checkout_id)

    def on_screen(self, phone: str) -> Prompt | None:
        """The prompt that this phone shows now, if any."""
        with self._lock:
            prompt = self._waiting.get(phone)
        return prompt if prompt and prompt.on_screen() else None

    def claim(self, prompt: Prompt) -> bool:
        """Take it off the screen to end it. False if it has been taken already."""
        with self._lock:
            if prompt.claimed:
                return False
            prompt.claimed = True
            if self._waiting.get(prompt.push.phone) is prompt:
                del self._waiting[prompt.push.phone]
            return True

    def reset(self) -> None:
        """Forget all; those still waiting end without a word to anyone."""
        with self._lock:
            for prompt in self._by_id.values():
                prompt.claimed = True
            self._by_id.clear()
            self._opened.clear()
            self._waiting.clear()
