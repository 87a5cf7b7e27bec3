"""PostgreSQL as a child process: its cluster, its command line, its state."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from ussd_app.embedded import processes
from ussd_app.embedded.accounts import Account, as_account
from ussd_app.embedded.binaries import Programs
from ussd_app.embedded.program import Program

USER = "mita"
DATABASE = "mita"

SERVER = {
    "listen_addresses": "127.0.0.1",
    # No socket file: its path has a limit of about 100 bytes that a deep folder exceeds.
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}


@dataclass(frozen=True)
class Postgres:
    """One cluster in `folder`, served on 127.0.0.1:`port` to the holder of `password`."""

    programs: Programs
    folder: Path
    port: int
    password: str
    account: Account | None

    def url(self, database: str = DATABASE) -> str:
        return postgres_url(self.password, self.port, database)

    def program(self) -> Program:
        options = [f"--{name}={value}" for name, value in {**SERVER, "port": self.port}.items()]
        return Program(
            name="postgres",
            argv=[str(self.programs.path("postgres")), "-D", str(self.folder), *options],
            environ=_environment(),
            folder=self.folder.parent,
            account=self.account,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything down
            grace_s=60,
            prepare=self.prepare,
            ready=self.ready,
        )

    def prepare(self) -> None:
        """Make the cluster where there is none, and clear away what a crash has left."""
        if not (self.folder / "PG_VERSION").exists():
            self._create()
        self._clear_lock()

    def ready(self) -> bool:
        """Whether it answers; makes the database the first time it does."""
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=2) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not known:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.OperationalError:
            return False
        return True

    def _create(self) -> None:
        """Run initdb beside the final place and move the result there, so that a half-made cluster is never used."""
        fresh = self.folder.with_name(self.folder.name + ".new")
        secret = self.folder.with_name("password.new")
        shutil.rmtree(fresh, ignore_errors=True)
        secret.unlink(missing_ok=True)
        with open(os.open(secret, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(self.password + "\n")
        if self.account:
            os.chown(secret, self.account.uid, self.account.gid)
        try:
            self._initdb(fresh, secret)
        finally:
            secret.unlink()
        fresh.rename(self.folder)

    def _initdb(self, folder: Path, secret: Path) -> None:
        builtin = int(self.programs.version("postgres").split(".")[0]) >= 17
        provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if builtin else []
        attempts = [[*provider, "--locale=C.UTF-8"], [*provider, "--locale=C"]]
        for locale in attempts:
            done = subprocess.run(  # noqa: S603 - the server's own program
                [str(self.programs.path("initdb")), "-D", str(folder), "-U", USER, "--encoding=UTF8", *locale,
                 "--auth=scram-sha-256", f"--pwfile={secret}", "--data-checksums", "--no-instructions"],
                env=_environment(), cwd=folder.parent, capture_output=True, text=True, check=False,
                **as_account(self.account),
            )  # fmt: skip
            if done.returncode == 0:
                return
        raise RuntimeError(f"initdb could not make the database in {folder}:\n{done.stdout}{done.stderr}")

    def _clear_lock(self) -> None:
        """Remove the lock file of a server that is dead but whose pid is a zombie's or a stranger's.

        PostgreSQL itself takes such a pid for a living server and refuses to start. A server that does live
        here has lost its supervisor (we hold the data folder's lock): it is stopped first.
        """
        lock = self.folder / "postmaster.pid"
        if not processes.PROC.is_dir() or not lock.exists():
            return
        for pid in processes.standing_in(self.folder, "postgres"):
            processes.end(pid, signal.SIGINT, 20)
        lock.unlink(missing_ok=True)


def postgres_url(password: str, port: int, database: str = DATABASE) -> str:
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{database}"


def _environment() -> dict[str, str]:
    """The machine's locale and PG… variables must not reach the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
