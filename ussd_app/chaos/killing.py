"""`kill -9` of one process after the other, by chance; the supervisor starts each again."""

import os
import signal
from collections import Counter
from contextlib import suppress
from random import Random
from threading import Event

from ussd_app.embedded.folder import DataFolder

MORTAL = ("web", "worker", "relay", "clock", "ussd", "valkey", "postgres")


class Killer:
    """Over the processes of a running instance. `killed` counts them; `calm_s` is how long it waits between two."""

    def __init__(self, folder: DataFolder, chance: Random, calm_s: tuple[float, float]) -> None:
        self.killed: Counter[str] = Counter()
        self._folder, self._chance, self._calm_s = folder, chance, calm_s

    def go(self, over: Event) -> None:
        """Kill until `over`; each kind comes once before any comes again, and all come at least once."""
        kinds = list(MORTAL)
        while not over.is_set():
            self._chance.shuffle(kinds)
            for name in kinds:
                if over.wait(self._chance.uniform(*self._calm_s)) and self.killed[name]:
                    return
                while not self._kill(name):
                    over.wait(0.2)

    def _kill(self, name: str) -> bool:
        """Whether there was such a process to kill."""
        pid = self._folder.processes().get(name, {}).get("pid")
        with suppress(ProcessLookupError):
            if pid:
                os.kill(int(pid), signal.SIGKILL)
                self.killed[name] += 1
                return True
        return False
