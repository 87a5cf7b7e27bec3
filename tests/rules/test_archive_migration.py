"""The migration of the archive on a database that holds conversations already."""

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
    """A database of its own, at the revision before, with one conversation of three turns."""
    name, config = f"mita_test_{token_hex(4)}", Config(ROOT / "alembic.ini")
    url = servers.database_url.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(servers.database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            configure(url)
            command.upgrade(config, "0007_messages")
            with psycopg.connect(url) as connection:
                connection.execute(
                    "INSERT INTO conversation (channel, provider, session_id, phone, service_code, network, language,"
                    " started_at, ended_at, outcome, hops) VALUES ('ussd', 'at', 's1', '+254700000001', '*384*7#', '',"
                    " 'sw', '2026-11-01T10:00Z', '2026-11-01T10:01Z', 'failed', 3)"
                )
                for place, (screen, second) in enumerate([("ask:a", 0), ("ask:a", 7), ("end", 20)]):
                    connection.execute(
                        "INSERT INTO conversation_hop VALUES (1, %s, '1', 'CON x', %s, %s, 5)",
                        (place, screen, f"2026-11-01T10:00:{second:02}.5Z"),
                    )
            yield url, config
        finally:
            configure(database)
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_conversations_that_are_kept_already_are_looked_back_on(filled: tuple[str, Config]) -> None:
    url, config = filled
    for _ in range(2):
        command.upgrade(config, "0008_archive")
        with psycopg.connect(url) as connection:
            [talk] = connection.execute("SELECT outcome, flow, last_screen, gateway_cost FROM conversation").fetchall()
            hops = connection.execute("SELECT first, waited_s FROM conversation_hop ORDER BY position").fetchall()
        assert talk == ("failed", "", "end", None)
        assert hops == [(True, 7), (False, 13), (True, None)]
        command.downgrade(config, "0007_messages")
