"""The gateway's USSD: what the service hears, what it must say, how a session ends."""

import threading
import time
from collections.abc import Callable

import pytest
import requests
from flask import Flask, Response

from simulators.phone_network.app import create_phone_network

from .conftest import Service, eventually, network_settings

PHONE = "+254700000001"


def post(base: str, path: str, **said: str) -> dict:
    return requests.post(f"{base}/api/{path}", json=said, timeout=10).json()


def dial(base: str, code: str = "*384*7#", **more: str) -> dict:
    return post(base, "dial", **{"phone": PHONE, "code": code, **more})


def says(service: Service, text: str, **headers: str) -> None:
    service.answers["/ussd"] = lambda: Response(text, headers=headers, content_type="text/plain")


def test_the_input_so_far_is_sent_whole(network: str, service: Service) -> None:
    says(service, "CON Menu\n1. Bill")
    screen = dial(network, network="63903")
    assert (screen["text"], screen["ends"], screen["septets"], screen["limit"]) == ("Menu\n1. Bill", False, 12, 182)
    post(network, "answer", session=screen["session"], said="1")
    post(network, "answer", session=screen["session"], said="a*b")
    first, second, third = service.at("/ussd")
    assert first.form == {
        "sessionId": screen["session"],
        "phoneNumber": PHONE,
        "networkCode": "63903",
        "serviceCode": "*384*7#",
        "text": "",
    }
    assert first.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (second.form["text"], third.form["text"]) == ("1", "1*a*b")


def test_dialling_through(network: str, service: Service) -> None:
    says(service, "END Done")
    assert dial(network, "*384*7*2*500#")["ends"] is True
    assert service.at("/ussd")[0].form["text"] == "2*500"


@pytest.mark.parametrize("code", ["*384*8#", "*384*7", "12345", "", "*384*71#"])
def test_a_code_that_is_not_ours_never_reaches_the_service(network: str, service: Service, code: str) -> None:
    screen = dial(network, code)
    assert (screen["ends"], screen["text"]) == (True, "Connection problem or invalid MMI code.")
    assert service.heard == []


@pytest.mark.parametrize(
    ("answer", "status", "mistake"),
    [
        ("Menu", 200, "the answer starts with neither 'CON ' nor 'END '"),
        (" CON Menu", 200, "the answer starts with neither 'CON ' nor 'END '"),
        ("CON Menu", 201, "HTTP 201 instead of 200"),
        ("", 500, "HTTP 500 instead of 200"),
    ],
)
def test_a_wrong_answer_fails_the_session(
    network: str, service: Service, answer: str, status: int, mistake: str
) -> None:
    service.answers["/ussd"] = lambda: Response(answer, status)
    screen = dial(network)
    assert (screen["ends"], screen["mistake"]) == (True, mistake)
    (event,) = service.wait_for("/events")
    assert (event.form["status"], event.form["errorMessage"]) == ("Failed", mistake)


def test_a_slow_answer_fails_the_session(start: Callable[[Flask], str], service: Service) -> None:
    network = start(create_phone_network(network_settings(service, "", answer_within_s=0.2)))

    def slow() -> Response:
        time.sleep(0.5)
        return Response("END late")

    service.answers["/ussd"] = slow
    assert dial(network)["mistake"] == "no answer within 0.2 s"
    assert service.wait_for("/events")[0].form["status"] == "Failed"


def test_the_end_is_reported_in_strings(network: str, service: Service) -> None:
    says(service, "CON Menu", **{"at-ussd-hop-metadata": "menu"})
    session = dial(network)["session"]
    says(service, "END Bye")
    post(network, "answer", session=session, said="9")
    (event,) = service.wait_for("/events")
    assert event.form["status"] == "Success"
    assert (event.form["hopsCount"], event.form["input"], event.form["hopsMetadata"]) == ("2", "9", "menu")
    assert event.form["lastAppResponse"] == "END Bye"
    assert {"date", "cost", "durationInMillis", "networkCode", "phoneNumber", "serviceCode"} < set(event.form)
    assert service.at("/ussd")[1].headers["At-Ussd-Hop-Metadata"] == "menu"


def test_hanging_up_and_answering_a_dead_session(network: str, service: Service) -> None:
    says(service, "CON Menu")
    session = dial(network)["session"]
    post(network, "hangup", session=session)
    assert service.wait_for("/events")[0].form["status"] == "Incomplete"
    late = requests.post(f"{network}/api/answer", json={"session": session, "said": "1"}, timeout=5)
    assert late.status_code == 409


def test_a_session_does_not_last_for_ever(start: Callable[[Flask], str], service: Service) -> None:
    network = start(create_phone_network(network_settings(service, "", session_s=0.2)))
    says(service, "CON Menu")
    dial(network)
    assert service.wait_for("/events")[0].form["status"] == "Incomplete"


def test_one_answer_at_a_time(network: str, service: Service) -> None:
    gate = threading.Event()
    says(service, "CON Menu")
    session = dial(network)["session"]

    def wait() -> Response:
        gate.wait(1)
        return Response("CON Next")

    service.answers["/ussd"] = wait
    first = threading.Thread(target=post, args=(network, "answer"), kwargs={"session": session, "said": "1"})
    first.start()
    eventually(lambda: len(service.at("/ussd")) == 2)
    assert "error" in post(network, "answer", session=session, said="2")
    gate.set()
    first.join()


def test_too_long_a_screen_is_cut_off(network: str, service: Service) -> None:
    says(service, "CON " + "[" * 81)
    screen = dial(network)
    assert (len(screen["text"]), screen["septets"], screen["mistake"]) == (80, 162, "cut off: the screen holds 160")
    says(service, "CON ‘" + "a" * 80)
    screen = dial(network)
    assert (len(screen["text"]), screen["septets"], screen["limit"]) == (80, None, 80)


def test_phones_never_share_a_session(network: str, service: Service) -> None:
    says(service, "CON Menu")
    one, two = dial(network), dial(network)
    assert one["session"] != two["session"]
    post(network, "answer", session=one["session"], said="1")
    post(network, "answer", session=two["session"], said="2")
    texts = {h.form["sessionId"]: h.form["text"] for h in service.at("/ussd")}
    assert texts == {one["session"]: "1", two["session"]: "2"}


@pytest.mark.parametrize("said", [{"phone": "07"}, {"network": "1"}])
def test_a_line_that_cannot_be(network: str, said: dict[str, str]) -> None:
    assert "error" in post(network, "dial", **{"phone": PHONE, "code": "*384*7#", **said})


def test_only_json_drives_the_phones(network: str, service: Service) -> None:
    """Another site's form in the same browser must not dial."""
    answer = requests.post(f"{network}/api/dial", data={"phone": PHONE, "code": "*384*7#"}, timeout=5)
    assert answer.status_code == 415
    assert service.heard == []
