"""The push: sent at most once, classified by what is said, asked about when it goes silent."""

from datetime import timedelta
from typing import Any

import pytest

from core.clock import frozen, now
from core.database import transaction
from core.money import Money
from core.phone import Phone
from payments import jobs
from payments.daraja import Daraja
from payments.intents import Refused as NotAsked
from payments.intents import Requested, request_payment
from payments.janitor import sweep
from payments.models import PaymentIntent
from payments.wallets import mpesa
from payments.wallets.protocol import Accepted, Busy, Failed, Paid, Processing, Refused, Unknown
from tests.payments.answering import PUSH, QUERY, Server, error
from tests.payments.paying import PHONE, arrives, broken, callback, house, sent, state_of, texts

pytestmark = pytest.mark.usefixtures("database", "settings")
TAKEN = {"ResponseCode": "0", "MerchantRequestID": "m", "CheckoutRequestID": "ws_CO_9"}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ((200, TAKEN), Accepted),
        ((400, error("400.002.02", "Bad Request - Invalid Amount")), Refused),
        ((500, error("500.001.1001", "Unable to lock subscriber, a transaction is already in process")), Refused),
        ((500, error("500.001.1001", "Something else altogether")), Unknown),
        ((500, error("500.003.1001", "Internal Server Error")), Unknown),
        ((200, {"ResponseCode": "0"}), Unknown),
        ((200, "<html>"), Unknown),
        ((502, ""), Unknown),
        ((429, error("429", "Spike arrest violation")), Refused),
    ],
)
def test_a_push_is_classified_by_what_is_said(server: Server, answer: tuple[int, Any], verdict: type) -> None:
    server.answers[PUSH] = [answer]
    client = mpesa.daraja()
    assert isinstance(client.stk_push(PHONE, 500, "1000017", "https://x/callbacks/s/stk/t"), verdict)


def test_a_stale_token_is_renewed_once(server: Server) -> None:
    server.answers[PUSH] = [(404, error("404.001.03", "Invalid Access Token")), (200, TAKEN)]
    assert isinstance(mpesa.daraja().stk_push(PHONE, 500, "1", "https://x/t"), Accepted)
    assert [path for path, _body in server.asked] == ["token", PUSH, "token", PUSH]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ((500, error("500.001.1001", "The transaction is being processed")), Processing),
        ((200, {"ResponseCode": "0", "ResultCode": "4999", "ResultDesc": "still"}), Processing),
        ((400, error("400.002.02", "Bad Request - Invalid CheckoutRequestID")), Processing),
        ((200, {"ResponseCode": "0", "ResultCode": "0", "ResultDesc": "ok"}), Paid),
        ((200, {"ResponseCode": "0", "ResultCode": "1032", "ResultDesc": "cancelled"}), Failed),
        ((200, {"ResponseCode": "0", "ResultCode": "E3008", "ResultDesc": "?"}), Unknown),
        ((429, error("429", "Spike arrest violation")), Busy),
        ((500, error("500.003.02", "System is busy. Spike Arrest.")), Busy),
    ],
)
def test_a_query_has_three_ways_to_say_wait(server: Server, answer: tuple[int, Any], verdict: type) -> None:
    server.answers[QUERY] = [answer]
    assert isinstance(mpesa.daraja().stk_query("ws_CO_9"), verdict)


def asked() -> PaymentIntent:
    home = house()
    with transaction() as session:
        made = request_payment(session, home.id, Money.of(500), PHONE, "key")
        assert isinstance(made, Requested)
        return made.intent


def test_the_prompt_goes_out_once_however_often_the_job_runs(server: Server) -> None:
    intent = asked()
    server.answers[PUSH] = [(200, TAKEN)]
    for _ in range(3):
        jobs.push(intent.id)
    assert server.pushes() == 1
    assert state_of(intent) == "sent"
    body = next(body for path, body in server.asked if path == PUSH)
    assert intent.token in body["CallBackURL"]
    assert body["Amount"] == "500"
    assert body["PhoneNumber"] == "254700000001"


def test_a_lost_answer_is_unknown_and_never_sent_again(server: Server) -> None:
    intent = asked()
    server.answers[PUSH] = [(502, "")]
    jobs.push(intent.id)
    jobs.push(intent.id)
    assert state_of(intent) == "unknown"
    assert server.pushes() == 1
    arrives("stk", callback(checkout="ws_CO_never_told"), intent.token)
    assert state_of(intent) == "paid"


def test_a_sender_that_died_leaves_it_unknown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    intent = asked()
    monkeypatch.setattr(Daraja, "stk_push", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        jobs.push(intent.id)
    assert state_of(intent) == "sending"
    with frozen(now() + timedelta(minutes=2)):
        sweep()
    assert state_of(intent) == "unknown"
    jobs.push(intent.id)
    assert server.pushes() == 0


def test_refused_is_told(server: Server) -> None:
    intent = asked()
    server.answers[PUSH] = [(400, error("400.002.02", "Bad Request - Invalid PhoneNumber"))]
    jobs.push(intent.id)
    assert state_of(intent) == "failed"
    with transaction() as session:
        assert "Nothing was paid" in texts(session, "notice")[0]


def test_paid_without_a_receipt_is_held_and_its_twin_brings_it(server: Server) -> None:
    home = house()
    intent = sent(home)
    server.answers[QUERY] = [(200, {"ResponseCode": "0", "ResultCode": "0", "ResultDesc": "ok"})]
    jobs.query(intent.id)
    assert state_of(intent) == "confirmed"
    arrives("stk", callback(), intent.token)
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert not broken(session)


def test_failed_by_query_needs_two_equal_answers(server: Server) -> None:
    intent = sent(house())
    server.answers[QUERY] = [(200, {"ResponseCode": "0", "ResultCode": "1037", "ResultDesc": "-"})] * 2
    jobs.query(intent.id)
    assert state_of(intent) == "sent"
    jobs.query(intent.id)
    assert state_of(intent) == "failed"


def test_the_janitor_asks_ever_more_slowly_and_then_leaves_it_to_people() -> None:
    intent, begun = sent(house()), now()
    asked_at = []
    for second in [*range(0, 1200, 5), *range(1200, 50 * 3600, 590)]:
        with frozen(begun + timedelta(seconds=second)):
            with transaction() as session:
                before = session.get_one(PaymentIntent, intent.id).polls
            sweep()
            with transaction() as session:
                if session.get_one(PaymentIntent, intent.id).polls > before:
                    asked_at.append(second)
    assert asked_at[:6] == [0, 25, 70, 160, 580, 1180]
    assert 48 * 3600 <= asked_at[-1] < 48 * 3600 + 1200
    assert state_of(intent) == "unknown"
    with transaction() as session:
        assert session.get_one(PaymentIntent, intent.id).next_poll_at is None


@pytest.mark.parametrize(
    ("amount", "phone", "reason"),
    [
        (Money(50), PHONE, "amount"),
        (Money.of(0), PHONE, "amount"),
        (Money.of(250_001), PHONE, "amount"),
        (Money.of(5), Phone("+256700000001"), "not_mobile"),
    ],
)
def test_what_cannot_be_asked(amount: Money, phone: Phone, reason: str) -> None:
    home = house()
    with transaction() as session:
        assert request_payment(session, home.id, amount, phone, "k") == NotAsked(reason)


def test_the_same_key_is_the_same_attempt_and_the_same_amount_must_wait() -> None:
    home = house()
    with transaction() as session:
        first = request_payment(session, home.id, Money.of(5), PHONE, "k")
        again = request_payment(session, home.id, Money.of(5), PHONE, "k")
        assert isinstance(first, Requested)
        assert isinstance(again, Requested)
        assert again.intent.id == first.intent.id
        assert request_payment(session, home.id, Money.of(5), PHONE, "k2") == NotAsked("duplicate_recent")
