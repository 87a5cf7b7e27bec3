"""One server for the length of a `with` block: for the tests, and for a command that finds nothing running."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ussd_app.embedded.program import Program, spawn, tail


class NotReady(RuntimeError):
    """A server did not come up; the message ends with its log."""


@contextmanager
def running(program: Program, log: Path, seconds: float = 60) -> Iterator["subprocess.Popen[bytes]"]:
    """Start `program`, wait until it is ready, stop it in the end. Raises NotReady."""
    program.prepare()
    with log.open("ab") as output:
        process = spawn(program, output)
    try:
        limit = time.monotonic() + seconds
        while not program.ready():
            if process.poll() is not None or time.monotonic() > limit:
                raise NotReady(f"{program.name} did not start:\n{tail(log)}")
            time.sleep(0.03)
        yield process
    finally:
        stop(process, program)


def stop(process: "subprocess.Popen[bytes]", program: Program) -> None:
    """Stop it as it likes to be stopped; after its grace, at once."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)
        try:
            process.wait(program.grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
