"""The supervisor with real servers and real signals: what dies comes back with its data, nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from ussd_app.embedded import processes
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.servers import known

ROOT = Path(__file__).parents[2]

# Stands in for `mita up` with the servers alone, and a child that leaves a grandchild in its wake.
HOUSE = """
import os, sys
from pathlib import Path
from ussd_app.embedded.console import Console
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.program import Program
from ussd_app.embedded.servers import choose
from ussd_app.embedded.supervisor import Supervisor, end_leftovers

folder = DataFolder(Path(sys.argv[1]))
folder.create()
with folder.locked():
    end_leftovers(folder, print)
    supervisor = Supervisor(folder, Console())
    supervisor.listen()
    servers = choose(folder, {})
    supervisor.start(servers.postgres.program(), servers.valkey.program())
    supervisor.wait_ready(["postgres", "valkey"], 60)
    nest = Program("nest", ["sh", "-c", "sleep 1000 & exec sleep 2000"], dict(os.environ), folder.path)
    supervisor.start(nest)
    print("ready", flush=True)
    try:
        supervisor.run()
    finally:
        supervisor.stop(["nest"], ["valkey"], ["postgres"])
"""


def eventually(ask: Callable[[], Any], seconds: float = 30) -> Any:
    limit = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < limit, "not in time"
        time.sleep(0.05)
    return answer


class House:
    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.process = self.start()

    def start(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", HOUSE, str(self.folder.path)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        while (line := process.stdout.readline()) != "ready\n":
            assert line, "it ended before it was ready"
        self.process = process
        return process

    def pids(self) -> dict[str, int]:
        return {name: found["pid"] for name, found in self.folder.processes().items()}

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(60)
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def sql(self, statement: str) -> list[Any]:
        with psycopg.connect(known(self.folder, {}).database_url, connect_timeout=3, autocommit=True) as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    def answers(self) -> bool:
        try:
            self.sql("SELECT 1")
            with Redis.from_url(known(self.folder, {}).redis_url) as client:
                return bool(client.ping())
        except (psycopg.OperationalError, RedisError):
            return False


@pytest.fixture
def house(short_folder: Path) -> Iterator[House]:
    house = House(DataFolder(short_folder / "data"))
    yield house
    if house.process.poll() is None:
        house.end()


def living(pids: dict[str, int]) -> list[str]:
    return [name for name, pid in pids.items() if processes.alive(pid)]


def test_what_is_killed_comes_back_with_its_data(house: House) -> None:
    house.sql("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    with Redis.from_url(known(house.folder, {}).redis_url) as client:
        client.set("kept", "yes")
    time.sleep(1.2)  # Valkey writes its log down once a second
    before = house.pids()
    for name in ("postgres", "valkey"):
        os.kill(before[name], signal.SIGKILL)
    eventually(lambda: not set(before.values()) & {house.pids().get("postgres"), house.pids().get("valkey")})
    eventually(house.answers)
    assert house.sql("SELECT count(*) FROM kept") == [(1000,)]
    with Redis.from_url(known(house.folder, {}).redis_url) as client:
        assert client.get("kept") == b"yes"
    assert house.folder.processes()["postgres"]["restarts"] >= 1


def test_the_end_is_clean_and_exits_zero(house: House) -> None:
    pids = house.pids()
    assert set(living(pids)) == {"supervisor", "postgres", "valkey", "nest"}
    assert house.end(signal.SIGINT) == 0
    assert living(pids) == []
    assert house.pids() == {}
    assert "database system is shut down" in (house.folder.logs / "postgres.log").read_text()


def test_a_child_killed_leaves_no_grandchild(house: House) -> None:
    nest = house.pids()["nest"]
    inside = eventually(lambda: processes.children(nest))
    os.kill(nest, signal.SIGKILL)
    eventually(lambda: house.pids().get("nest") not in (None, nest))
    assert not processes.alive(inside[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_killed_supervisor_takes_its_children_along_and_the_next_start_is_well(house: House) -> None:
    house.sql("CREATE TABLE kept AS SELECT 1 AS n")
    pids = house.pids()
    house.end(signal.SIGKILL)
    eventually(lambda: living({name: pid for name, pid in pids.items() if name != "nest"}) == [])
    assert pids == house.pids()  # nobody could tidy up
    house.start()
    assert house.sql("SELECT n FROM kept") == [(1,)]
    assert not processes.alive(pids["nest"])


def test_a_zombies_lock_does_not_keep_postgres_from_starting(house: House) -> None:
    house.end()
    zombie = subprocess.Popen(["true"])
    eventually(lambda: processes.state(zombie.pid) == "Z")
    cluster = known_cluster(house.folder)
    (cluster / "postmaster.pid").write_text(f"{zombie.pid}\n{cluster}\n0\n{1}\n\n127.0.0.1\n")
    house.start()
    assert house.answers()
    zombie.wait()


def test_a_taken_port_is_given_up_for_another(house: House) -> None:
    house.end()
    port = house.folder.remembered()["postgres_port"]
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"]
    )
    try:
        from ussd_app.embedded.folder import is_free

        eventually(lambda: not is_free(port))
        house.start()
        assert house.answers()
        assert house.folder.remembered()["postgres_port"] != port
    finally:
        holder.kill()
        holder.wait()


def test_the_folder_is_for_one_at_a_time(house: House) -> None:
    assert house.folder.running()
    second = subprocess.run(
        [sys.executable, "-c", HOUSE, str(house.folder.path)], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert second.returncode != 0
    assert "already runs" in second.stderr
    assert house.answers()


def test_secrets_are_their_owners_alone(house: House) -> None:
    for name in ("secrets.json", "instance.json", "processes.json"):
        assert (house.folder.path / name).stat().st_mode & 0o077 == 0
    secrets = json.loads((house.folder.path / "secrets.json").read_text())
    for log in house.folder.logs.iterdir():
        assert not any(secret in log.read_text() for secret in secrets.values())


def known_cluster(folder: DataFolder) -> Path:
    return Path(folder.remembered()["servers"]) / "postgres"
