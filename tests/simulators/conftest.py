"""Simulators and a small service on free ports, spoken to over real HTTP."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests
from flask import Flask, Response, request

from simulators.daraja.app import create_daraja
from simulators.daraja.settings import DarajaSettings
from simulators.phone_network.app import create_phone_network
from simulators.phone_network.settings import NetworkSettings
from simulators.serving import make

PHONE = "254700000001"


@dataclass
class Heard:
    """A request that reached the service."""

    path: str
    form: dict[str, str]
    json: dict[str, object] | None
    headers: dict[str, str]


@dataclass
class Service:
    """The utility's side: keeps what it hears, and answers as the test says."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)

    def at(self, path: str) -> list[Heard]:
        return [h for h in self.heard if h.path == path]

    def wait_for(self, path: str, count: int = 1) -> list[Heard]:
        eventually(lambda: len(self.at(path)) >= count)
        return self.at(path)


def eventually(true: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def start() -> Iterator[Callable[[Flask], str]]:
    """Serve an application until the test ends; gives its address."""
    servers = []

    def begin(app: Flask) -> str:
        server = make(app, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def service(start: Callable[[Flask], str]) -> Service:
    service, app = Service(), Flask("service")

    @app.route("/<path:path>", methods=["GET", "POST"])
    def hear(path: str) -> Response:
        heard = Heard(f"/{path}", request.form.to_dict(), request.get_json(silent=True), dict(request.headers))
        service.heard.append(heard)
        return service.answers.get(heard.path, lambda: Response("ok"))()

    service.url = start(app)
    return service


@dataclass
class Daraja:
    """The utility's view of Daraja, and the subscriber's."""

    url: str
    service: Service
    settings: DarajaSettings
    token: str = ""

    def login(self) -> None:
        keys = (self.settings.consumer_key, self.settings.consumer_secret)
        grant = {"grant_type": "client_credentials"}
        answer = requests.get(f"{self.url}/oauth/v1/generate", params=grant, auth=keys, timeout=5)
        self.token = answer.json()["access_token"]

    def signed(self, **fields: object) -> dict[str, object]:
        stamp = f"{datetime.now(ZoneInfo('Africa/Nairobi')):%Y%m%d%H%M%S}"
        secret = f"{self.settings.shortcode}{self.settings.passkey}{stamp}"
        return {
            "BusinessShortCode": self.settings.shortcode,
            "Password": base64.b64encode(secret.encode()).decode(),
            "Timestamp": stamp,
            **fields,
        }

    def push_body(self, **changes: object) -> dict[str, object]:
        return self.signed(
            **{
                "TransactionType": "CustomerPayBillOnline",
                "Amount": "500",
                "PartyA": PHONE,
                "PartyB": self.settings.shortcode,
                "PhoneNumber": PHONE,
                "CallBackURL": f"{self.service.url}/stk/token1",
                "AccountReference": "1000017",
                "TransactionDesc": "Water",
                **changes,
            }
        )

    def send(self, path: str, body: dict[str, object]) -> requests.Response:
        if not self.token:
            self.login()
        bearer = {"Authorization": f"Bearer {self.token}"}
        return requests.post(f"{self.url}{path}", json=body, headers=bearer, timeout=10)

    def push(self, **changes: object) -> requests.Response:
        return self.send("/mpesa/stkpush/v1/processrequest", self.push_body(**changes))

    def query(self, checkout_id: str) -> requests.Response:
        return self.send("/mpesa/stkpushquery/v1/query", self.signed(CheckoutRequestID=checkout_id))

    def sim(self, path: str, **said: object) -> requests.Response:
        return requests.post(f"{self.url}/sim/{path}", json=said, timeout=10)

    def see(self, path: str, **params: object) -> dict:
        return requests.get(f"{self.url}/sim/{path}", params=params, timeout=5).json()

    def prompt(self, phone: str = PHONE) -> dict:
        """The prompt on the phone's screen, as soon as it shows."""
        eventually(lambda: self.see("prompts", phone=phone)["prompts"])
        return self.see("prompts", phone=phone)["prompts"][0]

    def callback(self, path: str = "/stk/token1", count: int = 1) -> dict:
        return self.service.wait_for(path, count)[count - 1].json["Body"]["stkCallback"]


@pytest.fixture
def make_daraja(start: Callable[[Flask], str], service: Service) -> Callable[..., Daraja]:
    """A Daraja without the waits that make it lifelike; keyword arguments change its settings."""

    def build(**changes: object) -> Daraja:
        quick = {"push_delay_s": 0.0, "callback_delay_s": 0.0, **changes}
        settings = DarajaSettings(**quick)
        return Daraja(start(create_daraja(settings)), service, settings)

    return build


@pytest.fixture
def daraja(make_daraja: Callable[..., Daraja]) -> Daraja:
    return make_daraja()


@pytest.fixture
def network(start: Callable[[Flask], str], service: Service, daraja: Daraja) -> str:
    """The address of a phone network whose service is `service`."""
    return start(create_phone_network(network_settings(service, daraja.url)))


@pytest.fixture
def demo_network(start: Callable[[Flask], str], service: Service, daraja: Daraja) -> str:
    """A phone network that also sees the service's books."""
    return start(create_phone_network(network_settings(service, daraja.url, demo_url=f"{service.url}/demo")))


@pytest.fixture
def lonely_network(start: Callable[[Flask], str], service: Service) -> str:
    """A phone network whose Daraja is gone."""
    return start(create_phone_network(network_settings(service, "http://127.0.0.1:9")))


def network_settings(service: Service, daraja_url: str, **changes: object) -> NetworkSettings:
    urls = {
        "ussd_url": f"{service.url}/ussd",
        "ussd_events_url": f"{service.url}/events",
        "sms_inbound_url": f"{service.url}/inbound",
        "sms_delivery_url": f"{service.url}/delivery",
        "daraja_url": daraja_url,
    }
    quick = {"report_delay_s": 0.05, "retry_after_s": 0.05, "answer_within_s": 1.0}
    return NetworkSettings(**{**urls, **quick, **changes})
