"""`mita mpesa register`: told once, run as often as one likes, and refused in words."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

import core.config
from core.config import Settings
from payments.urls import callback_urls, objection
from payments.wallets import mpesa as wallet
from simulators.daraja.app import create_daraja
from simulators.daraja.settings import DarajaSettings
from ussd_app.cli.mpesa import mpesa

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The command against a simulated Daraja; keyword arguments change the settings."""
    simulated = DarajaSettings(
        consumer_key=settings.mpesa_consumer_key, consumer_secret=settings.mpesa_consumer_secret,
        shortcode=settings.mpesa_shortcode,
    )  # fmt: skip
    server = make_server("127.0.0.1", 0, create_daraja(simulated), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("ussd_app.cli.mpesa.use_instance", lambda _data: None)

    def invoke(*words: str, **changes: str) -> Result:
        ours = replace(settings, daraja_base_url=f"http://127.0.0.1:{server.server_port}", **changes)  # type: ignore[arg-type]
        monkeypatch.setattr(core.config, "settings", lambda: ours)
        monkeypatch.setattr(wallet, "settings", lambda: ours)
        wallet.daraja.cache_clear()
        return CliRunner().invoke(mpesa, list(words))

    yield invoke
    wallet.daraja.cache_clear()
    server.shutdown()
    server.server_close()


def test_it_may_be_run_again(run: Run) -> None:
    said = [json.loads(run("register", "--json", mpesa_pull_number="254700000000").stdout) for _ in range(2)]
    assert said[0] == {"urls": "registered", "pull": "registered"}
    assert said[1] == {"urls": "was registered before", "pull": "was registered before"}


def test_without_a_nominated_number_the_list_is_left_alone(run: Run) -> None:
    said = run("register")
    assert said.exit_code == 0
    assert "MPESA_PULL_NUMBER is not set" in said.output


def test_what_daraja_refuses_is_said(run: Run) -> None:
    said = run("register", mpesa_shortcode="999999")
    assert said.exit_code == 1
    assert "Invalid ShortCode" in said.output


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"public_base_url": "http://pay.example.org"}, "HTTPS"),
        ({"public_base_url": "https://mpesa.example.org"}, "mpesa"),
        ({"public_base_url": "https://x.org", "gateway_secret": "0123456789abSQLdef"}, "sql"),
    ],
)
def test_in_production_a_bad_address_is_not_even_sent(run: Run, changes: dict[str, str], why: str) -> None:
    said = run("register", env="production", **changes)
    assert said.exit_code == 1
    assert why in said.output


def test_our_own_addresses_hold_no_forbidden_word(settings: Settings) -> None:
    ours = replace(settings, public_base_url="https://pay.example.org", gateway_secret="0123456789abcdef")
    assert [objection(url) for url in callback_urls(ours).values()] == [None] * len(callback_urls(ours))
