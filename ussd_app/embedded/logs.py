"""A child's log file: whole lines, of a bounded size."""

from collections import deque
from pathlib import Path

LARGEST = 10_000_000
"""Bytes; a log that grows past it is put aside as NAME.log.1, in the place of the one before."""


class LogFile:
    """Takes what a child writes, as it comes, and gives it back line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: deque[str] = deque(maxlen=50)
        self._partial = b""

    def write(self, data: bytes) -> list[str]:
        """Keep `data`; the lines that it completes. Empty data is the end: what is left is a line."""
        if self.path.exists() and self.path.stat().st_size > LARGEST:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        with self.path.open("ab") as file:
            file.write(data)
        *whole, self._partial = (self._partial + (data or b"\n")).split(b"\n")
        lines = [text for line in whole if (text := line.decode(errors="replace").rstrip())]
        self._last.extend(lines)
        return lines

    def tail(self, lines: int = 15) -> str:
        return "\n".join(list(self._last)[-lines:])
