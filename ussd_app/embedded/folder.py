"""The data folder of one instance: its secrets, its ports, its logs, and the lock that one `up` holds."""

import fcntl
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from ussd_app.embedded.accounts import Account, can_enter, own_folder

ROOT = Path(__file__).resolve().parents[2]
"""The project."""

SECRETS = {
    "postgres_password": 24, "valkey_password": 24, "secret_key": 48, "gateway_secret": 18, "at_api_key": 24,
    "mpesa_consumer_key": 18, "mpesa_consumer_secret": 24, "mpesa_passkey": 32,
}  # fmt: skip
"""What is generated once, with its random bytes."""

PORTS = range(20000, 32000)
"""Below the range that outgoing connections take theirs from, so that a remembered port is free the next time."""

OUTSIDE = Path("/var/lib")
BELONGS_TO = "belongs-to"
"""A file beside servers outside of their data folder, naming that folder."""


class InUse(RuntimeError):
    """Another process holds what this one needs; the message says which and what to do."""


@dataclass(frozen=True)
class DataFolder:
    """`path` is absolute. Nothing is made before `create`."""

    path: Path

    @property
    def exists(self) -> bool:
        return (self.path / "secrets.json").exists()

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def create(self) -> None:
        """Make the folder and its secrets on first use. Root's may be passed through, to let the servers in."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir()
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        if not self.exists:
            # Hexadecimal: a callback's address must not hold by chance a word that Daraja forbids, such as "exe".
            write_private(self.path / "secrets.json", {name: secrets.token_hex(n) for name, n in SECRETS.items()})

    def secrets(self) -> dict[str, str]:
        return {str(name): str(value) for name, value in _read(self.path / "secrets.json").items()}

    def remembered(self) -> dict[str, Any]:
        """What earlier starts have settled: ports, where the servers' files are, whether demo data was wanted."""
        return _read(self.path / "instance.json")

    def remember(self, **facts: object) -> None:
        write_private(self.path / "instance.json", {**self.remembered(), **facts})

    def processes(self) -> dict[str, Any]:
        """Name -> {pid, restarts, started} of what the supervisor runs now."""
        return _read(self.path / "processes.json")

    def write_processes(self, running: Mapping[str, object]) -> None:
        write_private(self.path / "processes.json", running)

    def servers(self, account: Account | None) -> Path:
        """Where the servers keep their files, made on first use.

        Inside the data folder; but where root's home keeps the servers' account out, in /var/lib, remembered.
        """
        known = self.remembered().get("servers")
        if known:
            return Path(known)
        if can_enter(account, self.path):
            place = self.path / "servers"
        else:
            # A new one each time: an earlier data folder of this name may have left another there.
            outside = Path(tempfile.mkdtemp(prefix=f"mita-{self.path.parent.name}-", dir=OUTSIDE))
            outside.chmod(0o711)
            (outside / BELONGS_TO).write_text(str(self.path))
            place = outside / "servers"
        self.remember(servers=str(own_folder(place, account)))
        return place

    def port(self, name: str) -> int:
        """The remembered port of a server, or another where somebody has taken it."""
        known = self.remembered().get(name)
        if isinstance(known, int) and is_free(known):
            return known
        port = free_port()
        self.remember(**{name: port})
        return port

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one running instance. Raises InUse where another has it."""
        with (self.path / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = self.processes().get("supervisor", {}).get("pid", "unknown")
                raise InUse(f"Mita already runs with the data folder {self.path} (process {pid}).") from None
            yield

    def running(self) -> bool:
        """Whether an instance holds the folder now."""
        if not self.exists:
            return False
        try:
            with self.locked():
                return False
        except InUse:
            return True


def is_free(port: int) -> bool:
    """Whether 127.0.0.1:`port` can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    return next(port for port in SystemRandom().sample(PORTS, len(PORTS)) if is_free(port))


def write_private(file: Path, value: Mapping[str, object]) -> None:
    """Write JSON that only its owner can read; a reader sees the old file or the new one, never a half."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    with open(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as out:
        json.dump(value, out, indent=1)
    fresh.replace(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return dict(found)
