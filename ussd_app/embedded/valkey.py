"""Valkey (or Redis) as a child process: its configuration, its command line, its state."""

import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from ussd_app.embedded import processes
from ussd_app.embedded.accounts import Account
from ussd_app.embedded.binaries import Programs, server_program
from ussd_app.embedded.program import Program

CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{folder}"
requirepass {password}
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
save ""
daemonize no
"""


@dataclass(frozen=True)
class Valkey:
    """One server with its files in `folder`, on 127.0.0.1:`port`, for the holder of `password`."""

    programs: Programs
    folder: Path
    port: int
    password: str
    account: Account | None

    @property
    def url(self) -> str:
        return valkey_url(self.password, self.port)

    def program(self) -> Program:
        return Program(
            name="valkey",
            argv=[str(self.programs.path(server_program(self.programs))), str(self.folder / "valkey.conf")],
            environ={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            folder=self.folder,
            account=self.account,
            prepare=self.prepare,
            ready=self.ready,
        )

    def prepare(self) -> None:
        """Write the configuration; stop a server that has lost its supervisor and still holds the files."""
        for pid in processes.standing_in(self.folder, server_program(self.programs)):
            processes.end(pid, signal.SIGTERM, 10)
        file = self.folder / "valkey.conf"
        file.unlink(missing_ok=True)
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as conf:
            conf.write(CONFIGURATION.format(port=self.port, folder=self.folder, password=self.password))
        if self.account:
            os.chown(file, self.account.uid, self.account.gid)

    def ready(self) -> bool:
        """Whether it answers and has read its files."""
        # By hand, because the client library takes longer to import than the server to start.
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with line.makefile("rb") as answers:
                    return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


def valkey_url(password: str, port: int) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"
