"""The simulated MTN and Airtel by themselves: faults of a seed, books, and prompts on the handset."""

import json
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
import requests
from flask import Flask

from simulators.airtel.app import create_airtel
from simulators.airtel.settings import AirtelSettings
from simulators.mtn.app import create_mtn
from simulators.mtn.settings import MtnSettings
from simulators.phone_network.app import create_phone_network
from simulators.seeded import SeededFaults
from tests.simulators.conftest import PHONE, Daraja, Service, eventually, network_settings

QUICK = {"push_delay_s": 0.0, "callback_delay_s": 0.0}


class Mtn:
    """A simulated MTN as the utility sees it."""

    def __init__(self, url: str, service: Service) -> None:
        self.url, self.service = url, service
        given = MtnSettings()
        self.keys = {"Ocp-Apim-Subscription-Key": given.subscription_key, "X-Target-Environment": "sandbox"}
        token = requests.post(
            f"{url}/collection/token/", auth=(given.api_user, given.api_key), headers=self.keys, timeout=5
        )
        self.keys["Authorization"] = f"Bearer {token.json()['access_token']}"

    def pay(self, phone: str = PHONE, amount: str = "500", reference: str = "", **changes: object) -> requests.Response:
        reference = reference or str(uuid4())
        body = {
            "amount": amount, "currency": "KES", "externalId": reference,
            "payer": {"partyIdType": "MSISDN", "partyId": phone}, **changes,
        }  # fmt: skip
        headers = {**self.keys, "X-Reference-Id": reference, "X-Callback-Url": f"{self.service.url}/mtn/{phone}"}
        return requests.post(f"{self.url}/collection/v1_0/requesttopay", json=body, headers=headers, timeout=15)

    def sim(self, path: str, **said: object) -> requests.Response:
        return requests.post(f"{self.url}/sim/{path}", json=said, timeout=5)

    def book(self) -> list[dict[str, object]]:
        return list(requests.get(f"{self.url}/sim/book", timeout=5).json()["payments"])


@pytest.fixture
def mtn(start: Callable[[Flask], str], service: Service) -> Mtn:
    return Mtn(start(create_mtn(MtnSettings(**QUICK, callback_method="POST"))), service)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "EUR"}, "INVALID_CURRENCY"),
        ({"amount": "-5"}, "INVALID_REQUEST"),
        ({"amount": 5}, "INVALID_REQUEST"),
        ({"externalId": "with space"}, "INVALID_REQUEST"),
        ({"payer": {"partyIdType": "EMAIL", "partyId": "x"}}, "INVALID_REQUEST"),
    ],
)
def test_mtn_refuses_what_is_wrong(mtn: Mtn, changes: dict[str, object], code: str) -> None:
    assert mtn.pay(**changes).json()["code"] == code  # type: ignore[arg-type]
    assert mtn.book() == []


def test_mtn_wants_an_id_of_version_four(mtn: Mtn) -> None:
    assert mtn.pay(reference="12345678-1234-1234-1234-123456789012").status_code == 400


def test_an_answer_is_lost_after_the_request_was_taken(mtn: Mtn) -> None:
    mtn.sim("faults", answer_lost=1.0, by_itself=True, thinks_s=0.0)
    with pytest.raises(requests.ConnectionError):
        mtn.pay()
    eventually(lambda: mtn.book())


def test_the_same_seed_has_the_same_customers_go_wrong(mtn: Mtn) -> None:
    """Whoever else pays in between."""
    outcomes = []
    for _ in range(2):
        mtn.sim("reset")
        mtn.sim("faults", seed=7, broken=0.5)
        outcomes.append([mtn.pay(phone=f"2547000001{n:02d}").status_code for n in range(12)])
    assert outcomes[0] == outcomes[1]
    assert {202, 500} == set(outcomes[0])


def test_callbacks_overtake_one_another(mtn: Mtn, service: Service) -> None:
    mtn.sim("faults", seed=3, by_itself=True, thinks_s=0.0, callback_jitter_s=0.8)
    for n in range(8):
        mtn.pay(phone=f"2547000002{n:02d}")
        time.sleep(0.02)
    eventually(lambda: len(service.heard) == 8)
    order = [heard.path for heard in service.heard]
    assert order != sorted(order)


def test_a_subscriber_who_mistypes_cancels_or_does_nothing(mtn: Mtn, service: Service) -> None:
    for fault, phone in (("mistypes", "254700000031"), ("cancels", "254700000032")):
        mtn.sim("faults", by_itself=True, thinks_s=0.0, mistypes=0.0, cancels=0.0)
        mtn.sim("faults", **{fault: 1.0})
        mtn.pay(phone=phone)
        assert service.wait_for(f"/mtn/{phone}")[0].json["status"] == "FAILED"  # type: ignore[index]
    assert mtn.book() == []


def test_money_leaves_the_wallet_and_runs_out(mtn: Mtn) -> None:
    mtn.sim("faults", by_itself=True, thinks_s=0.0)
    mtn.pay(amount="3000")
    eventually(lambda: len(mtn.book()) == 1)
    mtn.pay(amount="3000")
    reason = eventually_reason(mtn)
    assert reason == "NOT_ENOUGH_FUNDS"
    assert requests.get(f"{mtn.url}/sim/wallet?phone={PHONE}", timeout=5).json()["balance"] == "2000"


def eventually_reason(mtn: Mtn) -> object:
    bodies = mtn.service.wait_for(f"/mtn/{PHONE}", 2)
    return next(heard.json["reason"] for heard in bodies if heard.json and heard.json["status"] == "FAILED")


def test_an_airtel_prompt_is_answered_at_the_handset(
    start: Callable[[Flask], str], service: Service, daraja: Daraja
) -> None:
    """The prompts of all wallets come by one news, and each answer finds its own provider."""
    url = start(create_airtel(AirtelSettings(**QUICK, callback_url=f"{service.url}/airtel")))
    network = start(create_phone_network(network_settings(service, daraja.url, airtel_url=url)))
    given = AirtelSettings()
    grant = {"client_id": given.client_id, "client_secret": given.client_secret, "grant_type": "client_credentials"}
    token = requests.post(f"{url}/auth/oauth2/token", json=grant, timeout=5).json()
    assert token["expires_in"] == "180"
    place = {"country": "KE", "currency": "KES"}
    body = {
        "reference": "Account 1000017", "subscriber": {**place, "msisdn": PHONE[3:]},
        "transaction": {**place, "amount": 500, "id": str(uuid4())},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {token['access_token']}", "X-Country": "KE", "X-Currency": "KES"}
    requests.post(f"{url}/merchant/v1/payments/", json=body, headers=headers, timeout=5).raise_for_status()
    news = requests.get(f"{network}/api/news?phone=%2B{PHONE}", timeout=5).json()
    (prompt,) = news["prompts"]
    assert (prompt["title"], "KES 500" in prompt["text"]) == ("Airtel Money", True)
    assert news["purses"] == [{"balance": "5000", "currency": "KES", "label": "Airtel Money", "phone": PHONE}]
    said = requests.post(f"{network}/api/prompts/{prompt['id']}", json={"pin": "1234"}, timeout=5)
    assert said.json() == {"outcome": "done"}
    heard = service.wait_for("/airtel")[0].json
    assert heard is not None
    assert json.dumps(heard["transaction"])  # as it was sent
    assert heard["transaction"]["status_code"] == "TS"  # type: ignore[index]
    (text,) = requests.get(f"{network}/api/news?phone=%2B{PHONE}", timeout=5).json()["messages"]
    assert text["party"] == "AirtelMoney"


@pytest.mark.parametrize("values", [{"drop": 2}, {"by_itself": 1}, {"seed": 0.5}, {"nothing": 1}, {"drop": True}])
def test_a_fault_that_cannot_be(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"cannot be|unknown fault"):
        SeededFaults().changed(values)
