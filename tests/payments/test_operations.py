"""Status, reversal and balance at the simulated Daraja: taken at once, answered later, believed once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from core.config import Settings
from core.database import transaction
from core.money import Money
from payments import operations
from payments.daraja import Daraja
from payments.models import Notice
from payments.mpesa_models import MpesaRequest
from payments.wallets import mpesa
from simulators.daraja.app import create_daraja
from simulators.daraja.settings import DarajaSettings
from tests.payments.answering import Server, error
from tests.payments.paying import arrives
from tests.payments.subscribing import eventually, settled
from ussd_app.app import create_app

REVERSAL = "/mpesa/reversal/v1/request"
TAKEN = (200, {"ConversationID": "AG_1", "OriginatorConversationID": "o-1", "ResponseCode": "0"})


def serve(app: Flask) -> tuple[Any, str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def outside(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of a Daraja; our client talks to it, and it to us."""
    certificate = tmp_path / "daraja.pem"
    simulated = DarajaSettings(
        callback_delay_s=0, shortcode=settings.mpesa_shortcode, certificate_file=str(certificate)
    )
    far, url = serve(create_daraja(simulated))
    near, ours_url = serve(create_app(settings))
    ours = replace(
        settings, public_base_url=ours_url, mpesa_initiator=simulated.initiator,
        mpesa_initiator_password=simulated.initiator_password, daraja_certificate=str(certificate),
    )  # fmt: skip
    client = Daraja(url, simulated.consumer_key, simulated.consumer_secret, simulated.shortcode, simulated.passkey)
    monkeypatch.setattr(mpesa, "daraja", lambda: client)
    monkeypatch.setattr(operations, "settings", lambda: ours)
    yield url
    for server in (far, near):
        server.shutdown()
        server.server_close()


def paid(outside: str, amount: int = 500) -> str:
    """Somebody pays at the simulator; its receipt."""
    body = {"phone": "254700000001", "account": "1000017", "amount": str(amount), "pin": "1234"}
    return str(requests.post(f"{outside}/sim/paybill", json=body, timeout=5).json()["receipt"])


def operated(asked: MpesaRequest | None) -> MpesaRequest:
    """It is sent, and its result is here."""
    assert asked is not None
    operations.operate(asked.id)
    operations.operate(asked.id)

    def here() -> bool:
        with transaction() as session:
            return session.query(Notice).filter(Notice.kind == "result").count() > 0

    eventually(here)
    settled(1)
    with transaction() as session:
        return session.get_one(MpesaRequest, asked.id)


def test_a_status_tells_amount_and_payer(outside: str) -> None:
    receipt = paid(outside)
    with transaction() as session:
        asked = operations.ask_status(session, receipt.lower(), "amina")
    answered = operated(asked)
    assert answered.state == "done"
    assert answered.result["Amount"] == "500.0"
    assert answered.result["DebitPartyName"].startswith("254700000001")


def test_a_balance(outside: str) -> None:
    paid(outside, 70)
    with transaction() as session:
        asked = operations.ask_balance(session, "amina")
    assert "Utility Account|KES|70.00" in operated(asked).result["AccountBalance"]


def test_a_reversal_happens_once_and_again_is_as_good(outside: str) -> None:
    receipt = paid(outside)
    with transaction() as session:
        asked = operations.ask_reversal(session, receipt, Money.of(500), "amina")
    assert operated(asked).state == "done"
    with transaction() as session:
        assert operations.ask_reversal(session, receipt, Money.of(500), "amina") is None
    wallet = requests.get(f"{outside}/sim/wallet", params={"phone": "254700000001"}, timeout=5).json()
    assert wallet["balance"] == 5000


def test_reversed_before_is_what_was_wanted(outside: str) -> None:
    receipt = paid(outside)
    with transaction() as session:
        first = operations.ask_reversal(session, receipt, Money.of(500), "amina")
        assert first is not None
    operated(first)
    with transaction() as session:
        session.get_one(MpesaRequest, first.id).state = "failed"  # as if its result had been lost and given up
    with transaction() as session:
        again = operations.ask_reversal(session, receipt, Money.of(500), "amina")
        assert again is not None
    operations.operate(again.id)
    settled(2)
    with transaction() as session:
        answered = session.get_one(MpesaRequest, again.id)
    assert (answered.state, answered.result_code) == ("done", "R000001")


def test_a_wrong_password_moves_nothing(outside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt, right = paid(outside), operations.settings()
    monkeypatch.setattr(operations, "settings", lambda: replace(right, mpesa_initiator_password="wrong"))
    with transaction() as session:
        asked = operations.ask_reversal(session, receipt, Money.of(500), "amina")
    answered = operated(asked)
    assert (answered.state, answered.result_code) == ("failed", "2001")
    assert requests.get(f"{outside}/sim/book", timeout=5).json()["payments"][0]["reversed"] is False


@pytest.mark.usefixtures("database", "settings")
def test_without_an_operator_nothing_is_asked(server: Server) -> None:
    with transaction() as session:
        asked = operations.ask_balance(session, "amina")
    operations.operate(asked.id)
    with transaction() as session:
        assert session.get_one(MpesaRequest, asked.id).state == "failed"
    assert server.asked == []


def result(code: object = 0, conversation: str = "AG_1") -> bytes:
    told = {"ResultParameter": {"Key": "Amount", "Value": 500}}  # one alone comes without its list
    said = {"ResultCode": code, "ResultDesc": "-", "ConversationID": conversation, "ResultParameters": told}
    return json.dumps({"Result": said}).encode()


def reversal(server: Server, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, Any]) -> MpesaRequest:
    monkeypatch.setattr(
        operations, "initiator", lambda: type("Operator", (), {"name": "x", "credential": lambda _: "c"})()
    )
    server.answers[REVERSAL] = [answer]
    with transaction() as session:
        asked = operations.ask_reversal(session, "NLJ7RT61SV", Money.of(500), "amina")
        assert asked is not None
    for _ in range(3):
        operations.operate(asked.id)
    assert [path for path, _body in server.asked].count(REVERSAL) == 1
    return asked


def state(asked: MpesaRequest) -> str:
    with transaction() as session:
        return session.get_one(MpesaRequest, asked.id).state


@pytest.mark.usefixtures("database", "settings")
def test_a_lost_answer_is_never_asked_again_and_its_result_is_believed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = reversal(server, monkeypatch, (502, ""))
    assert state(asked) == "unknown"
    assert arrives("result", result("0"), asked.token).outcome == "applied"
    assert state(asked) == "done"
    assert arrives("result", result("R000002"), asked.token).outcome == "duplicate"


@pytest.mark.usefixtures("database", "settings")
@pytest.mark.parametrize(
    ("body", "token"), [(result(), "not the token"), (result(conversation="AG_2"), None), (b"{}", None)]
)
def test_a_forged_result_changes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch, body: bytes, token: str | None
) -> None:
    asked = reversal(server, monkeypatch, TAKEN)
    assert arrives("result", body, token or asked.token).outcome == "quarantined"
    assert state(asked) == "taken"


@pytest.mark.usefixtures("database", "settings")
def test_late_in_the_queue_is_open_and_refused_is_not(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = reversal(server, monkeypatch, TAKEN)
    assert arrives("late", b"{}", asked.token).outcome == "applied"
    assert state(asked) == "unknown"
    arrives("result", result(1), asked.token)
    assert state(asked) == "failed"
    server.asked.clear()
    again = reversal(server, monkeypatch, (400, error("400.002.02", "Bad Request - Invalid Amount")))
    assert state(again) == "failed"
