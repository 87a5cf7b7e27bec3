"""The customer pays the paybill from the phone's own menu."""

from collections.abc import Callable

import pytest
from flask import Response, jsonify

from .conftest import PHONE, Daraja

Make = Callable[..., Daraja]


@pytest.fixture
def paybill(make_daraja: Make, daraja: Daraja) -> Daraja:
    url = daraja.service.url
    return make_daraja(validation_url=f"{url}/validation", confirmation_url=f"{url}/confirmation")


def answering(paybill: Daraja, **answer: object) -> None:
    def say() -> Response:
        return jsonify(answer)

    paybill.service.answers["/validation"] = say


def pay(paybill: Daraja, **changes: object) -> dict:
    said = {"phone": f"+{PHONE}", "account": "1000 017", "amount": "750", "pin": "1234", **changes}
    return paybill.sim("paybill", **said).json()


def test_the_utility_is_asked_then_told(paybill: Daraja) -> None:
    answering(paybill, ResultCode="0", ResultDesc="Accepted", ThirdPartyTransID="ours-7")
    answer = pay(paybill)
    assert answer["ok"] is True
    (asked,) = paybill.service.at("/validation")
    (told,) = paybill.service.wait_for("/confirmation")
    assert told.json == {
        "TransactionType": "Pay Bill",
        "TransID": answer["receipt"],
        "TransTime": told.json["TransTime"],
        "TransAmount": "750.00",
        "BusinessShortCode": "600100",
        "BillRefNumber": "1000 017",
        "InvoiceNumber": "",
        "OrgAccountBalance": "750.00",
        "ThirdPartyTransID": "ours-7",
        "MSISDN": "2547 ***** 001",
        "FirstName": "DEMO",
        "MiddleName": "",
        "LastName": "",
    }
    assert asked.json == {**told.json, "OrgAccountBalance": "", "ThirdPartyTransID": ""}
    (paid,) = paybill.see("book")["payments"]
    assert (paid["road"], paid["account"], paid["amount"]) == ("paybill", "1000 017", 750)


def test_a_rejected_payment_moves_nothing(paybill: Daraja) -> None:
    answering(paybill, ResultCode="C2B00012", ResultDesc="Rejected")
    assert pay(paybill)["outcome"] == "rejected"
    assert paybill.see("book")["payments"] == []
    assert paybill.service.at("/confirmation") == []


def test_without_an_answer_the_payment_goes_on(paybill: Daraja) -> None:
    paybill.service.answers["/validation"] = lambda: Response("oops", 500)
    assert pay(paybill)["ok"] is True
    paybill.service.wait_for("/confirmation")


def test_without_urls_nobody_is_told_and_the_money_moves(daraja: Daraja) -> None:
    assert pay(daraja)["ok"] is True
    assert daraja.see("wallet", phone=PHONE)["balance"] == 4250


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [({"pin": "1"}, "wrong_pin"), ({"amount": "5001"}, "no_funds"), ({"amount": "250001"}, "above_maximum")],
)
def test_what_m_pesa_itself_refuses(paybill: Daraja, changes: dict[str, str], outcome: str) -> None:
    assert pay(paybill, **changes)["outcome"] == outcome
    assert paybill.service.heard == []


@pytest.mark.parametrize(
    "changes", [{"amount": "0"}, {"amount": "1.5"}, {"amount": "²"}, {"account": " "}, {"account": "1" * 21}]
)
def test_a_form_filled_in_badly(paybill: Daraja, changes: dict[str, str]) -> None:
    assert pay(paybill, **changes)["ok"] is False
    assert paybill.see("book")["payments"] == []
