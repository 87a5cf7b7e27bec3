"""SMS both ways, delivery reports, and the news that a handset gets."""

import requests
from flask import Response, jsonify

from .conftest import Service, eventually

PHONE = "+254700000001"
KEY = {"apiKey": "simulator-key", "Accept": "application/json"}


def send(network: str, headers: dict[str, str] = KEY, **form: str) -> requests.Response:
    full = {"username": "sandbox", "to": PHONE, "message": "Hello", "bulkSMSMode": "1", **form}
    return requests.post(f"{network}/version1/messaging", data=full, headers=headers, timeout=5)


def news(network: str, phone: str = PHONE, **after: str) -> dict:
    return requests.get(f"{network}/api/news", params={"phone": phone, **after}, timeout=10).json()


def test_a_message_is_accepted_delivered_and_reported(network: str, service: Service) -> None:
    answer = send(network, message="x" * 161, **{"from": "MAJI"})
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    data = answer.json()["SMSMessageData"]
    (recipient,) = data["Recipients"]
    assert data["Message"] == "Sent to 1/1 Total Cost: KES 1.6000"
    assert recipient == {
        "statusCode": 101,
        "number": PHONE,
        "status": "Success",
        "cost": "KES 1.6000",
        "messageId": recipient["messageId"],
        "messageParts": 2,
    }
    reports = service.wait_for("/delivery", 2)
    assert [r.form["status"] for r in reports] == ["Sent", "Success"]
    assert {r.form["id"] for r in reports} == {recipient["messageId"]}
    assert reports[0].form["phoneNumber"] == PHONE
    (message,) = news(network)["messages"]
    assert (message["party"], message["direction"], message["status"]) == ("MAJI", "to_phone", "delivered")
    assert news(network, "+254711000009")["messages"] == []


def test_several_recipients_and_a_bad_number(network: str) -> None:
    data = send(network, to=f"{PHONE},12").json()["SMSMessageData"]
    assert data["Message"] == "Sent to 1/2 Total Cost: KES 0.8000"
    assert [r["statusCode"] for r in data["Recipients"]] == [101, 403]
    assert data["Recipients"][1]["status"] == "InvalidPhoneNumber"


def test_a_wrong_key_and_a_missing_field(network: str) -> None:
    assert send(network, {"apiKey": "wrong"}).status_code == 401
    assert send(network, {}).status_code == 401
    assert send(network, message="").status_code == 400


def test_a_text_reaches_the_service_after_retries(network: str, service: Service) -> None:
    tries = iter([Response("busy", 503), Response("", 201)])
    service.answers["/inbound"] = lambda: next(tries, Response("ok"))
    said = {"phone": PHONE, "text": "READ 1234", "network": "63902"}
    sent = requests.post(f"{network}/api/messages", json=said, timeout=5).json()
    assert (sent["status"], sent["direction"], sent["party"]) == ("sending", "from_phone", "20880")
    heard = service.wait_for("/inbound", 3)
    assert len({h.form["id"] for h in heard}) == 1
    form = heard[0].form
    assert (form["from"], form["to"], form["text"], form["networkCode"]) == (PHONE, "20880", "READ 1234", "63902")
    assert {"date", "linkId"} < set(form)
    eventually(lambda: news(network)["messages"][0]["status"] == "delivered")


def test_a_text_that_nobody_takes_is_marked(network: str, service: Service) -> None:
    service.answers["/inbound"] = lambda: Response("no", 500)
    requests.post(f"{network}/api/messages", json={"phone": PHONE, "text": "BAL"}, timeout=5)
    eventually(lambda: news(network)["messages"][0]["status"] == "failed")
    assert len(service.at("/inbound")) == 4


def test_an_empty_text_is_not_sent(network: str, service: Service) -> None:
    answer = requests.post(f"{network}/api/messages", json={"phone": PHONE, "text": " "}, timeout=5)
    assert answer.status_code == 400
    assert service.heard == []


def test_news_come_once_and_changes_again(network: str, service: Service) -> None:
    send(network)
    service.wait_for("/delivery", 2)
    eventually(lambda: news(network)["messages"][0]["status"] == "delivered")
    eventually(lambda: len(news(network)["log"]) == 3)
    first = news(network)
    assert {e["what"] for e in first["log"]} == {"SMS to the customer", "Delivery: Sent", "Delivery: Success"}
    again = news(network, **first["after"])
    assert (again["messages"], again["log"]) == ([], [])
    send(network)
    assert len(news(network, **first["after"])["messages"]) == 1


def test_news_hold_what_daraja_and_the_books_say(network: str, service: Service) -> None:
    seen = news(network)
    assert (seen["wallet"]["balance"], seen["wallet"]["paybill"]) == (5000, "600100")
    paid = {"phone": PHONE, "account": "1000017", "amount": "100", "pin": "1234"}
    assert requests.post(f"{network}/api/paybill", json=paid, timeout=10).json()["ok"] is True
    seen = news(network, **seen["after"])
    assert seen["wallet"]["balance"] == 4900
    assert seen["messages"][0]["party"] == "MPESA"
    assert seen["problems"] == []


def test_reset_empties_the_phones_and_fills_the_wallets(network: str) -> None:
    send(network)
    paid = {"phone": PHONE, "account": "1000017", "amount": "100", "pin": "1234"}
    requests.post(f"{network}/api/paybill", json=paid, timeout=10)
    place = news(network)["after"]
    requests.post(f"{network}/api/reset", timeout=5)
    fresh = news(network)
    assert (fresh["messages"], fresh["log"], fresh["wallet"]["balance"]) == ([], [], 5000)
    send(network)
    assert len(news(network, **place)["messages"]) == 1


def test_customers_and_effects_come_from_the_service(demo_network: str, service: Service) -> None:
    customers = [{"phone": PHONE, "name": "Wanjiru", "language": "sw", "account_no": "1000017"}]
    service.answers["/demo/customers"] = lambda: jsonify(customers)
    effect = {"id": 7, "at": "2026-11-21T04:00:00Z", "what": "reading", "detail": "1234 accepted"}
    service.answers["/demo/effects"] = lambda: jsonify(effects=[effect])
    assert requests.get(f"{demo_network}/api/customers", timeout=5).json() == {"customers": customers}
    seen = news(demo_network)
    assert (seen["effects"], seen["after"]["effects"]) == ([effect], "7")


def test_a_silent_service_is_named(demo_network: str, service: Service) -> None:
    service.answers["/demo/effects"] = lambda: Response("oops", 500)
    service.answers["/demo/customers"] = lambda: Response("not json")
    assert news(demo_network)["problems"] == ["The service does not answer."]
    assert requests.get(f"{demo_network}/api/customers", timeout=5).json() == {"customers": []}


def test_a_silent_daraja_is_named(lonely_network: str) -> None:
    assert news(lonely_network)["problems"] == ["M-PESA does not answer."]
    answer = requests.post(f"{lonely_network}/api/prompts/mpesa:ws_CO_1", json={"pin": "1234"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (502, "M-PESA does not answer.")
