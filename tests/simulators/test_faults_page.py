"""The page on which the providers are made to go wrong."""

from collections.abc import Callable

import pytest
import requests
from flask import Flask

from simulators.airtel.app import create_airtel
from simulators.airtel.settings import AirtelSettings
from simulators.mtn.app import create_mtn
from simulators.mtn.settings import MtnSettings
from simulators.phone_network.app import create_phone_network
from tests.simulators.conftest import Daraja, Service, network_settings


@pytest.fixture
def town(start: Callable[[Flask], str], service: Service, daraja: Daraja) -> dict[str, str]:
    """The addresses of a phone network and its three providers."""
    places = {
        "mpesa": daraja.url,
        "mtn": start(create_mtn(MtnSettings())),
        "airtel": start(create_airtel(AirtelSettings())),
    }
    settings = network_settings(service, daraja.url, mtn_url=places["mtn"], airtel_url=places["airtel"])
    return {**places, "network": start(create_phone_network(settings))}


def test_each_provider_has_its_form(town: dict[str, str]) -> None:
    page = requests.get(f"{town['network']}/faults/", timeout=10).text
    for sign in ("faults-mpesa", "faults-mtn", "faults-airtel", "pending_shape", "vague_status", "wrong_hash"):
        assert sign in page


@pytest.mark.parametrize("name", ["mpesa", "mtn", "airtel"])
def test_faults_are_set_and_put_to_rights(town: dict[str, str], name: str) -> None:
    now = requests.get(f"{town[name]}/sim/faults", timeout=10).json()
    form = {fault: str(value) for fault, value in now.items() if not isinstance(value, bool)}
    wrong = {**form, "answer_lost": "0.25", "callback_copies_most": "5", "by_itself": "on"}
    page = requests.post(f"{town['network']}/faults/{name}", data=wrong, timeout=10)
    assert "is set" in page.text
    changed = requests.get(f"{town[name]}/sim/faults", timeout=10).json()
    assert (changed["answer_lost"], changed["callback_copies_most"], changed["by_itself"]) == (0.25, 5, True)
    requests.post(f"{town['network']}/faults/{name}", data={"well": "1"}, timeout=10)
    assert requests.get(f"{town[name]}/sim/faults", timeout=10).json() == now


@pytest.mark.parametrize("said", [{"answer_lost": "often"}, {"answer_lost": "2"}, {}])
def test_what_cannot_be_set_is_said(town: dict[str, str], said: dict[str, str]) -> None:
    now = requests.get(f"{town['mtn']}/sim/faults", timeout=10).json()
    form = {fault: str(value) for fault, value in now.items() if not isinstance(value, bool)}
    page = requests.post(f"{town['network']}/faults/mtn", data={**form, **said} if said else {}, timeout=10)
    assert 'role="alert"' in page.text
    assert requests.get(f"{town['mtn']}/sim/faults", timeout=10).json() == now


def test_a_provider_that_is_none(town: dict[str, str]) -> None:
    assert requests.post(f"{town['network']}/faults/paypal", data={"well": "1"}, timeout=10).status_code == 404
