"""Who may call in: each gateway's secrets, their rotation, and the addresses it calls from."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from core.config import Settings, SettingsError
from ussd_app.gateways import secret as secret_module
from ussd_app.gateways.secret import admitted, client_of
from ussd_app.urls import callback_urls

NEW, OLD, OTHER = "n" * 20, "o" * 20, "x" * 20
Set = Callable[..., Settings]


@pytest.fixture
def set_to(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Set:
    def change(**changed: str) -> Settings:
        changed_settings = replace(settings, **changed)  # type: ignore[arg-type]
        changed_settings._check()
        monkeypatch.setattr(secret_module, "settings", lambda: changed_settings)
        return changed_settings

    return change


def test_without_lists_the_one_secret_opens_every_gateway(set_to: Set) -> None:
    ours = set_to()
    for gateway in ("africastalking", "hubtel", "advanta", ""):
        assert admitted(gateway, ours.gateway_secret, {})
        assert not admitted(gateway, ours.gateway_secret + "x", {})
        assert not admitted(gateway, "", {})


def test_a_secret_is_changed_without_a_gap(set_to: Set) -> None:
    set_to(gateway_secrets=f"hubtel:{OLD}")
    assert admitted("hubtel", OLD, {})
    both = set_to(gateway_secrets=f"hubtel:{NEW},{OLD}")
    assert admitted("hubtel", OLD, {})
    assert admitted("hubtel", NEW, {})
    assert NEW in callback_urls(both)["ussd_hubtel"]
    set_to(gateway_secrets=f"hubtel:{NEW}")
    assert not admitted("hubtel", OLD, {})


def test_one_gateways_secret_opens_no_other(set_to: Set) -> None:
    ours = set_to(gateway_secrets=f"hubtel:{NEW}; advanta:{OTHER}")
    assert not admitted("advanta", NEW, {})
    assert not admitted("africastalking", NEW, {})
    assert not admitted("hubtel", ours.gateway_secret, {})
    assert admitted("africastalking", ours.gateway_secret, {})


def test_the_one_for_all_is_changed_without_a_gap_too(set_to: Set) -> None:
    set_to(gateway_secret=NEW, gateway_secrets_old=f"{OLD}, {OTHER}")
    assert [admitted("africastalking", each, {}) for each in (NEW, OLD, OTHER, "z" * 20)] == [True] * 3 + [False]


def test_the_urls_hold_each_gateways_present_secret(set_to: Set) -> None:
    ours = set_to(gateway_secrets=f"africastalking:{NEW},{OLD}")
    urls = callback_urls(ours)
    assert urls["ussd"] == f"{ours.public_base_url}/ussd/{NEW}/africastalking"
    assert urls["ussd_events"] == f"{ours.public_base_url}/ussd/{NEW}/africastalking/events"
    assert urls["sms_inbound"] == f"{ours.public_base_url}/sms/{NEW}/africastalking/inbound"
    assert urls["ussd_advanta"] == f"{ours.public_base_url}/ussd/{ours.gateway_secret}/advanta"


@pytest.mark.parametrize(
    "wrong",
    [
        {"gateway_secrets": "hubtel:short"},
        {"gateway_secrets": f"hubtle:{NEW}"},
        {"gateway_secrets": NEW},
        {"gateway_secrets": "hubtel:"},
        {"gateway_secrets": f"hubtel:{NEW},a/b{OLD}"},
        {"gateway_secrets_old": f"{OLD},short"},
        {"gateway_sources": "hubtel:1.2.3.400"},
        {"gateway_sources": "1.2.3.4"},
        {"trusted_proxies": "proxy.example"},
    ],
)
def test_settings_that_cannot_be_meant_so_are_refused(set_to: Set, wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        set_to(**wrong)
    [name] = wrong
    assert name.upper() in str(refused.value)
    assert NEW not in str(refused.value)
    assert "short" not in str(refused.value).replace("short.", "")


def test_a_gateway_with_a_list_may_call_from_there_alone(
    set_to: Set, capfd: pytest.CaptureFixture[str], client: FlaskClient
) -> None:
    ours = set_to(gateway_sources="hubtel:52.50.116.54,10.1.0.0/16,2001:db8::/32", trusted_proxies="127.0.0.1,::1")
    known = ours.gateway_secret
    peers = {
        "52.50.116.54": True, "10.1.200.3": True, "2001:db8::7": True, "::ffff:52.50.116.54": True,
        "52.50.116.55": False, "10.2.0.1": False, "2001:db9::7": False, "": False, "garbage": False,
    }  # fmt: skip
    assert {peer: admitted("hubtel", known, {"REMOTE_ADDR": peer}) for peer in peers} == peers
    assert admitted("advanta", known, {"REMOTE_ADDR": "52.50.116.55"})
    assert not admitted("hubtel", "wrong" * 5, {"REMOTE_ADDR": "52.50.116.54"})
    written = capfd.readouterr().out
    assert "52.50.116.55" in written
    assert known not in written


def test_elsewhere_is_404_over_http_too(set_to: Set, client: FlaskClient, settings: Settings) -> None:
    set_to(gateway_sources="africastalking:52.50.116.54")
    url = f"/ussd/{settings.gateway_secret}/africastalking"
    there = {"REMOTE_ADDR": "52.50.116.54"}
    assert client.post(url, data={}, environ_base={"REMOTE_ADDR": "8.8.8.8"}).status_code == 404
    assert client.post(url, data={}, environ_base=there).status_code == 400, "it came in, and was malformed"
    behind_proxy = {"X-Forwarded-For": "1.1.1.1, 52.50.116.54"}
    assert client.post(url, data={}, headers=behind_proxy).status_code == 400
    made_up = {"X-Forwarded-For": "52.50.116.54, 1.1.1.1"}
    assert client.post(url, data={}, headers=made_up).status_code == 404


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("8.8.8.8", "", "8.8.8.8"),
        ("8.8.8.8", "52.50.116.54", "8.8.8.8"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "52.50.116.54", "52.50.116.54"),
        ("127.0.0.1", "9.9.9.9, 52.50.116.54, 10.0.0.2", "52.50.116.54"),
        ("127.0.0.1", "52.50.116.54:4711", "52.50.116.54"),
        ("::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:127.0.0.1", "52.50.116.54", "52.50.116.54"),
        ("", "52.50.116.54", "52.50.116.54"),
        ("127.0.0.1", "52.50.116.54, garbage", "None"),
        ("127.0.0.1", ",,,", "None"),
    ],
)
def test_the_address_that_called_is_the_nearest_one_not_our_own(
    set_to: Set, peer: str, forwarded: str, client: str
) -> None:
    proxies = set_to(trusted_proxies="127.0.0.1,::1,10.0.0.0/8").proxies()
    assert str(client_of(peer, forwarded, proxies)) == client
