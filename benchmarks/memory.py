"""The most memory that any process of a measurement has had."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from benchmarks.cpu import postgres_pids


@contextmanager
def watched(folder: Path, every_s: float = 0.5) -> Iterator[dict[str, int]]:
    """The peaks so far in MB: of this command, of its largest worker, and of the largest process of PostgreSQL.

    PostgreSQL's is with the buffers that all its processes share, as far as that one has touched them.
    """
    peaks = {"command": 0, "worker": 0, "postgres": 0}
    ended = Event()

    def look() -> None:
        while not ended.wait(every_s):
            _look(peaks, folder)

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()
        _look(peaks, folder)


def _look(peaks: dict[str, int], folder: Path) -> None:
    servers = postgres_pids(folder)
    workers = _children(os.getpid()) - servers
    for name, pids in (("command", {os.getpid()}), ("worker", workers), ("postgres", servers)):
        peaks[name] = max([peaks[name], *(_peak_mb(pid) for pid in pids)])


def _children(parent: int) -> set[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in _text(task).split()}


def _peak_mb(pid: int) -> int:
    """proc(5): VmHWM, the peak of the resident set, in kB."""
    line = next((one for one in _text(Path(f"/proc/{pid}/status")).splitlines() if one.startswith("VmHWM")), "")
    return int(line.split()[1]) // 1024 if line else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""
