"""The time that a turn has, and the watch that takes the database away from a turn whose time is up.

PostgreSQL's own limits end a hung statement only where PostgreSQL itself is well. Where it does not even answer that,
the watch shuts our end of the line, and the turn finds out at once.
"""

import os
import socket
from contextlib import suppress
from threading import Lock, Thread
from time import monotonic, sleep

LIMIT_S = 4.0
"""A gateway gives up after ten seconds (Africa's Talking), and the networks behind it sooner."""

TICK_S = 0.05


class Deadline:
    """When a turn that begins now must be answered."""

    __slots__ = ("ends_at",)

    def __init__(self, seconds: float = LIMIT_S) -> None:
        self.ends_at = monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left; negative where it has passed."""
        return self.ends_at - monotonic()

    def watch(self, line: int) -> None:
        """Have the socket with the descriptor `line` shut when time is up, until `unwatch`."""
        _WATCH.add(self, line)

    def unwatch(self) -> None:
        _WATCH.remove(self)


class _Watch:
    """One thread for all the turns of a process; it starts with the first of them, so after any fork."""

    def __init__(self) -> None:
        self._lines: dict[Deadline, int] = {}
        self._lock = Lock()
        self._process = 0

    def add(self, deadline: Deadline, line: int) -> None:
        if self._process != os.getpid():
            self._start()
        self._lines[deadline] = line

    def remove(self, deadline: Deadline) -> None:
        with self._lock:  # never while the line is being shut: it may be lent to another turn right after
            self._lines.pop(deadline, None)

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._process, self._lines = os.getpid(), {}
                Thread(target=self._run, name="deadline", daemon=True).start()

    def _run(self) -> None:
        while True:
            sleep(TICK_S)
            for deadline in list(self._lines):
                if deadline.left_s <= 0:
                    self._shut(deadline)

    def _shut(self, deadline: Deadline) -> None:
        with self._lock:
            line = self._lines.pop(deadline, None)
            if line is not None:
                with suppress(OSError), socket.socket(fileno=os.dup(line)) as ours:
                    ours.shutdown(socket.SHUT_RDWR)


_WATCH = _Watch()
