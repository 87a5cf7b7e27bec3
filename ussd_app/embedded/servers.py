"""The servers of one instance: the caller's own where he names them, else embedded ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_app.embedded.accounts import own_folder, server_account
from ussd_app.embedded.binaries import Programs, find_postgres, find_valkey, reachable, server_program
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.postgres import Postgres, postgres_url
from ussd_app.embedded.valkey import Valkey, valkey_url


@dataclass(frozen=True)
class Servers:
    """The URLs, what has to be run for them, and one line that says so."""

    database_url: str
    redis_url: str
    postgres: Postgres | None
    valkey: Valkey | None
    line: str


def choose(folder: DataFolder, environ: Mapping[str, str]) -> Servers:
    """The servers for an instance in `folder`. Raises ServerMissing with the line to type."""
    database_url, redis_url = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
    postgres = None if database_url else embedded_postgres(folder)
    valkey = None if redis_url else embedded_valkey(folder)
    return Servers(
        database_url=postgres.url() if postgres else database_url,
        redis_url=valkey.url if valkey else redis_url,
        postgres=postgres,
        valkey=valkey,
        line=_line(folder, postgres, valkey),
    )


def known(folder: DataFolder, environ: Mapping[str, str]) -> Servers:
    """The servers as the last start has settled them, for a command beside a running instance; "" where unknown."""
    secrets, ports = folder.secrets(), folder.remembered()
    database_url, redis_url = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
    if not database_url and "postgres_port" in ports:
        database_url = postgres_url(secrets["postgres_password"], ports["postgres_port"])
    if not redis_url and "valkey_port" in ports:
        redis_url = valkey_url(secrets["valkey_password"], ports["valkey_port"])
    return Servers(database_url, redis_url, None, None, "")


def embedded_postgres(folder: DataFolder) -> Postgres:
    account = server_account()
    programs = reachable(find_postgres(), "postgres", account)
    place = folder.servers(account) / "postgres"
    return Postgres(programs, place, folder.port("postgres_port"), folder.secrets()["postgres_password"], account)


def embedded_valkey(folder: DataFolder) -> Valkey:
    account = server_account()
    found = find_valkey()
    programs = reachable(found, server_program(found), account)
    place = own_folder(folder.servers(account) / "valkey", account)
    return Valkey(programs, place, folder.port("valkey_port"), folder.secrets()["valkey_password"], account)


def _line(folder: DataFolder, postgres: Postgres | None, valkey: Valkey | None) -> str:
    database = _named(postgres.programs, "postgres") if postgres else "PostgreSQL of DATABASE_URL"
    store = _named(valkey.programs, server_program(valkey.programs)) if valkey else "Redis of REDIS_URL"
    outside = folder.remembered().get("servers", "")
    where = f"; their files are in {outside}" if outside and not outside.startswith(str(folder.path)) else ""
    return f"{database}, {store}{where}"


def _named(programs: Programs, program: str) -> str:
    return f"{programs.name} {programs.version(program)} {programs.origin}"
