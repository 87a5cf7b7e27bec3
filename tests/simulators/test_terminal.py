"""The handset in the terminal, against a phone network and Daraja that run."""

import subprocess
import sys
from pathlib import Path

import requests
from flask import Response, jsonify

from simulators.terminal import Handset, box

from .conftest import PHONE, Daraja, Service, eventually

ROOT = Path(__file__).parents[2]


class Screen:
    """A handset whose words are kept."""

    def __init__(self, network: str) -> None:
        self.said: list[str] = []
        self.handset = Handset(network, f"+{PHONE}", "63902", self.said.append)

    @property
    def last(self) -> str:
        return self.said[-1]

    def sees(self, text: str) -> bool:
        self.handset.look()
        return any(text in said for said in self.said)


def test_dial_answer_and_hang_up(network: str, service: Service) -> None:
    screen = Screen(network)
    service.answers["/ussd"] = lambda: Response("CON Menu\n1. Bill")
    screen.handset.type("*384*7#")
    assert "│ 1. Bill " in screen.last
    assert "12/160" in screen.last
    assert screen.handset.waits_for == "answer> "
    screen.handset.type("1")
    assert service.at("/ussd")[1].form["text"] == "1"
    screen.handset.type("")
    assert (screen.last, screen.handset.waits_for) == ("Hung up.", "phone> ")
    assert service.wait_for("/events")[0].form["status"] == "Incomplete"


def test_the_prompt_waits_until_the_session_is_over(network: str, service: Service, daraja: Daraja) -> None:
    screen = Screen(network)
    service.answers["/ussd"] = lambda: Response("CON Menu")
    screen.handset.type("*384*7#")
    daraja.push()
    daraja.prompt()
    screen.handset.look()
    assert screen.handset.waits_for == "answer> "
    service.answers["/ussd"] = lambda: Response("END Wait for the prompt")
    screen.handset.type("1")
    screen.handset.look()
    assert screen.handset.waits_for == "PIN> "
    screen.handset.type("1234")
    assert daraja.callback()["ResultCode"] == 0
    eventually(lambda: screen.sees("SMS from MPESA"))


def test_cancelling_and_ignoring_a_prompt(network: str, daraja: Daraja) -> None:
    screen = Screen(network)
    daraja.push()
    daraja.prompt()
    screen.handset.look()
    screen.handset.type("cancel")
    assert daraja.callback()["ResultCode"] == 1032
    daraja.push(Amount="20")
    daraja.prompt()
    screen.handset.look()
    screen.handset.type("ignore")
    screen.handset.look()
    assert screen.handset.waits_for == "phone> "


def test_texting_paying_and_the_inbox(network: str, service: Service) -> None:
    screen = Screen(network)
    screen.handset.type("sms BAL")
    assert service.wait_for("/inbound")[0].form["text"] == "BAL"
    screen.handset.type("pay 1000017 500")
    assert screen.last.endswith("Confirmed.")
    screen.handset.type("pay 500")
    assert screen.last == "pay ACCOUNT AMOUNT"
    eventually(lambda: screen.sees("SMS to 20880"))
    screen.said.clear()
    screen.handset.type("inbox")
    assert "SMS to 20880" in screen.said[0]
    screen.handset.type("what now")
    assert "Ctrl-D" in screen.last


SCREENS = {"": "CON Menu\n1. Bill\n2. Pay", "2": "CON Amount:", "2*500": "END Wait for the prompt"}


def replies_by_input(service: Service) -> None:
    service.answers["/ussd"] = lambda: Response(SCREENS[service.at("/ussd")[-1].form["text"]])


def test_a_session_becomes_a_transcript(network: str, service: Service, tmp_path: Path) -> None:
    screen, file = Screen(network), tmp_path / "pay.en.txt"
    replies_by_input(service)
    screen.handset.record(file)
    screen.handset.type("*384*7*2*500#")
    whole = [
        f"given +{PHONE}, en, 63902", "CON Menu", "1. Bill", "2. Pay", "> 2", "CON Amount:", "> 500",
        "END Wait for the prompt",
    ]  # fmt: skip
    assert file.read_text().splitlines() == ["# *384*7*2*500# is dialled.", *whole]
    assert [heard.form["text"] for heard in service.at("/ussd")] == ["", "2", "2*500"], "typed one by one"
    for said in ("*384*7#", "2", ""):
        screen.handset.type(said)
    assert (tmp_path / "pay-2.en.txt").read_text().splitlines() == ["# *384*7# is dialled.", *whole[:6]]


def test_what_the_phone_itself_says_is_not_recorded(network: str, service: Service, tmp_path: Path) -> None:
    screen = Screen(network)
    service.answers["/ussd"] = lambda: Response("oops", 500)
    screen.handset.record(tmp_path / "a.txt")
    screen.handset.type("*384*7#")
    screen.handset.type("*100#")
    assert any("Connection problem" in said for said in screen.said)
    assert list(tmp_path.iterdir()) == []


def test_texts_become_a_transcript(demo_network: str, service: Service, tmp_path: Path) -> None:
    screen, file = Screen(demo_network), tmp_path / "sms.sw.txt"
    customer = {"phone": f"+{PHONE}", "name": "Amina", "language": "sw", "account_no": "1", "balance": "KES 1"}
    service.answers["/demo/customers"] = lambda: jsonify([customer])
    service.answers["/demo/vacant"] = lambda: jsonify([])
    send(demo_network, "An old bill")
    screen.handset.record(file)
    screen.handset.type("sms HITILAFU")
    send(demo_network, "Kuna nini?\n1. Bomba")
    eventually(lambda: screen.sees("Kuna nini?"))
    screen.handset.type("inbox")
    screen.handset.type("sms 1")
    send(demo_network, "Asante.")
    eventually(lambda: screen.sees("Asante."))
    assert file.read_text().splitlines() == [
        "# HITILAFU is texted.", f"given +{PHONE}, sw, sms", "> HITILAFU", "SMS Kuna nini?", "1. Bomba", "> 1",
        "SMS Asante.",
    ]  # fmt: skip


def send(network: str, text: str) -> None:
    form = {"username": "sandbox", "to": f"+{PHONE}", "message": text}
    answer = requests.post(f"{network}/version1/messaging", data=form, headers={"apiKey": "simulator-key"}, timeout=5)
    assert answer.ok, answer.text


def test_a_box_wraps_and_keeps_its_width() -> None:
    drawn = box("USSD", "a" * 20 + " " + "b" * 20, "41/160").split("\n")
    assert len(drawn) == 4
    assert {len(line) for line in drawn} == {38}


def terminal(*arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "simulators.terminal", *arguments]
    return subprocess.run(command, cwd=ROOT, input=typed, capture_output=True, text=True, timeout=30)


def test_as_a_command(network: str, service: Service) -> None:
    service.answers["/ussd"] = lambda: Response("END Karibu")
    done = terminal("--url", network, typed="*384*7#\nquit\n")
    assert done.returncode == 0
    assert "Karibu" in done.stdout


def test_as_a_command_that_records(network: str, service: Service, tmp_path: Path) -> None:
    service.answers["/ussd"] = lambda: Response("END Karibu")
    file = tmp_path / "dialled.en.txt"
    done = terminal("--url", network, "--record", str(file), typed="*384*7#\nquit\n")
    assert done.returncode == 0, done.stderr
    assert file.read_text() == f"# *384*7# is dialled.\ngiven +{PHONE}, en, 63902\nEND Karibu\n"


def test_without_a_network_it_says_so() -> None:
    done = terminal("--url", "http://127.0.0.1:9", typed="*384*7#\n")
    assert done.returncode == 1
    assert "No phone network at http://127.0.0.1:9" in done.stderr
