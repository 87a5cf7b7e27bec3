"""What the tests of payments share."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from core.config import Settings
from payments import intents
from payments.daraja import Daraja
from payments.wallets import mpesa
from tests.payments.answering import Server
from tests.payments.subscribing import Subscriber, client_of, eventually
from ussd_app.app import create_app


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A Daraja that answers as the test says, and is the one that our client talks to."""
    server = Server()
    client = Daraja(server.url, "key", "secret", "600100", "passkey")
    monkeypatch.setattr(mpesa, "daraja", lambda: client)
    yield server
    server.close()


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
