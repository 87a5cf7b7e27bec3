"""What the person at the terminal sees of it all."""

import os
import re
import sys
from contextlib import suppress
from typing import TextIO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)
IMPORTANT = re.compile(r"\b(CRITICAL|PANIC|Traceback)\b")


class Console:
    """Prints our own words, and the children's: all of them when `verbose`, else what should worry somebody."""

    def __init__(self, *, verbose: bool = False, out: TextIO | None = None) -> None:
        self.verbose, self.out = verbose, out or sys.stdout
        self.coloured = self.out.isatty() and "NO_COLOR" not in os.environ
        self._known: list[str] = []

    def say(self, text: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads any more; that is no reason to stop serving
            print(text, file=self.out, flush=True)

    def child_line(self, name: str, line: str) -> None:
        if not self.verbose and not IMPORTANT.search(line):
            return
        if name not in self._known:
            self._known.append(name)
        prefix = f"{name:<13} |"
        if self.coloured:
            prefix = f"\x1b[{COLOURS[self._known.index(name) % len(COLOURS)]}m{prefix}\x1b[0m"
        self.say(f"{prefix} {line}")
