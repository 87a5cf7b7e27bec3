"""What happens to the session store meanwhile: it is killed, emptied, stopped; each in its turn, by chance."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Event
from time import monotonic, sleep

from redis import Redis, RedisError

from ussd_app.embedded.folder import DataFolder

CALM_S = (0.5, 3.0)
STOPPED_S = (1.0, 5.0)
BACK_WITHIN_S = 30
TICK_S = 0.05


class Weather:
    """Over the Valkey of a running instance. `faults` counts what was done."""

    def __init__(self, folder: DataFolder, redis_url: str, chance: Random) -> None:
        self.faults: Counter[str] = Counter()
        self._folder, self._redis_url, self._chance = folder, redis_url, chance

    def blow(self, over: Event) -> None:
        """Disturb until `over`; each kind comes once before any comes again, and all come at least once.

        Raises TimeoutError where Valkey is not started again.
        """
        kinds: list[tuple[str, Callable[[], None]]] = [
            ("restarted", self._restart), ("emptied", self._empty), ("stopped", self._stop)
        ]  # fmt: skip
        while not over.is_set():
            self._chance.shuffle(kinds)
            for name, happen in kinds:
                if over.wait(self._chance.uniform(*CALM_S)) and self.faults[name]:
                    return
                happen()
                self.faults[name] += 1

    def _restart(self) -> None:
        before = self._pid()
        os.kill(before, signal.SIGKILL)
        end = monotonic() + BACK_WITHIN_S
        while self._folder.processes().get("valkey", {}).get("pid", before) == before or not self._answers():
            if monotonic() > end:
                raise TimeoutError("Valkey was not started again")
            sleep(TICK_S)

    def _empty(self) -> None:
        with Redis.from_url(self._redis_url) as redis:
            redis.flushall()

    def _stop(self) -> None:
        pid = self._pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            sleep(self._chance.uniform(*STOPPED_S))
        finally:
            os.kill(pid, signal.SIGCONT)

    def _pid(self) -> int:
        return int(self._folder.processes()["valkey"]["pid"])

    def _answers(self) -> bool:
        with suppress(RedisError), Redis.from_url(self._redis_url, socket_timeout=1) as redis:
            return bool(redis.ping())
        return False
