"""The processor time that PostgreSQL has used: on a busy machine it says more than the clock on the wall."""

import os
from collections.abc import Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def postgres_s(folder: Path) -> float:
    """Seconds of the server whose data lies in `folder`: itself, its processes, and those that have ended."""
    stats = _stats()
    own = _server(stats, folder)
    used = sum(int(tick) for tick in stats[own][11:15])  # proc(5): utime, stime, and those of children that ended
    used += sum(int(fields[11]) + int(fields[12]) for fields in stats.values() if int(fields[1]) == own)
    return used / TICKS


def postgres_pids(folder: Path) -> set[int]:
    """The server and its processes that are there now."""
    stats = _stats()
    own = _server(stats, folder)
    return {own} | {pid for pid, fields in stats.items() if int(fields[1]) == own}


def _stats() -> dict[int, list[str]]:
    return {int(stat.parent.name): fields for stat in Path("/proc").glob("[0-9]*/stat") if (fields := _fields(stat))}


def _server(stats: Mapping[int, list[str]], folder: Path) -> int:
    """The first of them: a process that it has just made bears its name for a moment."""
    named = {pid for pid in stats if str(folder) in _command(pid) and _command(pid).split("\0")[0].endswith("postgres")}
    return next(pid for pid in named if int(stats[pid][1]) not in named)


def _fields(stat: Path) -> list[str]:
    """What stands behind the name: state, parent, ..."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
