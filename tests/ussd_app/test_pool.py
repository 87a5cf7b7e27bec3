"""The USSD pool: the same service by another server, in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlencode

import pytest
from redis import Redis

from core.config import Settings
from tests.ussd_app.town import Household
from ussd_app.embedded.instance import is_ready
from ussd_app.pool import Pool

ROOT = Path(__file__).parents[2]


def test_where_and_how_much_comes_from_the_environment() -> None:
    assert Pool.of({}) == Pool("127.0.0.1", 8003, 2, 4)
    assert Pool.of({"PORT": "5000"}).address == "0.0.0.0"
    assert Pool.of({"PORT": "5000", "BIND": "10.0.0.1:80", "USSD_CONCURRENCY": "4", "USSD_THREADS": "3"}) == Pool(
        "10.0.0.1", 80, 4, 3
    )
    with pytest.raises(ValueError, match="invalid literal"):
        Pool.of({"PORT": "http"})


@pytest.fixture
def pool(settings: Settings, redis: "Redis") -> Iterator[int]:
    """The port of a pool of one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    served = subprocess.Popen(
        [sys.executable, "-c", "from ussd_app.pool import serve; serve()"],
        cwd=ROOT,
        env={**os.environ, "BIND": f"127.0.0.1:{port}", "USSD_CONCURRENCY": "1"},
    )
    try:
        end = monotonic() + 30
        while not is_ready(port):
            assert monotonic() < end
            assert served.poll() is None
            sleep(0.05)
        yield port
    finally:
        served.send_signal(signal.SIGTERM)
        assert served.wait(20) == 0


def test_it_answers_steps_and_all_else(homes: list[Household], pool: int, settings: Settings) -> None:
    with closing(HTTPConnection("127.0.0.1", pool, timeout=10)) as line:
        steps(line, homes[0], settings)


def steps(line: HTTPConnection, home: Household, settings: Settings) -> None:
    form = urlencode(
        {"sessionId": "ATUid_1", "phoneNumber": home.phone, "networkCode": "63902", "serviceCode": "*384*7#",
         "text": ""}
    )  # fmt: skip
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(3):
        line.request("POST", f"/ussd/{settings.gateway_secret}/africastalking", form, kind)
        answer = line.getresponse()
        assert (answer.status, answer.read().splitlines()[1]) == (200, b"Amina Otieno")
    line.request("POST", "/ussd/wrong/africastalking", form, kind)
    answer = line.getresponse()
    assert (answer.status, b"Amina" in answer.read()) == (404, False)
    line.request("POST", f"/ussd/{settings.gateway_secret}/africastalking", "text=1", kind)
    answer = line.getresponse()
    assert (answer.status, answer.read()) == (400, b"Wrong or missing: sessionId, phoneNumber, serviceCode")
