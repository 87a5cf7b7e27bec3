"""Keeps programs running: starts them, starts again what dies, keeps their logs, stops them in order.

One thread, one loop. Each child has a session of its own; whatever a dead child leaves behind is ended
before its successor starts, so that a port or a file is never held by a ghost.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

from ussd_app.embedded import processes
from ussd_app.embedded.console import Console
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.logs import LogFile
from ussd_app.embedded.program import Program, adopt_orphans, spawn

TICK_S = 0.1
BACKOFF_S = (0.1, 0.5, 1, 2, 5)
STEADY_S = 20
"""A program that ran this long is forgiven its earlier deaths."""


class StartFailed(RuntimeError):
    """A program keeps dying or does not become ready; the message ends with its log."""


class Stopped(Exception):
    """Somebody asked for the end while things were still starting."""


@dataclass
class Child:
    """A program, its process while it has one, and how it has fared."""

    program: Program
    log: LogFile
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0
    deaths: int = 0
    started_at: float = 0
    due_at: float = 0
    wanted: bool = True


class Supervisor:
    """Runs the programs given to `start` until `stop`."""

    def __init__(self, folder: DataFolder, console: Console) -> None:
        self.folder, self.console = folder, console
        self.children: dict[str, Child] = {}
        self.stopping = False
        self._selector = selectors.DefaultSelector()

    def listen(self) -> None:
        """Take Ctrl-C and the wishes to end from now on, and the orphans of our children."""
        adopt_orphans()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)

    def start(self, *programs: Program) -> None:
        """Start each for the first time. Raises Stopped where the end has been asked for."""
        for program in programs:
            if self.stopping:
                raise Stopped
            self.children[program.name] = Child(program, LogFile(self.folder.logs / f"{program.name}.log"))
            self._spawn(self.children[program.name])

    def wait_ready(self, names: Sequence[str], seconds: float) -> None:
        """Keep things running until all of `names` are ready. Raises StartFailed or Stopped."""
        limit = time.monotonic() + seconds
        for name in names:
            child = self.children[name]
            while not (child.process and child.program.ready()):
                self.tick()
                if self.stopping:
                    raise Stopped
                if child.deaths >= 4 or time.monotonic() > limit:
                    raise StartFailed(f"{name} does not start. The end of {child.log.path}:\n{child.log.tail()}")

    def complete(self, program: Program) -> None:
        """Run a program that ends by itself, while the others run on. Raises StartFailed where it fails, Stopped."""
        child = Child(program, LogFile(self.folder.logs / f"{program.name}.log"), wanted=False)
        self.children[program.name] = child
        self._spawn(child)
        while child.process:
            self.tick()
            if self.stopping:
                raise Stopped
        del self.children[program.name]
        if child.deaths:
            raise StartFailed(f"{program.name} failed. The end of {child.log.path}:\n{child.log.tail(30)}")

    def run(self) -> None:
        """Keep everything running until somebody asks for the end."""
        while not self.stopping:
            self.tick()

    def tick(self) -> None:
        """Read what the children say, reap who has died, start again who is due."""
        self._read(TICK_S)
        self._reap()
        moment = time.monotonic()
        for child in list(self.children.values()):
            if child.process is None and child.wanted and not self.stopping and moment >= child.due_at:
                child.restarts += 1
                self._spawn(child)

    def stop(self, *stages: Sequence[str]) -> None:
        """Stop the children, one stage after the other, and in the end whatever else has become ours."""
        self.stopping = True
        for stage in stages:
            here = [self.children[name] for name in stage if name in self.children]
            self._stop_together(here)
        self._stop_together(list(self.children.values()))
        for pid in processes.children(os.getpid()):
            processes.end(pid, signal.SIGTERM, 2)
        self._reap()
        self._read(0)
        self.folder.write_processes({})

    def _stop_together(self, children: Sequence[Child]) -> None:
        begun = time.monotonic()
        for child in children:
            child.wanted = False
            if child.process:
                child.process.send_signal(child.program.stop_signal)
        while left := [child for child in children if child.process]:
            self._read(0.02)
            self._reap()
            for child in left:
                if child.process and time.monotonic() - begun > child.program.grace_s:
                    self.console.say(f"{child.program.name} does not stop; it is ended")
                    child.process.kill()

    def _spawn(self, child: Child) -> None:
        reader, writer = os.pipe()
        try:
            child.program.prepare()
            child.process = spawn(child.program, writer)
        except OSError as error:
            os.close(reader)
            self._died(child, f"cannot start: {error}")
            return
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        self._selector.register(reader, selectors.EVENT_READ, child)
        child.started_at = time.monotonic()
        self._record()

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            child: Child = key.data
            try:
                data = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            for line in child.log.write(data):
                self.console.child_line(child.program.name, line)
            if not data:
                self._selector.unregister(key.fd)
                os.close(key.fd)

    def _reap(self) -> None:
        # Not Popen.poll(): adopted orphans must be reaped as well, they are nobody's Popen.
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children.values():
                if child.process and child.process.pid == pid:
                    self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: Child, code: int) -> None:
        assert child.process
        child.process.returncode = code
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)  # its workers, if it left any
        child.process = None
        if child.wanted or (code != 0 and not self.stopping):
            self._died(child, f"ended with {code}" if code >= 0 else f"was killed ({signal.Signals(-code).name})")
        self._record()

    def _died(self, child: Child, how: str) -> None:
        steady = time.monotonic() - child.started_at > STEADY_S
        child.deaths = 1 if steady else child.deaths + 1
        wait = BACKOFF_S[min(child.deaths, len(BACKOFF_S)) - 1]
        child.due_at = time.monotonic() + wait
        if child.wanted and not self.stopping:
            self.console.say(f"{child.program.name} {how}; it is started again")

    def _record(self) -> None:
        """Keep processes.json true: who runs, under which pid, started again how often."""
        ours = {"supervisor": {"pid": os.getpid(), "restarts": 0, "started": processes.started(os.getpid())}}
        for name, child in self.children.items():
            if child.process:
                pid = child.process.pid
                ours[name] = {"pid": pid, "restarts": child.restarts, "started": processes.started(pid)}
        self.folder.write_processes(ours)

    def _asked_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True


def end_leftovers(folder: DataFolder, report: Callable[[str], None]) -> None:
    """End what an earlier supervisor of this folder left running; its lock is ours now."""
    for name, process in folder.processes().items():
        pid = int(process["pid"])
        if process.get("started") and processes.alive(pid) and processes.started(pid) == process["started"]:
            report(f"{name} (process {pid}) was left by an earlier start; it is stopped")
            processes.end(pid, signal.SIGINT if name == "postgres" else signal.SIGTERM, 20)
