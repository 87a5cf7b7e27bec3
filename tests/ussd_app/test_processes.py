"""The processes themselves: a worker that is killed in the middle, the relay and the worker side by side."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest
from redis import Redis
from sqlalchemy import update

from core.clock import now
from core.database import transaction
from core.messages import Message, queue_message
from core.outbox import Outbox
from core.phone import Phone
from tests.ussd_app.fake_gateway import FakeGateway, serving
from ussd_app import relay

ROOT = Path(__file__).parents[2]
PHONE = Phone("+254700000001")

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with serving() as told:
        yield told


@pytest.fixture
def start_worker(database: str, redis: "Redis", fake: FakeGateway) -> Iterator[Start]:
    """Start a worker process that sends to the fake gateway; all of them are ended after the test."""
    with ExitStack() as stack:

        def start() -> "subprocess.Popen[bytes]":
            worker = subprocess.Popen(
                [sys.executable, "-c", "from ussd_app.worker import run_forever; run_forever()"],
                cwd=ROOT,
                env={**os.environ, "AT_BASE_URL": f"http://127.0.0.1:{fake.port}/version1"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(worker.wait, 20)
            stack.callback(worker.kill)
            return worker

        yield start


def queued() -> int:
    with transaction() as session:
        message = queue_message(session, PHONE, "You owe KES 1,250", "bill")
        assert message
        return message.id


def status(message_id: int) -> str:
    with transaction() as session:
        return session.get_one(Message, message_id).status


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, "it took too long"
        sleep(0.02)


def test_a_message_goes_from_the_outbox_to_the_gateway(start_worker: Start, fake: FakeGateway) -> None:
    start_worker()
    first = queued()
    relay.hand_over()
    until(lambda: status(first) == "sent")
    second = queued()
    began = monotonic()
    relay.hand_over()
    until(lambda: status(second) == "sent")
    assert monotonic() - began < 2, "a worker that is up works at once"
    assert len(fake.asked) == 2


def test_a_worker_killed_while_sending_sends_nothing_twice(start_worker: Start, fake: FakeGateway) -> None:
    fake.hold = Event()
    worker = start_worker()
    message_id = queued()
    relay.hand_over()
    until(lambda: bool(fake.asked))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    fake.hold.set()
    assert status(message_id) == "sending"
    with transaction() as session:
        session.execute(update(Outbox).values(handed_at=now() - relay.LEASE - timedelta(seconds=1)))
    start_worker()
    assert relay.hand_over() == 1
    until(lambda: status(message_id) == "unknown")
    assert len(fake.asked) == 1


def test_a_worker_asked_to_stop_finishes_its_job(start_worker: Start, fake: FakeGateway) -> None:
    fake.hold = Event()
    worker = start_worker()
    message_id = queued()
    relay.hand_over()
    until(lambda: bool(fake.asked))
    worker.terminate()
    sleep(0.2)
    fake.hold.set()
    assert worker.wait(20) == 0
    assert status(message_id) == "sent"
