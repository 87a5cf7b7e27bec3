"""One contract for all wallets: what is accepted, refused, lost, doubled or forged comes to the same at each."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import select

from billing.ledger import balance_of
from billing.models import Connection
from core.clock import now
from core.config import settings
from core.database import transaction
from core.money import Money
from payments import jobs
from payments.janitor import sweep
from payments.models import Notice, PaymentIntent, Receipt
from payments.settlement import settle
from payments.urls import callback_url
from payments.wallets.registry import wallet
from tests.payments.paying import broken, house, receipts, state_of, texts
from tests.payments.providers import NAMES, PIN, Provider, asked, notices, outcomes, provider, utility, work

pytestmark = pytest.mark.usefixtures("database", "settings")


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with utility(monkeypatch), provider(request.param, monkeypatch) as made:
        yield made


def credited(home: Connection, amount: int = 500) -> None:
    """One credit of that amount, one receipt, one SMS, and books that are right."""
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-amount)
        assert receipts(session) == 1
        assert len(texts(session, "receipt")) == 1
        assert not broken(session)


def nothing(home: Connection) -> None:
    with transaction() as session:
        assert balance_of(session, home.id) == Money.zero()
        assert receipts(session) == 0
        assert not broken(session)


def looked_after(intent: PaymentIntent, state: str) -> None:
    """The janitor asks, as soon as it may, until the attempt is in that state."""
    for _ in range(12):
        if state_of(intent) == state:
            return
        with transaction() as session:
            open_now = session.get_one(PaymentIntent, intent.id)
            if open_now.next_poll_at is not None:
                open_now.next_poll_at = now()
        sweep()
        work(ahead_s=15)
    assert state_of(intent) == state


def test_accepted_and_paid(world: Provider) -> None:
    home = house()
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    assert state_of(intent) == "sent"
    nothing(home)
    world.answers(pin=PIN)
    notices()
    work()
    assert state_of(intent) == "paid"
    assert outcomes() == ["applied"]
    credited(home)
    with transaction() as session:
        receipt = session.scalars(select(Receipt)).one()
        assert (receipt.provider, receipt.shortcode) == (world.name, wallet(world.name).shortcode)
        assert receipt.receipt == world.book()[0]["receipt"].upper()


@pytest.mark.parametrize(
    ("said", "words"),
    [({"action": "cancel"}, "you cancelled"), ({"pin": "9999"}, "Nothing was paid")],
    ids=["cancelled", "wrong PIN"],
)
def test_no_pin_no_credit(world: Provider, said: dict[str, str], words: str) -> None:
    home = house()
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    world.answers(**said)
    notices()
    work()
    assert state_of(intent) == "failed"
    nothing(home)
    with transaction() as session:
        assert words in texts(session, "notice")[0]


def test_too_little_money_is_told_in_words(world: Provider) -> None:
    home = house()
    intent = asked(home.id, world.name, amount=9_000)
    jobs.push(intent.id)
    world.answers(pin=PIN)
    notices()
    work()
    assert state_of(intent) == "failed"
    with transaction() as session:
        assert "balance is too low" in texts(session, "notice")[0]
    nothing(home)


def test_an_answer_that_was_lost_pays_once(world: Provider) -> None:
    """M-Pesa is never asked twice; the others are, under the same id, and carry it out once."""
    home = house()
    world.tell("faults", answer_lost=1.0, callback_copies=0)
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    assert state_of(intent) == "unknown"
    world.tell("faults", answer_lost=0.0)
    jobs.push(intent.id)
    again = wallet(world.name).facts.resend_is_safe
    assert state_of(intent) == ("sent" if again else "unknown")
    world.answers(pin=PIN)
    looked_after(intent, "paid")
    assert len(world.book()) == 1
    credited(home)


def test_an_answer_that_is_not_clear_is_not_a_failure(world: Provider) -> None:
    home = house()
    world.tell("faults", broken=1.0)
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    assert state_of(intent) == "unknown"
    with transaction() as session:
        assert texts(session, "notice") == []
    nothing(home)


def test_a_provider_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, for sure: she is told at once."""
    nowhere = dict.fromkeys(("DARAJA_BASE_URL", "MTN_BASE_URL", "AIRTEL_BASE_URL"), "http://127.0.0.1:9")
    with utility(monkeypatch, **nowhere):
        home = house()
        for name in NAMES:
            intent = asked(home.id, name, 500 + len(name), key=name)
            jobs.push(intent.id)
            assert state_of(intent) == "failed", name


def test_a_callback_before_the_answer(world: Provider) -> None:
    home = house()
    world.tell("faults", by_itself=True, thinks_s=0.0, answer_after_callback=1.0)
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    notices()
    work()
    assert state_of(intent) == "paid"
    credited(home)


def test_a_callback_that_never_comes(world: Provider) -> None:
    home = house()
    world.tell("faults", drop=1.0)
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    world.answers(pin=PIN)
    looked_after(intent, "paid")
    credited(home)


def test_copies_of_a_callback_are_one_credit(world: Provider) -> None:
    home = house()
    world.tell("faults", callback_copies=5, callback_jitter_s=0.2)
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    world.answers(pin=PIN)
    notices(5)
    work(ahead_s=15)
    assert sorted(map(str, outcomes())) == ["applied", *["duplicate"] * 4]
    assert state_of(intent) == "paid"
    credited(home)


def test_fifty_copies_at_once_are_one_credit(world: Provider) -> None:
    home = house()
    world.tell("faults", callback_copies=50)
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    world.answers(pin=PIN)
    waiting = notices(50)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(settle, waiting))
    work(ahead_s=15)
    assert outcomes().count("applied") == 1
    assert outcomes().count("duplicate") == 49
    assert len(world.log("MTN status") + world.log("Airtel enquiry")) == (world.name != "mpesa")
    credited(home)


def test_a_failure_that_was_not_one(world: Provider) -> None:
    """A callback says failed, the next one paid: the money is credited, whatever was said before."""
    home = house()
    world.tell("faults", failure_first=1.0)
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    world.answers(pin=PIN)
    notices(2)
    work(ahead_s=15)
    assert state_of(intent) == "paid"
    credited(home)


FORGERIES = ("wrong token", "wrong secret", "wrong id", "not paid", "wrong amount")
NO_FORGERY = (("airtel", "wrong amount"), ("mpesa", "not paid"))
"""Airtel's callback has no amount; M-Pesa's is believed, its token is its proof."""


@pytest.mark.parametrize(
    ("world", "forged"),
    [(name, forged) for name in NAMES for forged in FORGERIES if (name, forged) not in NO_FORGERY],
    indirect=["world"],
)
def test_a_forged_callback_credits_nothing(world: Provider, forged: str) -> None:
    """It is kept, put aside and shown to the office, and the provider is believed, not the callback."""
    home = house()
    intent = asked(home.id, world.name)
    jobs.push(intent.id)
    with transaction() as session:
        intent = session.get_one(PaymentIntent, intent.id)
    url = callback_url(settings(), world.name, intent.token)
    body = claim_of(world.name, intent, 499 if forged == "wrong amount" else 500)
    if forged == "wrong token":
        url = callback_url(settings(), world.name, "guessed")
        body = body if "guessed" in url else claim_of(world.name, intent, 500, reference="guessed-id")
    if forged == "wrong secret":
        url = url.replace(settings().gateway_secret, "a-secret-that-was-guessed")
    if forged == "wrong id":
        body = claim_of(world.name, intent, 500, reference="ws_CO_another")
    answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=10)
    assert answer.status_code == (404 if forged == "wrong secret" else 200)
    work()
    with transaction() as session:  # it may still be true in a moment, for two minutes
        for notice in session.scalars(select(Notice)):
            notice.received_at = notice.received_at.replace(year=notice.received_at.year - 1)
    work(ahead_s=15)
    nothing(home)
    assert set(outcomes()) <= {"quarantined"}
    assert bool(outcomes()) == (forged != "wrong secret")
    assert state_of(intent) == "sent"


def claim_of(name: str, intent: PaymentIntent, amount: int, reference: str = "") -> str:
    """A callback that says it was paid, as each provider writes it."""
    if name == "mpesa":
        items = [{"Name": "Amount", "Value": amount}, {"Name": "MpesaReceiptNumber", "Value": "NLJ7RT61SV"}]
        callback = {
            "MerchantRequestID": "m", "CheckoutRequestID": reference or intent.checkout_request_id, "ResultCode": 0,
            "ResultDesc": "-", "CallbackMetadata": {"Item": items},
        }  # fmt: skip
        return json.dumps({"Body": {"stkCallback": callback}})
    if name == "mtn":
        return json.dumps({
            "amount": str(amount), "currency": "KES", "externalId": reference or intent.reference,
            "financialTransactionId": "1234567890", "status": "SUCCESSFUL",
        })  # fmt: skip
    transaction = {"id": reference or intent.reference, "message": "Paid", "status_code": "TS"}
    return json.dumps({"transaction": {**transaction, "airtel_money_id": "MP261121.1021.L06941"}})
