"""MTN MoMo over the wire: tokens, one id for one payment, reasons, paces, and hosts that may not be called."""

import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
import requests

from core import config
from core.clock import frozen, now
from core.database import transaction
from core.money import Money
from payments import jobs
from payments.forms import Unreadable
from payments.models import PaymentIntent
from payments.wallets import mtn
from payments.wallets.line import Line, TokenCall
from payments.wallets.mtn import Mtn
from payments.wallets.pace import slow_down, take_place
from payments.wallets.protocol import (
    Accepted,
    Attempt,
    Busy,
    Failed,
    Missing,
    Outcome,
    Paid,
    Processing,
    Refused,
    Unknown,
)
from payments.wallets.registry import wallet
from simulators.mtn.settings import MtnSettings
from tests.payments.paying import PHONE, house, state_of
from tests.payments.providers import PIN, Provider, asked, notices, outcomes, provider, saying, utility, work

pytestmark = pytest.mark.usefixtures("database", "settings")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with utility(monkeypatch), provider("mtn", monkeypatch) as made:
        yield made


def attempt(phone: str = PHONE, amount: str = "12.50", url: str = "") -> Attempt:
    return Attempt(str(uuid4()), None, phone, Money.of(amount), "1000017", url)  # type: ignore[arg-type]


def client() -> Mtn:
    made = mtn.configured(config.settings())
    assert made is not None
    return made


def test_the_same_id_twice_is_one_payment(world: Provider) -> None:
    one = attempt()
    assert client().request(one) == Accepted()
    assert client().request(one) == Accepted()
    assert [entry["status"] for entry in world.log("MTN request to pay")] == [202, 409]
    world.answers(pin=PIN)
    assert len(world.book()) == 1


def test_the_amount_comes_back_in_its_shortest_form(world: Provider) -> None:
    one = attempt(amount="12.50")
    client().request(one)
    world.answers(pin=PIN)
    paid = client().status(one)
    assert isinstance(paid, Paid)
    assert (paid.amount, paid.receipt) == (Decimal("12.5"), world.book()[0]["receipt"])


def test_a_token_is_asked_for_once_and_again_where_it_was_revoked(world: Provider) -> None:
    ours = client()
    ours.request(attempt())
    ours.request(attempt())
    assert len(world.log("MTN token")) == 1
    world.tell("tokens/revoke")
    assert ours.request(attempt()) == Accepted()
    assert len(world.log("MTN token")) == 2


def test_a_token_is_renewed_ten_minutes_early(world: Provider) -> None:
    clock = [0.0]
    given = MtnSettings()
    call = TokenCall(
        "/collection/token/", mtn.TOKEN_EARLY_S, (given.api_user, given.api_key),
        headers={"Ocp-Apim-Subscription-Key": given.subscription_key},
    )  # fmt: skip
    ours = Mtn(Line(world.url, call, lambda: clock[0]), given.subscription_key, "sandbox", "KES", "KE")
    for at, tokens in ((0, 1), (2_990, 1), (3_010, 2)):
        clock[0] = at
        ours.status(attempt())
        assert len(world.log("MTN token")) == tokens


def test_many_threads_ask_for_one_token(world: Provider) -> None:
    ours = client()
    threads = [threading.Thread(target=ours.status, args=(attempt(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.log("MTN token")) == 1


def test_wrong_keys_ask_for_nothing(world: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    call = TokenCall("/collection/token/", 600, ("somebody", "else"))
    ours = Mtn(Line(world.url, call), "wrong", "sandbox", "KES", "KE")
    assert isinstance(ours.request(attempt()), Refused)
    assert world.log("MTN request to pay") == []


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("+46733123450", Failed("PAYER_NOT_FOUND", "PAYER_NOT_FOUND")),
        ("+46733123451", Failed("APPROVAL_REJECTED", "APPROVAL_REJECTED")),
        ("+46733123452", Failed("COULD_NOT_PERFORM_TRANSACTION", "COULD_NOT_PERFORM_TRANSACTION")),
        ("+46733123453", Processing()),
        ("+46733123454", Processing()),
    ],
)
def test_the_sandboxs_own_numbers(world: Provider, number: str, outcome: Outcome) -> None:
    one = attempt(phone=number)
    assert client().request(one) == Accepted()
    time.sleep(0.2)
    assert client().status(one) == outcome


def test_any_other_number_of_the_sandbox_pays_at_once(world: Provider) -> None:
    one = attempt(phone="+46733123999")
    client().request(one)
    time.sleep(0.2)
    assert isinstance(client().status(one), Paid)


def test_created_is_not_decided(world: Provider) -> None:
    """A status that no document has."""
    world.tell("faults", vague_status=1.0)
    one = attempt()
    client().request(one)
    assert client().status(one) == Processing()
    assert '"CREATED"' in world.log("MTN status")[-1]["reply"]


def test_what_was_never_heard_of_is_missing(world: Provider) -> None:
    assert client().status(attempt()) == Missing()


def test_what_was_forgotten_is_sent_again_under_its_id(world: Provider) -> None:
    home = house()
    world.tell("faults", forgotten=1.0)
    intent = asked(home.id, "mtn")
    jobs.push(intent.id)
    assert state_of(intent) == "sent"
    world.tell("faults", forgotten=0.0)
    jobs.query(intent.id)  # 404: it was not taken
    work()
    assert state_of(intent) == "sent"
    world.answers(pin=PIN)
    notices()
    work()
    assert state_of(intent) == "paid"
    assert {json.loads(entry["body"])["externalId"] for entry in world.log("MTN request to pay")} == {intent.reference}


def test_a_host_that_may_not_be_called_costs_the_callback_and_not_the_payment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with utility(monkeypatch), provider("mtn", monkeypatch, callback_host="mita.example") as world:
        home = house()
        intent = asked(home.id, "mtn")
        jobs.push(intent.id)
        assert state_of(intent) == "sent"
        assert [entry["status"] for entry in world.log("MTN request to pay")] == [500, 202]
        world.answers(pin=PIN)
        jobs.query(intent.id)
        assert state_of(intent) == "paid"
        assert world.log("MTN callback") == []


def test_asked_too_often_all_workers_wait(world: Provider) -> None:
    home = house()
    intent = asked(home.id, "mtn")
    jobs.push(intent.id)
    world.tell("faults", too_many=1.0)
    assert client().status(attempt()) == Busy()
    jobs.query(intent.id)
    with transaction() as session:
        has_place, seconds = take_place(session, wallet("mtn"))
    assert not has_place
    assert 5 < seconds <= 11


def test_ten_questions_a_second_and_no_more() -> None:
    ours = Mtn(Line("http://127.0.0.1:9", TokenCall("/", 0)), "", "sandbox", "KES", "KE")
    with frozen(now()), transaction() as session:
        waits = [take_place(session, ours) for _ in range(20)]
    granted = [seconds for has_place, seconds in waits if has_place]
    assert 5 <= len(granted) <= 7  # those of half a second; the others come again
    assert all(later - sooner >= 0.09 for sooner, later in pairwise(granted))
    with transaction() as session:
        slow_down(session, ours, 30)
        assert take_place(session, ours)[1] > 20


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"status": "FAILED", "reason": {"code": "NOT_ENOUGH_FUNDS", "message": "-"}}, "NOT_ENOUGH_FUNDS"),
        ({"status": "FAILED", "reason": "APPROVAL_REJECTED"}, "APPROVAL_REJECTED"),
        ({"status": "REJECTED"}, "REJECTED"),
        ({"status": "TIMEOUT"}, "TIMEOUT"),
    ],
)
def test_reasons_come_in_two_shapes(body: dict[str, Any], outcome: str) -> None:
    said = answered(200, body)
    assert isinstance(said, Failed)
    assert said.code == outcome


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"status": "SUCCESSFUL", "currency": "EUR", "amount": "5", "financialTransactionId": "1234"}),
        (200, {"status": "SUCCESSFUL", "currency": "KES", "financialTransactionId": "1234"}),
        (200, {"status": "MAYBE"}),
        (200, {}),
        (500, {"code": "INTERNAL_PROCESSING_ERROR"}),
        (404, {}),
    ],
)
def test_what_is_not_clear_is_no_answer(status: int, body: dict[str, Any]) -> None:
    assert isinstance(answered(status, body), Unknown)


def answered(status: int, body: dict[str, Any]) -> Outcome:
    """What our client makes of a status that says this."""
    with saying(status, body) as url:
        return Mtn(Line(url, TokenCall("/collection/token/", 0)), "", "sandbox", "KES", "KE").status(attempt())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"externalId": 5, "status": "SUCCESSFUL"}', b'{"externalId": "x", "status": "PAID"}',
        b'{"externalId": "x", "status": "SUCCESSFUL", "amount": "minus five"}',
        b'{"externalId": "", "status": "FAILED"}',
    ],
)  # fmt: skip
def test_a_callback_that_is_none(body: bytes) -> None:
    with pytest.raises(Unreadable):
        Mtn(Line("http://127.0.0.1:9", TokenCall("/", 0)), "", "sandbox", "KES", "KE").read_callback(body)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_callbacks_come_by_put_or_by_post(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    with utility(monkeypatch), provider("mtn", monkeypatch, callback_method=method) as world:
        intent = asked(house().id, "mtn")
        jobs.push(intent.id)
        world.answers(pin=PIN)
        notices()
        work()
        assert world.log("MTN callback")[0]["method"] == method
        assert outcomes() == ["applied"]


def test_a_callback_with_another_amount_is_put_aside_and_the_money_credited(world: Provider) -> None:
    world.tell("faults", wrong_amount=1.0)
    intent = asked(house().id, "mtn")
    jobs.push(intent.id)
    world.answers(pin=PIN)
    notices()
    work()
    assert outcomes() == ["quarantined"]
    assert state_of(intent) == "paid"


def test_the_sandboxs_provisioning(world: Provider) -> None:
    """What the operator does once: an API user, its key, its host."""
    keys = {"Ocp-Apim-Subscription-Key": MtnSettings().subscription_key, "X-Reference-Id": (user := str(uuid4()))}
    made = requests.post(
        f"{world.url}/v1_0/apiuser", json={"providerCallbackHost": "mita.example"}, headers=keys, timeout=5
    )
    key = requests.post(f"{world.url}/v1_0/apiuser/{user}/apikey", headers=keys, timeout=5)
    about = requests.get(f"{world.url}/v1_0/apiuser/{user}", headers=keys, timeout=5)
    assert (made.status_code, key.status_code) == (201, 201)
    assert about.json()["providerCallbackHost"] == "mita.example"
    call = TokenCall("/collection/token/", 600, (user, key.json()["apiKey"]), headers=keys)
    ours = Mtn(Line(world.url, call), MtnSettings().subscription_key, "sandbox", "KES", "KE")
    assert ours.status(attempt()) == Missing()


def test_the_attempts_id_is_committed_before_it_is_sent(world: Provider) -> None:
    intent = asked(house().id, "mtn")
    with transaction() as session:
        kept = session.get_one(PaymentIntent, intent.id).reference
    jobs.push(intent.id)
    assert world.see(f"prompts?phone={PHONE.lstrip('+')}")["prompts"][0]["id"] == kept
