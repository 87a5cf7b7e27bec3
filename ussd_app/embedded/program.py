"""A program to run as a child process, and the starting of one."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ussd_app.embedded.accounts import Account, as_account

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """What is run and how it is stopped. `prepare` goes before every start; `ready` says whether it serves."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10
    prepare: Callable[[], None] = lambda: None
    ready: Callable[[], bool] = lambda: True


def spawn(program: Program, output: int | IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start `program`, its output and errors going to `output`, in a session of its own.

    Own session: a Ctrl-C in the terminal reaches the supervisor alone. Where Linux allows, the child is
    told to stop when its parent dies, however the parent dies.
    """

    def in_child() -> None:
        # Runs after the change of user, which would have cleared the wish.
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(program.stop_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    parent = os.getpid()
    return subprocess.Popen(  # noqa: S603 - programs of ours
        list(program.argv),
        env=dict(program.environ),
        cwd=program.folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=in_child,
        **as_account(program.account),
    )


def adopt_orphans() -> None:
    """Have grandchildren that lose their parent become ours, so that we can reap and stop them (Linux)."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for a message about what went wrong."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
