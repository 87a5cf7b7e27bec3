"""Airtel Money over the wire: short tokens, one id for one payment, unclear answers, hashes, refunds."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog

from billing.ledger import balance_of
from core import config
from core.database import transaction
from core.money import Money
from payments import jobs
from payments.forms import Unreadable
from payments.urls import callback_urls
from payments.wallets import airtel
from payments.wallets.airtel import Airtel, raw_transaction
from payments.wallets.line import Line, TokenCall
from payments.wallets.protocol import (
    Accepted,
    Answer,
    Attempt,
    Busy,
    Failed,
    Missing,
    Outcome,
    Paid,
    Processing,
    Refund,
    Refused,
    Unknown,
)
from simulators.airtel.settings import AirtelSettings
from tests.payments.paying import PHONE, house, state_of
from tests.payments.providers import PIN, Provider, asked, notices, outcomes, provider, saying, utility, work

pytestmark = pytest.mark.usefixtures("database", "settings")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with utility(monkeypatch), provider("airtel", monkeypatch) as made:
        yield made


def attempt(amount: int = 500) -> Attempt:
    return Attempt(str(uuid4()), None, PHONE, Money.of(amount), "1000017", "")


def client(url: str = "", hash_key: str = "", clock: list[float] | None = None) -> Airtel:
    ours = config.settings()
    keys = {"client_id": ours.airtel_client_id, "client_secret": ours.airtel_client_secret}
    call = TokenCall("/auth/oauth2/token", airtel.TOKEN_EARLY_S, json={**keys, "grant_type": "client_credentials"})
    line = (
        Line(url or ours.airtel_base_url, call, lambda: clock[0]) if clock else Line(url or ours.airtel_base_url, call)
    )
    return Airtel(line, "KE", "KES", hash_key)


def test_the_same_id_twice_is_one_payment(world: Provider) -> None:
    one = attempt()
    assert client().request(one) == Accepted()
    assert client().request(one) == Accepted()
    assert "ESB000041" in world.log("Airtel payment")[1]["reply"]
    world.answers(pin=PIN)
    assert len(world.book()) == 1


def test_the_number_goes_without_its_country_and_the_amount_as_a_number(world: Provider) -> None:
    client().request(attempt())
    body = json.loads(world.log("Airtel payment")[0]["body"])
    assert body["subscriber"]["msisdn"] == "700000001"
    assert body["transaction"]["amount"] == 500


def test_a_token_of_three_minutes_is_renewed_in_time(world: Provider) -> None:
    clock = [1.0]
    ours = client(clock=clock)
    for at, tokens in ((1, 1), (149, 1), (152, 2)):
        clock[0] = at
        ours.status(attempt())
        assert len(world.log("Airtel token")) == tokens


def test_a_token_that_was_revoked_is_renewed_once(world: Provider) -> None:
    ours = client()
    ours.status(attempt())
    world.tell("tokens/revoke")
    assert ours.request(attempt()) == Accepted()
    assert len(world.log("Airtel token")) == 2


def test_wrong_keys_ask_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with utility(monkeypatch), provider("airtel", monkeypatch, client_secret="another") as world:
        assert isinstance(client().request(attempt()), Refused)
        assert world.log("Airtel payment") == []


def test_the_amount_is_ours_for_airtel_says_none(world: Provider) -> None:
    home = house()
    intent = asked(home.id, "airtel", 730)
    jobs.push(intent.id)
    world.answers(pin=PIN)
    notices()
    work()
    assert "amount" not in world.log("Airtel callback")[0]["body"]
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-730)


def test_ambiguous_is_enquired_about_and_never_sent_under_another_id(world: Provider) -> None:
    home = house()
    world.tell("faults", broken=1.0)
    intent = asked(home.id, "airtel")
    jobs.push(intent.id)
    assert state_of(intent) == "unknown"
    world.tell("faults", broken=0.0, vague_status=1.0)
    work(ahead_s=15)
    assert state_of(intent) == "sent"
    jobs.query(intent.id)  # TA
    assert state_of(intent) == "sent"
    world.answers(pin=PIN)
    notices()
    work()
    assert state_of(intent) == "paid"
    ids = {json.loads(entry["body"])["transaction"]["id"] for entry in world.log("Airtel payment")}
    assert ids == {intent.reference}


def status(state: str, **more: object) -> dict[str, Any]:
    return {"data": {"transaction": {"id": "x", "message": "-", "status": state, **more}}, "status": {"success": True}}


@pytest.mark.parametrize(
    ("http", "body", "outcome"),
    [
        (200, status("TS", airtel_money_id="MP1.2.L3"), Paid("-", "MP1.2.L3")),
        (200, status("TS"), Paid("-", None)),
        (200, status("TF"), Failed("TF", "-")),
        (200, status("TE"), Failed("TE", "-")),
        (200, status("TIP"), Processing()),
        (200, status("TA"), Unknown("HTTP 200 TA")),
        (200, {"status": {"response_code": "DP00800001025", "success": False}}, Missing()),
        (429, {}, Busy()),
        (500, {}, Unknown("HTTP 500")),
        (200, {"data": "no object"}, Unknown("HTTP 200")),
    ],
)
def test_what_an_enquiry_says(http: int, body: dict[str, Any], outcome: Outcome) -> None:
    with saying(http, body) as url:
        assert client(url).status(attempt()) == outcome


@pytest.mark.parametrize(
    ("http", "result", "response", "kind"),
    [
        (200, "ROUTER117", "DP00800001000", Unknown),
        (200, "ESB000001", "", Unknown),
        (400, "ESB000004", "", Unknown),
        (408, "", "", Unknown),
        (200, "ESB000010", "DP00800001006", Unknown),
        (200, "ESB000010", "DP00800001000", Unknown),
        (429, "", "", Unknown),
        (400, "ESB000041", "", Accepted),
        (400, "ESB000008", "DP00800001004", Refused),
        (200, "ESB000011", "DP00800001007", Refused),
        (200, "", "", Unknown),
    ],
)
def test_what_a_request_is_answered(http: int, result: str, response: str, kind: type[Answer]) -> None:
    body = {"status": {"result_code": result, "response_code": response, "success": False, "message": "-"}}
    with saying(http, body) as url:
        assert isinstance(client(url).request(attempt()), kind)


def test_a_transaction_is_read_byte_for_byte() -> None:
    inner = b'{ "id":"a}{", "note":"\\"", "more": {"n": 1.0} }'
    assert raw_transaction(b'{"hash":"x", "transaction" :  ' + inner + b', "z": {}}') == inner
    assert raw_transaction(b'{"transaction": "none"}') == b""
    assert raw_transaction(b'{"transaction": {"open": 1') == b""


@pytest.mark.parametrize("right", [True, False])
def test_a_hash_that_is_not_ours_is_noted_and_the_status_decides(monkeypatch: pytest.MonkeyPatch, right: bool) -> None:
    key = "a-key-of-the-portal"
    with (
        utility(monkeypatch, AIRTEL_HASH_KEY=key),
        provider("airtel", monkeypatch, hash_key=key) as world,
        structlog.testing.capture_logs() as logs,
    ):
        world.tell("faults", wrong_hash=0.0 if right else 1.0)
        intent = asked(house().id, "airtel")
        jobs.push(intent.id)
        world.answers(pin=PIN)
        notices()
        work()
        assert state_of(intent) == "paid"
        sent = world.log("Airtel callback")[0]["body"].encode()
        ours = base64.b64encode(hmac.digest(key.encode(), raw_transaction(sent), hashlib.sha256)).decode()
        assert (json.loads(sent)["hash"] == ours) is right
        assert any(entry["event"] == "airtel.hash_differs" for entry in logs) is not right


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"transaction": []}', b'{"transaction": {"id": 5, "status_code": "TS"}}',
        b'{"transaction": {"id": "x", "status_code": "PAID"}}', b'{"transaction": {"id": "", "status_code": "TF"}}',
    ],
)  # fmt: skip
def test_a_callback_that_is_none(body: bytes) -> None:
    with pytest.raises(Unreadable):
        client("http://127.0.0.1:9").read_callback(body)


def test_a_refund_gives_the_money_back_once(world: Provider) -> None:
    one = attempt()
    client().request(one)
    world.answers(pin=PIN)
    receipt = world.book()[0]["receipt"]
    refund = Refund("r-1", receipt, one.reference, PHONE, Money.of(500), "paid twice")
    assert client().refund(refund) == Accepted()
    assert world.book()[0]["refunded"]
    assert world.see(f"wallet?phone={PHONE.lstrip('+')}")["balance"] == str(AirtelSettings().opening_balance)
    assert isinstance(client().refund(refund), Refused)


def test_one_address_is_registered_for_all(world: Provider) -> None:
    """It holds the secret and no token: the id in the body is ours, and nobody can guess it."""
    assert callback_urls(config.settings())["airtel"].endswith("/wallet/airtel")
    intent = asked(house().id, "airtel")
    jobs.push(intent.id)
    world.answers(action="cancel")
    notices()
    work()
    assert (outcomes(), state_of(intent)) == (["applied"], "failed")
