"""Push, PIN, callback and credit over the wire, with a Daraja in its own process."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from sqlalchemy import select
from werkzeug.serving import make_server

from billing.ledger import balance_of
from billing.models import Connection
from core.config import Settings
from core.database import transaction
from core.money import Money
from payments import intents, jobs, pulling
from payments.daraja import Daraja
from payments.intents import Requested, request_payment
from payments.models import Notice, PaymentIntent
from payments.settlement import settle
from payments.wallets import mpesa
from payments.wallets.protocol import Accepted, Paid, Processing, Refused
from tests.payments.paying import PHONE, broken, house, receipts, state_of, texts
from ussd_app.app import create_app

MSISDN, PIN = PHONE.lstrip("+"), "1234"
Found = TypeVar("Found")


def eventually(look: Callable[[], Found], within_s: float = 20) -> Found:
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Subscriber:
    """The customer's side of the simulator."""

    url: str

    def awake(self) -> bool:
        try:
            return requests.get(f"{self.url}/sim/faults", timeout=2).ok
        except requests.ConnectionError:
            return False

    def answers(self, **said: str) -> None:
        prompt = eventually(lambda: self._sees(f"prompts?phone={MSISDN}")["prompts"])[0]
        self.tells(f"prompts/{prompt['id']}", **said)

    def tells(self, path: str, **said: object) -> None:
        requests.post(f"{self.url}/sim/{path}", json=said, timeout=5).raise_for_status()

    def _sees(self, path: str) -> Any:
        return requests.get(f"{self.url}/sim/{path}", timeout=5).json()


@pytest.fixture
def utility(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Our own callbacks, served; the settings name where."""
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ours = replace(settings, public_base_url=f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(intents, "settings", lambda: ours)
    yield ours
    server.shutdown()
    server.server_close()


@pytest.fixture
def subscriber(utility: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subscriber]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = utility.gateway_secret
    environment = {
        **os.environ, "SIM_HOST": "127.0.0.1", "SIM_PORT": str(port), "SIM_PUSH_DELAY_S": "0",
        "SIM_CALLBACK_DELAY_S": "0", "SIM_CONSUMER_KEY": utility.mpesa_consumer_key,
        "SIM_CONSUMER_SECRET": utility.mpesa_consumer_secret, "SIM_PASSKEY": utility.mpesa_passkey,
        "SIM_SHORTCODE": utility.mpesa_shortcode,
        "SIM_CONFIRMATION_URL": f"{utility.public_base_url}/callbacks/{secret}/paybill/confirmation",
    }  # fmt: skip
    command = [sys.executable, "-m", "simulators.daraja"]
    process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)
    try:
        subscriber = Subscriber(f"http://127.0.0.1:{port}")
        eventually(subscriber.awake)
        client = client_of(utility, subscriber)
        monkeypatch.setattr(mpesa, "daraja", lambda: client)
        yield subscriber
    finally:
        process.terminate()
        process.wait(10)


def client_of(utility: Settings, subscriber: Subscriber, *, secret: str = "") -> Daraja:
    secret = secret or utility.mpesa_consumer_secret
    return Daraja(subscriber.url, utility.mpesa_consumer_key, secret, utility.mpesa_shortcode, utility.mpesa_passkey)


def pushed(home: Connection) -> PaymentIntent:
    with transaction() as session:
        asked = request_payment(session, home.id, Money.of(500), PHONE, "one")
        assert isinstance(asked, Requested)
    jobs.push(asked.intent.id)
    assert state_of(asked.intent) == "sent"
    return asked.intent


def settled(count: int) -> list[str | None]:
    """What became of the next `count` notices, once they are here."""

    def here() -> list[int]:
        with transaction() as session:
            found = list(session.scalars(select(Notice.id).order_by(Notice.id)))
        return found if len(found) >= count else []

    for notice_id in eventually(here):
        settle(notice_id)
    with transaction() as session:
        assert not broken(session)
        return list(session.scalars(select(Notice.outcome).order_by(Notice.id)))


def test_a_pin_becomes_one_credit_by_every_road(subscriber: Subscriber) -> None:
    home = house()
    subscriber.tells("faults", callback_copies=3, confirm_pushes=True)
    intent = pushed(home)
    subscriber.answers(pin=PIN)
    outcomes = settled(6)  # three of the push's callback, three of its twin
    assert (outcomes.count("applied"), outcomes.count("duplicate")) == (1, 5)
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
        assert receipts(session) == 1
        assert len(texts(session, "receipt")) == 1


@pytest.mark.parametrize(("said", "words"), [({"action": "cancel"}, "cancelled"), ({"pin": "0000"}, "PIN was wrong")])
def test_no_pin_no_credit(subscriber: Subscriber, said: dict[str, str], words: str) -> None:
    home = house()
    intent = pushed(home)
    subscriber.answers(**said)
    assert settled(1) == ["applied"]
    assert state_of(intent) == "failed"
    with transaction() as session:
        (told,) = texts(session, "notice")
        assert balance_of(session, home.id) == Money.zero()
    assert words in told


def test_a_silent_push_is_found_by_asking(subscriber: Subscriber) -> None:
    home = house()
    subscriber.tells("faults", callback_copies=0)
    intent = pushed(home)
    jobs.query(intent.id)
    assert state_of(intent) == "sent"
    subscriber.answers(pin=PIN)

    def known() -> bool:
        jobs.query(intent.id)
        return state_of(intent) == "confirmed"

    eventually(known)
    with transaction() as session:
        assert balance_of(session, home.id) == Money.zero()
    with transaction() as session:
        run = pulling.begin(session, "quick", intent.created_at)
    pulling.read_list(run.id)
    assert settled(1) == ["applied"]
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)


@pytest.mark.parametrize("shape", ["500", "4999", "400"])
def test_the_client_alone(subscriber: Subscriber, utility: Settings, shape: str) -> None:
    client = client_of(utility, subscriber)
    subscriber.tells("faults", pending_shape=shape)
    subscriber.tells("tokens/revoke")
    callback = f"{utility.public_base_url}/callbacks/{utility.gateway_secret}/stk/abc"
    taken = client.stk_push(PHONE, 40, "1000017", callback)
    assert isinstance(taken, Accepted)
    subscriber.tells("tokens/revoke")
    assert isinstance(client.stk_query(taken.checkout_request_id), Processing)
    subscriber.answers(pin=PIN)
    eventually(lambda: isinstance(client.stk_query(taken.checkout_request_id), Paid))
    assert isinstance(client_of(utility, subscriber, secret="wrong").stk_push(PHONE, 40, "1", callback), Refused)
