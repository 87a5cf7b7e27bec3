"""Doing something in a while, off the request's thread."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Later:
    """One waiting thread for any number of appointments; each act runs on a daemon thread of its own."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._keep, daemon=True).start()

    def do(self, delay_s: float, act: Callable[[], object]) -> None:
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + delay_s, next(self._order), act))
            self._changed.notify()

    def clear(self) -> None:
        """Call off whatever has not begun."""
        with self._changed:
            self._heap.clear()

    def _keep(self) -> None:
        while True:
            threading.Thread(target=self._next_due(), daemon=True).start()

    def _next_due(self) -> Callable[[], object]:
        with self._changed:
            while True:
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait)
