"""What the system knows about processes: alive or a zombie, where they stand, whose children they are (Linux)."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def alive(pid: int) -> bool:
    """Whether the process runs. A zombie does not, although signals still reach it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return state(pid) != "Z"


def state(pid: int) -> str:
    """The letter of the process's state ("R", "S", "Z" …), "" where there is none to read."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def started(pid: int) -> int:
    """When the process began, in clock ticks since boot: with the pid, its identity. 0 where unknown."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def children(parent: int) -> list[int]:
    """The living direct children of `parent`."""
    return [pid for pid in pids() if (fields := _stat(pid)) and int(fields[1]) == parent and fields[0] != "Z"]


def standing_in(folder: Path, *names: str) -> list[int]:
    """The living processes of one of these names whose working directory is `folder`."""
    found = []
    for pid in pids():
        try:
            name = (PROC / str(pid) / "comm").read_text().strip()
            if name in names and os.readlink(PROC / str(pid) / "cwd") == str(folder) and state(pid) != "Z":
                found.append(pid)
        except OSError:
            continue
    return found


def pids() -> Iterator[int]:
    if PROC.is_dir():
        yield from (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def end(pid: int, wish: signal.Signals, seconds: float) -> None:
    """Ask a process that is not our child to stop; after `seconds` it is made to."""
    for what, patience in ((wish, seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            return
        limit = time.monotonic() + patience
        while alive(pid) and time.monotonic() < limit:
            time.sleep(0.05)


def _stat(pid: int) -> list[str]:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()  # the name, in parentheses, may hold anything
