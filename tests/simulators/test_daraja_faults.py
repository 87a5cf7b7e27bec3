"""What the simulated Daraja can be made to do wrong: by a seed, and over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from simulators.daraja.faults import Faults

from .conftest import PHONE, Daraja, eventually

ALONE = {"by_itself": True, "thinks_s": 0.0}


def outcomes(daraja: Daraja, phones: int = 12, workers: int = 1) -> dict[str, int]:
    """One push to each of many phones, and how each ended."""
    daraja.login()

    def push(number: int) -> str:
        phone = f"2547110000{number:02}"
        daraja.push(PartyA=phone, PhoneNumber=phone)
        return phone

    with ThreadPoolExecutor(workers) as pool:
        asked = list(pool.map(push, range(phones)))
    daraja.service.wait_for("/stk/token1", phones)
    told = [heard.json["Body"]["stkCallback"] for heard in daraja.service.at("/stk/token1")]
    by_phone = {one["CheckoutRequestID"][-9:]: one["ResultCode"] for one in told}
    return {phone: by_phone[phone[3:]] for phone in asked}


@pytest.mark.parametrize("workers", [1, 6])
def test_the_same_seed_has_the_same_fate_for_everybody(make_daraja: Callable[..., Daraja], workers: int) -> None:
    fates = []
    for _ in range(2):
        daraja = make_daraja()
        daraja.service.heard.clear()
        daraja.sim("faults", seed=7, cancels=0.4, mistypes=0.7, **ALONE)
        fates.append(outcomes(daraja, workers=workers))
    assert fates[0] == fates[1]
    assert len(set(fates[0].values())) == 3  # paid, cancelled, mistyped


def test_an_answer_that_never_arrives_was_carried_out(daraja: Daraja) -> None:
    daraja.sim("faults", answer_lost=1.0, **ALONE)
    with pytest.raises(requests.ConnectionError):
        daraja.push()
    assert daraja.callback()["ResultCode"] == 0
    assert len(daraja.see("book")["payments"]) == 1


def test_a_callback_may_come_before_the_answer(daraja: Daraja) -> None:
    daraja.sim("faults", answer_after_callback=1.0, **ALONE)
    answer = daraja.push()
    assert len(daraja.service.at("/stk/token1")) == 1
    assert answer.json()["ResponseCode"] == "0"


def test_a_failure_may_come_first(daraja: Daraja) -> None:
    daraja.sim("faults", failure_first=1.0, **ALONE)
    daraja.push()
    told = [heard.json["Body"]["stkCallback"]["ResultCode"] for heard in daraja.service.wait_for("/stk/token1", 2)]
    assert told == [1037, 0]


def test_one_too_many_is_not_carried_out(daraja: Daraja) -> None:
    daraja.sim("faults", too_many=1.0, **ALONE)
    answer = daraja.push()
    assert (answer.status_code, "Spike arrest" in answer.json()["errorMessage"]) == (429, True)
    daraja.sim("faults", too_many=0.0, queries_a_minute=2)
    checkout = daraja.push().json()["CheckoutRequestID"]
    assert [daraja.query(checkout).status_code == 429 for _ in range(3)] == [False, False, True]


def test_copies_are_as_many_as_the_seed_says_and_overtake_one_another(daraja: Daraja) -> None:
    daraja.sim("faults", callback_copies_most=5, callback_jitter_s=0.2, **ALONE)
    daraja.push()
    expected = len(Faults(callback_copies_most=5, callback_jitter_s=0.2).deliveries(f"{PHONE}:1"))
    eventually(lambda: len(daraja.service.at("/stk/token1")) == expected)


def test_a_callback_may_name_another_amount_and_a_confirmation_another_short_code(
    make_daraja: Callable[..., Daraja], daraja: Daraja
) -> None:
    daraja = make_daraja(confirmation_url=f"{daraja.service.url}/confirmation")
    daraja.sim("faults", wrong_amount=1.0, wrong_shortcode=1.0, confirm_pushes=True, **ALONE)
    daraja.push()
    items = {item["Name"]: item.get("Value") for item in daraja.callback()["CallbackMetadata"]["Item"]}
    (confirmed,) = daraja.service.wait_for("/confirmation")
    (paid,) = daraja.see("book")["payments"]
    assert (items["Amount"], confirmed.json["BusinessShortCode"], paid["amount"]) == (501.0, "999999", 500)


def test_a_query_may_deny_what_was_paid(daraja: Daraja) -> None:
    daraja.sim("faults", query_denies=1.0, pending_shape="any", **ALONE)
    checkout = daraja.push().json()["CheckoutRequestID"]
    daraja.callback()
    assert daraja.query(checkout).json()["ResultCode"] == "1037"
    assert len(daraja.see("book")["payments"]) == 1


def register(daraja: Daraja, **changes: object) -> requests.Response:
    body = {
        "ShortCode": daraja.settings.shortcode, "ResponseType": "Completed",
        "ConfirmationURL": f"{daraja.service.url}/confirmation", "ValidationURL": f"{daraja.service.url}/validation",
        **changes,
    }  # fmt: skip
    return daraja.send("/mpesa/c2b/v2/registerurl", body)


def test_addresses_are_registered_once(daraja: Daraja) -> None:
    assert register(daraja).json()["ResponseCode"] == "0"
    assert "already registered" in register(daraja).json()["errorMessage"]
    daraja.sim("paybill", phone=PHONE, account="1000017", amount="70", pin="1234")
    (told,) = daraja.service.wait_for("/confirmation")
    assert told.json["OrgAccountBalance"] == "70.00"


@pytest.mark.parametrize(
    "wrong", [{"ResponseType": "completed"}, {"ShortCode": "1"}, {"ConfirmationURL": "https://x.org/mpesa"}]
)
def test_addresses_that_are_not_taken(daraja: Daraja, wrong: dict[str, str]) -> None:
    assert register(daraja, **wrong).status_code == 400


def test_without_an_answer_what_was_registered_decides(daraja: Daraja) -> None:
    register(daraja, ResponseType="Cancelled", ValidationURL="http://127.0.0.1:9/validation")
    said = daraja.sim("paybill", phone=PHONE, account="1000017", amount="70", pin="1234").json()
    assert said["outcome"] == "rejected"


def test_a_till_is_paid_by_its_own_kind_of_push(make_daraja: Callable[..., Daraja]) -> None:
    daraja = make_daraja(till="700200")
    assert daraja.push(PartyB="700200").status_code == 400
    assert daraja.push(PartyB="700200", TransactionType="CustomerBuyGoodsOnline").status_code == 200


def test_every_fault_is_told_in_words(daraja: Daraja) -> None:
    known = daraja.see("faults/known")["faults"]
    assert {one["name"] for one in known} == set(daraja.see("faults"))
    assert all(one["what"] for one in known)
