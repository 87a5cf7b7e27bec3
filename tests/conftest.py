"""Real servers for the whole suite: an own PostgreSQL and Valkey for one run, emptied after each test.

TEST_DATABASE_URL and TEST_REDIS_URL name other servers. A new database is made there and dropped at the end;
the Redis database named is emptied. DATABASE_URL and REDIS_URL are never touched.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg import sql
from redis import Redis
from sqlalchemy.orm import Session

from core import config
from core.config import Settings
from core.database import configure, engine, sessions
from ussd_app.embedded.folder import BELONGS_TO, OUTSIDE, DataFolder
from ussd_app.embedded.running import running
from ussd_app.embedded.servers import embedded_postgres, embedded_valkey

ROOT = Path(__file__).parents[1]
NOTHING_SKIPPED = os.environ.get("CI", "").lower() == "true" or os.environ.get("MITA_CI") == "1"


@dataclass(frozen=True)
class TestServers:
    """Where the servers of this run are: an administrator's database URL, and Redis."""

    __test__ = False
    database_url: str
    redis_url: str


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    given = TestServers(os.environ.get("TEST_DATABASE_URL", ""), os.environ.get("TEST_REDIS_URL", ""))
    # Not pytest's own folder: as root that one keeps the servers' account out.
    place = Path(tempfile.mkdtemp(prefix="mita-test-"))
    place.chmod(0o711)
    folder = DataFolder(place / "data")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        folder.create()
        database_url, redis_url = given.database_url, given.redis_url
        if not database_url:
            postgres = embedded_postgres(folder)
            stack.enter_context(running(postgres.program(), folder.logs / "postgres.log"))
            database_url = postgres.url("postgres")
        if not redis_url:
            valkey = embedded_valkey(folder)
            stack.enter_context(running(valkey.program(), folder.logs / "valkey.log"))
            redis_url = valkey.url
        yield TestServers(database_url, redis_url)


@pytest.fixture(scope="session", autouse=True)
def _tidied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What instances in pytest's own folder had to put outside of it (as root) is removed with this run."""
    yield
    for note in OUTSIDE.glob(f"mita-*/{BELONGS_TO}"):
        if Path(note.read_text()).is_relative_to(tmp_path_factory.getbasetemp()):
            shutil.rmtree(note.parent)


@pytest.fixture(scope="session")
def database(servers: TestServers) -> Iterator[str]:
    """The URL of a migrated database that is this run's own."""
    name = f"mita_test_{token_hex(4)}"
    with psycopg.connect(servers.database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = servers.database_url.rpartition("/")[0] + f"/{name}"
        _environment(url, servers.redis_url)
        configure(url)
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
        try:
            yield url
        finally:
            engine().dispose()
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def settings(database: str) -> Settings:
    """The settings of this run: development, with the servers above."""
    return config.settings()


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """A session that is rolled back. A test may commit: whatever is committed is emptied away after it."""
    with sessions()() as session:
        yield session
        session.rollback()


@pytest.fixture
def redis(servers: TestServers) -> "Iterator[Redis]":
    """A client of an empty store."""
    with Redis.from_url(servers.redis_url) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    if "database" not in request.fixturenames:
        yield
        return
    url, born_with = request.getfixturevalue("database"), request.getfixturevalue("_born_with")
    yield
    _empty_tables(url, born_with)


@pytest.fixture(scope="session")
def _born_with(database: str) -> frozenset[str]:
    """The tables that migrations fill; they stay as they are."""
    with psycopg.connect(database) as connection:
        return frozenset(_filled(connection))


def _empty_tables(url: str, keep: frozenset[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        filled = [table for table in _filled(connection) if table not in keep]
        if filled:
            # The ledger's own guards would refuse; and a test that left a transaction open must fail, not hang.
            connection.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
            names = sql.SQL(", ").join(sql.Identifier(table) for table in filled)
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))


def _filled(connection: "psycopg.Connection[tuple[str]]") -> list[str]:
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    if not tables:
        return []
    each = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name))
        for (name,) in tables
    )
    return [row[0] for row in connection.execute(each).fetchall()]


def _environment(database_url: str, redis_url: str) -> None:
    os.environ.update(
        MITA_ENV="development", DEMO="1", DATABASE_URL=database_url, REDIS_URL=redis_url,
        SECRET_KEY="test-secret-key-of-more-than-32-characters", GATEWAY_SECRET="test-gateway-secret",
        AT_API_KEY="test-api-key", MPESA_CONSUMER_KEY="test-consumer-key",
        MPESA_CONSUMER_SECRET="test-consumer-secret", MPESA_PASSKEY="test-passkey", SMS_WINDOW="00:00-24:00",
    )  # fmt: skip
    config.settings.cache_clear()


def _no_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if NOTHING_SKIPPED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and here nothing may be: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _no_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _no_skip(report)
    return report
