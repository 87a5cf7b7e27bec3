"""What Prometheus reads of the service, who may read it, and that it names nobody."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from timeit import timeit
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from redis.exceptions import ConnectionError
from sqlalchemy.orm import Session

from core.config import Settings
from core.outbox import after_commit
from tests.ussd_app.handset import Handset
from tests.ussd_app.town import settle_town
from ussd_app import health, metrics
from ussd_app.app import create_app

LINE = re.compile(r'\A[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.]+\Z')


@pytest.fixture
def client(redis: "Redis", settings: Settings) -> FlaskClient:
    app = Flask("watched")
    app.register_blueprint(health.health)
    return app.test_client()


@pytest.fixture(autouse=True)
def _nothing_counted(redis: "Redis") -> Iterator[None]:
    metrics._counts.clear()
    yield
    metrics._counts.clear()


def scrape(client: FlaskClient) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert all(LINE.match(line) for line in lines), lines
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_turns_requests_and_work_are_counted(client: FlaskClient, session: Session) -> None:
    metrics.turn("first", "ussd", "choose:read|pay", 0.003)
    metrics.turn("next", "ussd", "end", 0.030)
    metrics.turn("next", "ussd", "end", 60)
    metrics.turn("repeat", "ussd", "", 0.001)
    client.get("/healthz")
    after_commit(session, "messages.send", 1)
    session.commit()
    found = scrape(client)
    assert found['mita_turns_total{channel="ussd",kind="next"}'] == 2
    assert found['mita_screens_total{channel="ussd",screen="end"}'] == 2
    bucket = 'mita_turn_seconds_bucket{channel="ussd",le="%s"}'
    assert [found[bucket % le] for le in ("0.005", "0.05", "+Inf")] == [2, 3, 4]
    assert found['mita_turn_seconds_count{channel="ussd"}'] == 4
    assert found['mita_turn_seconds_sum{channel="ussd"}'] == pytest.approx(60.034)
    assert found['mita_http_requests_total{method="GET",rule="/healthz",status="200"}'] == 1
    assert (found["mita_outbox_waiting"], found["mita_outbox_due"]) == (1, 1)
    assert 0 <= found["mita_outbox_oldest_seconds"] < 60
    assert found['mita_part_up{part="postgres"}'] == 1


def test_all_processes_add_to_the_same_sums(client: FlaskClient, redis: "Redis") -> None:
    metrics.turn("next", "ussd", "end", 0.001)
    child = os.fork()
    if child == 0:  # a process of its own: what its parent has counted is not its own
        metrics.turn("next", "ussd", "end", 0.001)
        metrics.flush(redis)
        os._exit(0)
    os.waitpid(child, 0)
    assert scrape(client)['mita_turns_total{channel="ussd",kind="next"}'] == 2


ENDS = "sys.exit(0)"
DIES = "time.sleep(1); os._exit(1)"
FORKS = f"os.fork() and (os.wait(), os._exit(0)); metrics.turn('next', 'ussd', 'end', 0.001); {DIES}"


@pytest.mark.parametrize("way", [ENDS, DIES, FORKS])
def test_a_process_adds_what_it_counted_by_itself(redis: "Redis", settings: Settings, way: str) -> None:
    """At its end, every few seconds, and a process that a server forked from it does so too."""
    script = (
        "import os, sys, time; from ussd_app import metrics; metrics.EVERY_S = 0.2; metrics.start(); metrics.start();"
        f"{'' if way == FORKS else 'metrics.turn(chr(110), chr(117), chr(101), 0.001);'} {way}"
    )
    subprocess.run([sys.executable, "-c", script], timeout=30, env=os.environ, cwd=Path(__file__).parents[2])
    counted = metrics.sums(redis)
    assert sum(count for series, count in counted.items() if series.startswith("mita_turns_total")) == 1


def test_what_could_not_be_added_is_added_later(redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_kwargs: object) -> NoReturn:
        raise ConnectionError("away")

    metrics.turn("next", "ussd", "end", 0.001)
    with monkeypatch.context() as broken:
        broken.setattr(redis, "pipeline", away)
        metrics.flush(redis)
    metrics.turn("next", "ussd", "end", 0.001)
    assert metrics.sums(redis)['mita_turns_total{channel="ussd",kind="next"}'] == 2


def test_without_redis_the_rest_is_still_told(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "quick", lambda: Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.1))
    found = scrape(client)
    assert found['mita_part_up{part="redis"}'] == 0
    assert found["mita_outbox_waiting"] == 0


def test_a_real_conversation_leaves_no_trace_of_who_it_was(
    redis: "Redis", session: Session, settings: Settings
) -> None:
    [home], client = settle_town(session, 1), create_app(settings).test_client()
    caller = Handset(client, home.phone, settings.gateway_secret)
    caller.dial()
    caller.say("3")
    metrics.turn("next", "ussd", f"choose:{home.account_no}|1000999", 0.001)
    metrics.turn("next", "ussd", "ask:pin\n1234", 0.001)
    client.get(f"/office/customers/{home.phone}")
    client.get(f"/no/{home.phone}/{settings.gateway_secret}")
    text = client.get("/metrics").text
    for secret in (home.phone, home.phone.removeprefix("+254"), home.account_no, caller.session_id, "1000999", "1234",
                   settings.gateway_secret):  # fmt: skip
        assert secret not in text
    assert 'rule="/ussd/<secret>/africastalking"' in text
    assert 'screen="other"' in text


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "::1", 200),
        ("", {}, "10.0.0.7", 404),
        ("", {}, "", 404),
        ("", {"X-Forwarded-For": "8.8.8.8"}, "127.0.0.1", 404),
        ("a-long-token", {}, "127.0.0.1", 401),
        ("a-long-token", {"Authorization": "Bearer a-long-tokem"}, "127.0.0.1", 401),
        ("a-long-token", {"Authorization": "Bearer ünlike"}, "127.0.0.1", 401),
        ("a-long-token", {"Authorization": "Bearer a-long-token"}, "10.0.0.7", 200),
    ],
)
def test_who_may_watch(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    token: str, headers: dict[str, str], address: str, status: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(health, "settings", lambda: replace(settings, metrics_token=token))
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert ("mita_" in answer.text) == (status == 200)


def test_counting_costs_next_to_nothing() -> None:
    rounds = 20_000
    spent = min(timeit(lambda: metrics.turn("next", "ussd", "ask:amount", 0.004), number=rounds) for _ in range(3))
    assert spent / rounds < 15e-6, "an addition in memory, and no more"
