"""Requests that are refused for being too many."""

import threading
import time
from collections import Counter, deque

from simulators.daraja.errors import TOO_MANY, DarajaError
from simulators.daraja.mpesa import Mpesa

MINUTE_S = 60.0


class Limits:
    """Counts what was asked; safe to use from any thread."""

    def __init__(self, mpesa: Mpesa) -> None:
        self._mpesa = mpesa
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._queries: deque[float] = deque()

    def about(self, what: str, whom: str) -> str:
        """Whom it is about, and how often that was asked before."""
        with self._lock:
            self._asked[f"{what}:{whom}"] += 1
            return f"{whom}:{self._asked[f'{what}:{whom}']}"

    def check(self, what: str, whom: str) -> None:
        """Raises DarajaError where the fault `too_many` strikes."""
        if self._mpesa.faults.strikes("too_many", f"{what}:{self.about(what, whom)}"):
            raise DarajaError(*TOO_MANY)

    def check_queries(self) -> None:
        """Raises DarajaError for an STK query beyond those of a minute, and counts it as Daraja does: not at all."""
        most, now = self._mpesa.faults.queries_a_minute, time.monotonic()
        with self._lock:
            while self._queries and self._queries[0] < now - MINUTE_S:
                self._queries.popleft()
            if most and len(self._queries) >= most:
                raise DarajaError(*TOO_MANY)
            self._queries.append(now)
