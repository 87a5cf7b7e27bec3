"""STK push, the prompt, the callback and the query, as a utility meets them."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import PHONE, Daraja, eventually

TWIN = {"PartyA": "254711000002", "PhoneNumber": "254711000002"}


def test_the_right_pin_pays(daraja: Daraja) -> None:
    accepted = daraja.push().json()
    assert accepted["ResponseCode"] == "0"
    assert set(accepted) == {
        "MerchantRequestID",
        "CheckoutRequestID",
        "ResponseCode",
        "ResponseDescription",
        "CustomerMessage",
    }
    prompt = daraja.prompt()
    assert (prompt["id"], prompt["amount"], prompt["account"]) == (accepted["CheckoutRequestID"], 500, "1000017")
    assert daraja.sim(f"prompts/{prompt['id']}", pin="1234").json() == {"outcome": "done"}

    callback = daraja.callback()
    assert callback["MerchantRequestID"] == accepted["MerchantRequestID"]
    assert callback["CheckoutRequestID"] == accepted["CheckoutRequestID"]
    assert callback["ResultCode"] == 0
    items = {item["Name"]: item.get("Value") for item in callback["CallbackMetadata"]["Item"]}
    assert isinstance(items["Amount"], float)
    assert items["Amount"] == 500.0
    assert re.fullmatch(r"[A-Z]{2}[1-9A-V][0-9A-Z]{7}", items["MpesaReceiptNumber"])
    assert {"Name": "Balance"} in callback["CallbackMetadata"]["Item"]
    assert re.fullmatch(r"\d{14}", str(items["TransactionDate"]))
    assert isinstance(items["TransactionDate"], int)
    assert items["PhoneNumber"] == int(PHONE)

    (paid,) = daraja.see("book")["payments"]
    assert (paid["receipt"], paid["amount"], paid["road"]) == (items["MpesaReceiptNumber"], 500, "stk")
    assert daraja.see("wallet", phone=PHONE)["balance"] == 4500
    (message,) = daraja.see("news", phone=PHONE)["messages"]
    assert message["text"].startswith(f"{paid['receipt']} Confirmed. Ksh500.00 sent to MAJI SAFI WATER")


@pytest.mark.parametrize(
    ("said", "code", "text"),
    [
        ({"pin": "9999"}, 2001, "The initiator information is invalid."),
        ({"action": "cancel"}, 1032, "Request cancelled by user"),
    ],
)
def test_a_refusal_has_no_metadata_and_moves_no_money(
    daraja: Daraja, said: dict[str, str], code: int, text: str
) -> None:
    daraja.push()
    daraja.sim(f"prompts/{daraja.prompt()['id']}", **said)
    callback = daraja.callback()
    assert (callback["ResultCode"], callback["ResultDesc"]) == (code, text)
    assert "CallbackMetadata" not in callback
    assert daraja.see("book")["payments"] == []
    assert daraja.see("wallet", phone=PHONE)["balance"] == 5000


def test_no_answer_times_out(make_daraja: Callable[..., Daraja]) -> None:
    daraja = make_daraja(prompt_s=0.2)
    daraja.push()
    prompt = daraja.prompt()
    assert daraja.callback()["ResultCode"] == 1037
    assert daraja.sim(f"prompts/{prompt['id']}", pin="1234").status_code == 409
    assert daraja.see("book")["payments"] == []


def test_an_empty_wallet(daraja: Daraja) -> None:
    daraja.push(Amount="5001")
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    assert daraja.callback()["ResultCode"] == 1
    assert daraja.see("wallet", phone=PHONE)["balance"] == 5000


def test_more_than_m_pesa_allows_never_reaches_the_phone(daraja: Daraja) -> None:
    daraja.push(Amount="250001")
    assert daraja.callback()["ResultCode"] == 3
    assert daraja.see("prompts", phone=PHONE)["prompts"] == []


def test_a_phone_with_an_open_prompt_is_locked_and_others_are_not(daraja: Daraja) -> None:
    daraja.push()
    locked = daraja.push(Amount="300")
    assert (locked.status_code, locked.json()["errorCode"]) == (500, "500.001.1001")
    assert locked.json()["errorMessage"].startswith("Unable to lock subscriber")
    assert daraja.push(**TWIN).status_code == 200
    daraja.sim(f"prompts/{daraja.prompt()['id']}", action="cancel")
    assert daraja.push(Amount="300").status_code == 200


def test_the_same_amount_twice_in_two_minutes_is_refused(make_daraja: Callable[..., Daraja]) -> None:
    daraja = make_daraja(repeat_window_s=0.7)
    daraja.push()
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    daraja.callback()
    daraja.push()
    assert daraja.callback(count=2)["ResultCode"] == 17
    daraja.push(Amount="501")
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    assert daraja.callback(count=3)["ResultCode"] == 0

    def accepted_again() -> bool:
        daraja.push()
        return bool(daraja.see("prompts", phone=PHONE)["prompts"])

    eventually(accepted_again)


def test_a_query_while_it_waits_and_after(daraja: Daraja) -> None:
    checkout = daraja.push().json()["CheckoutRequestID"]
    waiting = daraja.query(checkout)
    assert (waiting.status_code, waiting.json()["errorCode"]) == (500, "500.001.1001")
    assert waiting.json()["errorMessage"] == "The transaction is being processed"

    daraja.sim("faults", pending_shape="4999")
    assert daraja.query(checkout).json()["ResultCode"] == "4999"
    daraja.sim("faults", pending_shape="400")
    assert daraja.query(checkout).json()["errorMessage"] == "Bad Request - Invalid CheckoutRequestID"

    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    done = daraja.query(checkout).json()
    assert (done["ResponseCode"], done["ResultCode"]) == ("0", "0")
    assert all(isinstance(value, str) for value in done.values())
    assert daraja.query("ws_CO_unknown").status_code == 400


def test_a_double_press_charges_once(daraja: Daraja) -> None:
    daraja.push()
    path = f"prompts/{daraja.prompt()['id']}"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: daraja.sim(path, pin="1234").status_code, range(8)))
    assert sorted(answers) == [200] + [409] * 7
    assert len(daraja.see("book")["payments"]) == 1
    daraja.callback()
    assert len(daraja.service.at("/stk/token1")) == 1


def test_a_hundred_phones_at_once(daraja: Daraja) -> None:
    daraja.login()
    phones = [f"2547110{n:05d}" for n in range(100)]

    def pay(phone: str) -> None:
        checkout = daraja.push(PartyA=phone, PhoneNumber=phone).json()["CheckoutRequestID"]
        daraja.prompt(phone)
        daraja.sim(f"prompts/{checkout}", pin="1234")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pay, phones))
    daraja.service.wait_for("/stk/token1", 100)
    payments = daraja.see("book")["payments"]
    assert len({payment["receipt"] for payment in payments}) == 100
    assert payments[-1]["org_balance"] == 50_000


def test_a_callback_may_come_three_times_late_or_never(daraja: Daraja) -> None:
    daraja.sim("faults", callback_copies=3, callback_delay_s=0.1)
    daraja.push()
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    assert daraja.service.at("/stk/token1") == []
    assert len({str(heard.json) for heard in daraja.service.wait_for("/stk/token1", 3)}) == 1

    daraja.sim("faults", callback_copies=0)
    daraja.push(Amount="70", CallBackURL=f"{daraja.service.url}/stk/token2")
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    assert len(daraja.see("book")["payments"]) == 2
    assert daraja.service.at("/stk/token2") == []


def test_a_push_may_be_confirmed_by_the_paybill_too(make_daraja: Callable[..., Daraja], daraja: Daraja) -> None:
    daraja = make_daraja(confirmation_url=f"{daraja.service.url}/confirmation")
    daraja.sim("faults", confirm_pushes=True)
    daraja.push()
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    (confirmed,) = daraja.service.wait_for("/confirmation")
    receipt = daraja.callback()["CallbackMetadata"]["Item"][1]["Value"]
    assert confirmed.json["TransID"] == receipt


@pytest.mark.parametrize(
    "fault", [{"callback_copies": -1}, {"callback_copies": True}, {"pending_shape": "200"}, {"rain": 1}]
)
def test_an_unknown_fault_is_refused(daraja: Daraja, fault: dict[str, object]) -> None:
    assert daraja.sim("faults", **fault).status_code == 400
    assert daraja.see("faults")["callback_copies"] == 1


def test_the_log_tells_both_sides_of_the_story(daraja: Daraja) -> None:
    daraja.push()
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    daraja.callback()
    eventually(lambda: len(daraja.see("log", phone=f"+{PHONE}")["log"]) == 2)
    push, callback = daraja.see("log", phone=PHONE)["log"]
    assert (push["what"], push["direction"], push["status"]) == ("STK push", "in", 200)
    assert (callback["what"], callback["direction"], callback["status"]) == ("STK callback", "out", 200)
    assert callback["ms"] > 0
    assert callback["curl"].startswith("curl -sS -X POST")
    assert daraja.see("log", phone=PHONE, after=push["id"])["log"] == [callback]
    assert daraja.see("log")["log"][0]["what"] == "Daraja token"


def test_a_callback_nobody_takes_is_in_the_log(daraja: Daraja) -> None:
    daraja.push(CallBackURL="http://127.0.0.1:9/x")
    daraja.sim(f"prompts/{daraja.prompt()['id']}", action="cancel")
    eventually(lambda: len(daraja.see("log", phone=PHONE)["log"]) == 2)
    lost = daraja.see("log", phone=PHONE)["log"][1]
    assert (lost["status"], lost["note"]) == (None, "not reached: ConnectionError")


def test_reset_forgets_money_prompts_and_faults(daraja: Daraja) -> None:
    daraja.push()
    daraja.sim(f"prompts/{daraja.prompt()['id']}", pin="1234")
    daraja.push(Amount="20")
    daraja.sim("faults", callback_copies=0)
    daraja.sim("reset")
    assert daraja.see("wallet", phone=PHONE)["balance"] == 5000
    assert daraja.see("book")["payments"] == daraja.see("prompts", phone=PHONE)["prompts"] == []
    assert daraja.see("faults")["callback_copies"] == 1
    assert daraja.push().status_code == 200
