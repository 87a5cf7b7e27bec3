"""The migration of the officers on a database that has some already, there and back."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg import sql

from core.database import configure
from tests.conftest import TestServers

ROOT = Path(__file__).parents[2]


@pytest.fixture
def filled(servers: TestServers, database: str) -> Iterator[tuple[str, Config]]:
    """A database of its own, at the revision before, with an officer of each role of then, one of them logged in."""
    name, config = f"mita_test_{token_hex(4)}", Config(ROOT / "alembic.ini")
    url = servers.database_url.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(servers.database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            configure(url)
            command.upgrade(config, "0010_bills")
            with psycopg.connect(url) as connection:
                for role in ("administrator", "clerk", "read-only"):
                    connection.execute(
                        "INSERT INTO office_user (username, password_hash, role, active, created_at, created_by)"
                        " VALUES (%s, 'x', %s, true, now(), 'test')",
                        (f"one-{role}", role),
                    )
                connection.execute("INSERT INTO office_session VALUES ('digest', 1, now(), now(), '10.0.0.7')")
            yield url, config
        finally:
            configure(database)
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_clerks_do_billing_and_logins_go_on(filled: tuple[str, Config]) -> None:
    url, config = filled
    for _ in range(2):
        command.upgrade(config, "0015_officers")
        with psycopg.connect(url) as connection:
            roles = connection.execute("SELECT role FROM office_user ORDER BY id").fetchall()
            logins = connection.execute("SELECT id, browser FROM office_session").fetchall()
            connection.execute("UPDATE office_user SET active = false WHERE id = 2")
            kept = connection.execute("SELECT thing, key, before, after FROM audit_entry").fetchall()
            connection.rollback()
        assert [role for (role,) in roles] == ["administrator", "billing", "auditor"]
        assert logins == [(1, "")]
        assert kept == [("office_user", "2", {"active": True}, {"active": False})]
        command.downgrade(config, "0010_bills")
        with psycopg.connect(url) as connection:
            roles = connection.execute("SELECT role FROM office_user ORDER BY id").fetchall()
        assert [role for (role,) in roles] == ["administrator", "clerk", "read-only"]
