"""A whole running house: `./mita up` in a folder of its own, spoken to from outside only."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
import requests
from redis import Redis

from core.config import Settings, variable
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.instance import Instance
from ussd_app.embedded.servers import known

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


class House:
    """One instance with its data folder, web address, callback URLs and processes."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.web = f"http://127.0.0.1:{port}"
        self.network = f"http://127.0.0.1:{port + 1}"
        self.daraja = f"http://127.0.0.1:{port + 2}"
        self.log = data.with_suffix(".log")

    def cli(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "ussd_app.cli", *words, "--data", str(self.data)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=clean_environment())

    def json(self, *words: str) -> Any:
        done = self.cli(*words, "--json")
        assert done.stdout.strip(), done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    def pid(self, name: str) -> int | None:
        """The process of that name, None while the supervisor is starting another."""
        processes = json.loads((self.data / "processes.json").read_text())
        return int(processes[name]["pid"]) if name in processes else None

    def kill(self, name: str) -> None:
        """kill -9 of one process by its name; returns when the supervisor has another in its place."""
        before = eventually(lambda: self.pid(name), 30, f"{name} runs")
        os.kill(before, signal.SIGKILL)
        eventually(lambda: self.pid(name) not in (None, before), 30, f"{name} is started again")

    def faults(self, **changes: object) -> None:
        """Set what goes wrong at M-Pesa."""
        answer = requests.post(f"{self.daraja}/sim/faults", json=changes, timeout=5)
        assert answer.ok, answer.text

    def seeded(self) -> list[dict[str, Any]]:
        """The demo's customers, with what each owes in whole units."""
        answer = requests.get(f"{self.network}/api/customers", timeout=10).json()["customers"]
        for row in answer:
            row["owes"] = float(row["balance"].removeprefix("KES ").replace(",", ""))
        rows: list[dict[str, Any]] = answer
        return rows

    def database(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.environment()["DATABASE_URL"], autocommit=True)

    def environment(self) -> dict[str, str]:
        """What the supervisor gives its processes."""
        folder = DataFolder(self.data)
        return Instance(folder, known(folder, {}), self.port, {}).settings()

    def unlinked_account(self) -> str:
        """A connection that nobody has registered yet."""
        with self.database() as database:
            row = database.execute(
                "SELECT account_no FROM connection WHERE status = 'active' AND (customer_id IS NULL OR NOT EXISTS "
                "(SELECT FROM customer_phone p WHERE p.customer_id = connection.customer_id)) ORDER BY id LIMIT 1"
            ).fetchone()
        assert row, "the demo has no connection without a phone"
        return str(row[0])

    def password(self) -> str:
        """The administrator's, as `up` showed it once."""
        found = re.search(r"user admin, password (\S+)", self.log.read_text())
        assert found, "up printed no password"
        return found[1]

    def connection_id(self, account_no: str) -> int:
        with self.database() as database:
            row = database.execute("SELECT id FROM connection WHERE account_no = %s", (account_no,)).fetchone()
        assert row
        return int(row[0])

    def last_value(self, account_no: str) -> int:
        with self.database() as database:
            row = database.execute(
                "SELECT value FROM reading WHERE connection_id = %s ORDER BY taken_on DESC, id DESC LIMIT 1",
                (self.connection_id(account_no),),
            ).fetchone()
        return int(row[0]) if row else 0

    def readings_of(self, phone: str, value: int) -> int:
        with self.database() as database:
            row = database.execute(
                "SELECT count(*) FROM reading JOIN connection c ON c.id = reading.connection_id "
                "JOIN customer_phone p ON p.customer_id = c.customer_id WHERE p.phone = %s AND value = %s",
                (phone, value),
            ).fetchone()
        return int(row[0]) if row else 0

    def empty_valkey(self) -> None:
        with Redis.from_url(self.environment()["REDIS_URL"]) as redis:
            for key in redis.scan_iter("mita:*"):
                redis.delete(key)

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.web}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of the product: other tests have put some there."""
    taken = {variable(field.name) for field in fields(Settings)} | {"PORT", "BIND"}
    return {name: value for name, value in os.environ.items() if name not in taken}


def eventually(ask: Callable[[], T], seconds: float, what: str) -> T:
    """The first true answer of `ask`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return answer


def free_ports() -> int:
    """The first of six free ports in a row."""
    for base in range(20000, 40000, 10):
        try:
            for port in range(base, base + 6):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    place = Path(tempfile.mkdtemp(prefix="mita-house-"))
    place.chmod(0o711)  # as root, the servers' own account must get through
    house = House(place / "data", free_ports())
    with house.log.open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "ussd_app.cli", "up", "--port", str(house.port), "--data", str(house.data)],
            cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=clean_environment(),
        )  # fmt: skip
        try:
            eventually(lambda: house.ready() or up.poll() is not None, 90, "the house is up")
            assert up.poll() is None, house.log.read_text()[-4000:]
            yield house
        finally:
            up.send_signal(signal.SIGINT)
            assert up.wait(30) == 0, house.log.read_text()[-4000:]
            shutil.rmtree(place, ignore_errors=True)
