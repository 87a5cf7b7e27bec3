"""A provider at work: a request becomes a prompt, the subscriber's answer an ending, the ending a callback."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from simulators import journal
from simulators.daraja.messages import Messages
from simulators.journal import Journal
from simulators.later import Later
from simulators.momo.book import Book
from simulators.momo.faults import MomoFaults
from simulators.momo.requests import Ask, Ending, Request, Requests
from simulators.momo.settings import MomoSettings
from simulators.momo.tokens import Tokens

CALLBACK_TIMEOUT_S = 30.0
TRUTH_AFTER_S = 0.5
"""A failure that was not one is followed by the truth so much later."""

Answered = Literal["done", "gone", "unknown"]


@dataclass(frozen=True, slots=True)
class Callback:
    """One notice to the utility, byte for byte."""

    method: str
    url: str
    body: str


@dataclass(frozen=True, slots=True)
class Wire:
    """What differs between providers: names, receipts, and the callback of a request that ended.

    `callback` is given the request, the ending to tell (which the fault `failure_first` makes untrue) and by how
    much the amount is to be wrong; None where nobody is told.
    """

    name: str
    label: str
    receipt: Callable[[datetime], str]
    callback: Callable[["Provider", Request, Ending, int], Callback | None]


class Provider:
    """All state of one simulated provider, in memory only; safe to use from any thread."""

    def __init__(self, settings: MomoSettings, wire: Wire) -> None:
        self.settings, self.wire = settings, wire
        self.book = Book(settings.opening_balance, wire.receipt)
        self.requests = Requests()
        self.tokens = Tokens(settings.token_s)
        self.messages = Messages()
        self.journal = Journal()
        self.faults = MomoFaults()
        self._later = Later()
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._statuses: deque[float] = deque()

    def take(self, ask: Ask, decided: tuple[Ending, float] | None = None) -> Request | None:
        """Put the prompt on its way; None where this id was taken before. `decided`: by the provider, and when."""
        settings = self.settings
        if decided is None and ask.amount > settings.most:
            decided = ("over_limit", settings.push_delay_s)
        request = Request(ask, settings.push_delay_s, settings.prompt_s, silent=decided is not None)
        if not self.requests.take(request):
            return None
        if decided is not None:
            ending, after_s = decided
            self._later.do(after_s, lambda: self._decide(request, ending))
            return request
        self._later.do(settings.push_delay_s + settings.prompt_s, lambda: self._end(request, "expired"))
        if self.faults.by_itself:
            self._later.do(settings.push_delay_s + self.faults.thinks_s, lambda: self._answers(request))
        return request

    def enter_pin(self, reference: str, pin: str) -> Answered:
        """The subscriber typed a PIN into the prompt."""
        request = self.requests.find(reference)
        if request is None:
            return "unknown"
        if not request.on_screen() or not self.requests.claim(request):
            return "gone"
        self._finish(request, "paid" if pin == self.settings.pin else "wrong_pin")
        return "done"

    def cancel(self, reference: str) -> Answered:
        """The subscriber pressed Cancel."""
        request = self.requests.find(reference)
        if request is None:
            return "unknown"
        return "done" if request.on_screen() and self._end(request, "cancelled") else "gone"

    def give_back(self, receipt: str) -> bool:
        """Refund a payment, once."""
        payment = self.book.give_back(receipt)
        if payment is not None:
            text = f"{self.settings.business_name} has returned {self.money(payment.amount)} of {payment.receipt}."
            self.messages.send(payment.phone, text)
        return payment is not None

    def reset(self) -> None:
        """Opening balances, no prompts, no callbacks under way, no faults, an empty book."""
        self._later.clear()
        self.requests.reset()
        self.book.reset()
        self.messages.reset()
        self.journal.clear()
        with self._lock:
            self._asked.clear()
            self._statuses.clear()
        self.faults = MomoFaults()

    def strikes(self, fault: str, whom: str) -> bool:
        """Whether a fault befalls this request of `whom`, which is numbered by how often it came."""
        with self._lock:
            self._asked[f"{fault}:{whom}"] += 1
            number = self._asked[f"{fault}:{whom}"]
        return self.faults.strikes(fault, f"{whom}:{number}")

    def status_is_too_fast(self) -> bool:
        """Whether this status request is one too many of this second."""
        most, now = self.faults.statuses_a_second, time.monotonic()
        with self._lock:
            while self._statuses and self._statuses[0] < now - 1:
                self._statuses.popleft()
            self._statuses.append(now)
            return 0 < most < len(self._statuses)

    def money(self, amount: Decimal) -> str:
        return f"{self.settings.currency} {amount:,}"

    def _decide(self, request: Request, ending: Ending) -> None:
        if self.requests.claim(request):
            self._finish(request, ending)

    def _end(self, request: Request, ending: Ending) -> bool:
        if not self.requests.claim(request):
            return False
        self._finish(request, ending)
        return True

    def _finish(self, request: Request, ending: Ending) -> None:
        ask = request.ask
        if ending == "paid":
            request.payment = self.book.take(ask.reference, ask.phone, ask.amount, ask.account)
            ending = "paid" if request.payment else "no_funds"
        request.ending = ending
        self._tell_subscriber(request)
        self._tell_utility(request, ending)

    def _answers(self, request: Request) -> None:
        """What a subscriber does who is nobody in particular."""
        faults, reference = self.faults, request.ask.reference
        if faults.strikes("ignores", request.about):
            return
        if faults.strikes("cancels", request.about):
            self.cancel(reference)
        else:
            wrong = faults.strikes("mistypes", request.about)
            self.enter_pin(reference, "no PIN" if wrong else self.settings.pin)

    def _tell_subscriber(self, request: Request) -> None:
        ask, name = request.ask, self.settings.business_name
        balance = self.money(self.book.balance(ask.phone))
        if request.payment:
            text = f"{request.payment.receipt}: you paid {self.money(ask.amount)} to {name}. Balance {balance}."
            self.messages.send(ask.phone, text)
        elif request.ending == "no_funds":
            text = f"You do not have enough money to pay {self.money(ask.amount)} to {name}. Balance {balance}."
            self.messages.send(ask.phone, text)

    def _tell_utility(self, request: Request, ending: Ending) -> None:
        """As often, as late and as wrong as the faults say; never again by itself."""
        wait_s = 0.0
        if request.payment and self.faults.strikes("failure_first", request.about):
            self._deliver(request, self.wire.callback(self, request, "expired", 0), 0.0)
            wait_s = TRUTH_AFTER_S
        wrong_by = 1 if self.faults.strikes("wrong_amount", request.about) else 0
        told = self.wire.callback(self, request, ending, wrong_by)
        for delay in self.faults.deliveries(request.about):
            self._deliver(request, told, delay + wait_s)

    def _deliver(self, request: Request, told: Callback | None, delay_s: float) -> None:
        if told is None:
            return

        def go() -> None:
            what = f"{self.wire.name} callback"
            journal.send(self.journal, what, request.ask.phone, told.method, told.url, told.body, CALLBACK_TIMEOUT_S)
            request.delivered.set()

        self._later.do(self.settings.callback_delay_s + delay_s, go)
