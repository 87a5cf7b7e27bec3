"""The three providers for tests: a simulator each, the utility's callbacks served, and its jobs done in turn."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import requests
from flask import Flask, jsonify
from sqlalchemy import select

from core import config
from core.clock import frozen, now
from core.database import transaction
from core.money import Money
from core.outbox import JOBS, Outbox
from payments.intents import Requested, request_payment
from payments.models import Notice, PaymentIntent
from payments.urls import callback_urls
from payments.wallets import mpesa, registry
from simulators.airtel.app import create_airtel
from simulators.airtel.settings import AirtelSettings
from simulators.daraja.app import create_daraja
from simulators.daraja.settings import DarajaSettings
from simulators.mtn.app import create_mtn
from simulators.mtn.settings import MtnSettings
from simulators.serving import make
from tests.payments.paying import PHONE
from ussd_app.app import create_app

NAMES = ("mpesa", "mtn", "airtel")
PIN, MSISDN = "1234", PHONE.lstrip("+")
QUICK: dict[str, Any] = {"push_delay_s": 0.0, "callback_delay_s": 0.0}
Found = TypeVar("Found")


def eventually(look: Callable[[], Found], within_s: float = 20) -> Found:
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Provider:
    """A simulator as its subscriber and its faults see it, and ours as the utility does."""

    name: str
    url: str

    def see(self, path: str) -> Any:
        return requests.get(f"{self.url}/sim/{path}", timeout=5).json()

    def tell(self, path: str, **said: object) -> None:
        requests.post(f"{self.url}/sim/{path}", json=said, timeout=5).raise_for_status()

    def answers(self, **said: str) -> None:
        """The subscriber answers the prompt on her phone."""
        prompt = eventually(lambda: self.see(f"prompts?phone={MSISDN}")["prompts"])[0]
        self.tell(f"prompts/{prompt['id']}", **said)

    def book(self) -> list[dict[str, Any]]:
        """What was really paid."""
        return list(self.see("book")["payments"])

    def log(self, what: str) -> list[dict[str, Any]]:
        """The exchanges of that name, the oldest first."""
        return [entry for entry in self.see("log")["log"] if entry["what"] == what]


@contextmanager
def served(app: Flask, port: int = 0) -> Iterator[str]:
    """Serve an application on a port of its own, or a free one; its address."""
    server = make(app, "127.0.0.1", port)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def saying(status: int, body: object) -> Iterator[str]:
    """A provider that gives a token and answers everything else with this; its address."""
    app = Flask("provider")

    @app.route("/<path:path>", methods=["GET", "POST"])
    def answer(path: str) -> tuple[Any, int]:
        return (jsonify(access_token="t", expires_in="180"), 200) if "token" in path else (jsonify(body), status)

    with served(app) as url:
        yield url


@contextmanager
def settled_as(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Iterator[None]:
    """This process's settings with these variables changed."""
    caches = (config.settings, registry.wallets, mpesa.daraja)
    with monkeypatch.context() as patched:
        for name, value in variables.items():
            patched.setenv(name, value)
        for cached in caches:
            cached.cache_clear()
        yield
    for cached in caches:
        cached.cache_clear()


@contextmanager
def utility(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Iterator[None]:
    """Our callbacks, served where the settings say; all three wallets are switched on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    on = {
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "MPESA_CONSUMER_KEY": "simulator-key", "MPESA_CONSUMER_SECRET": "simulator-secret",
        "MPESA_PASSKEY": DarajaSettings().passkey,
        "MTN_API_USER": MtnSettings().api_user, "MTN_API_KEY": MtnSettings().api_key,
        "MTN_SUBSCRIPTION_KEY": MtnSettings().subscription_key,
        "AIRTEL_CLIENT_ID": AirtelSettings().client_id, "AIRTEL_CLIENT_SECRET": AirtelSettings().client_secret,
        **variables,
    }  # fmt: skip
    with settled_as(monkeypatch, **on), served(create_app(config.settings()), port):
        yield


@contextmanager
def provider(name: str, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Iterator[Provider]:
    """A simulator, and our settings that point at it. `changes` are the simulator's own settings."""
    urls = callback_urls(config.settings())
    changes = {**QUICK, **changes}
    if name == "mpesa":
        app = create_daraja(DarajaSettings(**changes, repeat_window_s=0))
    elif name == "mtn":
        app = create_mtn(MtnSettings(**changes))
    else:
        app = create_airtel(AirtelSettings(callback_url=urls["airtel"], **changes))
    variable = {"mpesa": "DARAJA_BASE_URL", "mtn": "MTN_BASE_URL", "airtel": "AIRTEL_BASE_URL"}[name]
    with served(app) as url, settled_as(monkeypatch, **{variable: url}):
        yield Provider(name, url)


def asked(connection_id: int, wallet: str, amount: int = 500, key: str = "one") -> PaymentIntent:
    """An attempt that is not sent yet; committed."""
    with transaction() as session:
        requested = request_payment(session, connection_id, Money.of(amount), PHONE, key, wallet)
        assert isinstance(requested, Requested), requested
        return requested.intent


def work(*, ahead_s: int = 0) -> int:
    """Do the payments' jobs that are due, then those that get due while the clock goes on by `ahead_s`, second by
    second; how many there were."""
    began, done = now(), _work()
    for second in range(1, ahead_s + 1):
        with frozen(began + timedelta(seconds=second)):
            done += _work()
    return done


def _work() -> int:
    done = 0
    while True:
        with transaction() as session:
            due = select(Outbox).where(
                Outbox.done_at.is_(None), Outbox.job.like("payments.%"), Outbox.run_after <= now()
            )
            rows = session.scalars(due.order_by(Outbox.id)).all()
            for row in rows:
                row.done_at = now()
            todo = [(row.job, row.subject_id) for row in rows]
        if not todo:
            return done
        for job, subject_id in todo:
            JOBS[job](subject_id)
        done += len(todo)
        if done > 500:
            raise AssertionError("the jobs never come to an end")


def notices(count: int = 1) -> list[int]:
    """The ids of the notices that are here, once there are so many."""

    def here() -> list[int]:
        with transaction() as session:
            found = list(session.scalars(select(Notice.id).order_by(Notice.id)))
        return found if len(found) >= count else []

    return eventually(here)


def outcomes() -> list[str | None]:
    """What became of each notice, the oldest first."""
    with transaction() as session:
        return list(session.scalars(select(Notice.outcome).order_by(Notice.id)))
