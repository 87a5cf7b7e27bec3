"""What goes wrong between M-Pesa and us, each in turn, over real HTTP: in the end its book and ours agree."""

import pytest
import requests

from billing.ledger import balance_of
from billing.models import Connection
from core.database import transaction
from core.money import Money
from payments import jobs, pulling
from payments.models import PaymentIntent
from tests.payments.paying import house, receipts, state_of, texts
from tests.payments.subscribing import MSISDN, PIN, Subscriber, eventually, pushed, settled

ASKED = 500


def pulled() -> None:
    with transaction() as session:
        run = pulling.begin(session, "day", pulling.now() - pulling.REACH + pulling.MARGIN)
    pulling.read_list(run.id)
    settled(0)


def books_agree(subscriber: Subscriber, home: Connection) -> None:
    """What the simulator's own book says was paid is what the connection was credited with, each receipt once."""
    book = subscriber.sees("book")["payments"]
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-sum(payment["amount"] for payment in book))
        assert receipts(session) == len(book)
        assert len(texts(session, "receipt")) == len(book)


def pays(subscriber: Subscriber, home: Connection, *, state: str = "sent", **faults: object) -> PaymentIntent:
    subscriber.tells("faults", **faults)
    intent = pushed(home, state)
    subscriber.answers(pin=PIN)
    return intent


def test_the_answer_is_lost_and_the_callback_comes(subscriber: Subscriber) -> None:
    home = house()
    intent = pays(subscriber, home, state="unknown", answer_lost=1.0)
    assert settled(1) == ["applied"]
    assert state_of(intent) == "paid"
    books_agree(subscriber, home)


def test_the_answer_and_the_callback_are_lost(subscriber: Subscriber) -> None:
    home = house()
    intent = pays(subscriber, home, state="unknown", answer_lost=1.0, drop=1.0)
    eventually(lambda: subscriber.sees("book")["payments"])
    pulled()
    assert state_of(intent) == "paid"
    books_agree(subscriber, home)
    pulled()
    books_agree(subscriber, home)


def test_the_callback_comes_before_the_answer(subscriber: Subscriber) -> None:
    home = house()
    subscriber.tells("faults", answer_after_callback=1.0, by_itself=True, thinks_s=0.1)
    intent = pushed(home, None)
    assert settled(1) == ["applied"]
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert session.get_one(PaymentIntent, intent.id).checkout_request_id is not None
    books_agree(subscriber, home)


def test_a_failure_that_was_none(subscriber: Subscriber) -> None:
    home = house()
    intent = pays(subscriber, home, failure_first=1.0)
    assert settled(2) == ["applied", "applied"]
    assert state_of(intent) == "paid"
    books_agree(subscriber, home)


def test_the_query_denies_what_the_callback_says(subscriber: Subscriber) -> None:
    home = house()
    intent = pays(subscriber, home, query_denies=1.0, callback_delay_s=2.0)
    eventually(lambda: subscriber.sees("book")["payments"])
    jobs.query(intent.id)
    jobs.query(intent.id)
    assert state_of(intent) == "failed"  # two equal answers
    assert settled(1) == ["applied"]
    assert state_of(intent) == "paid"
    jobs.query(intent.id)
    assert state_of(intent) == "paid"
    books_agree(subscriber, home)


def test_a_callback_names_another_amount(subscriber: Subscriber) -> None:
    home = house()
    intent = pays(subscriber, home, wrong_amount=1.0)
    assert settled(1) == ["quarantined"]
    with transaction() as session:
        assert balance_of(session, home.id) == Money.zero()
    jobs.query(intent.id)
    assert state_of(intent) == "confirmed"
    pulled()
    assert state_of(intent) == "paid"
    books_agree(subscriber, home)


def test_a_confirmation_names_another_short_code(subscriber: Subscriber) -> None:
    home = house()
    subscriber.tells("faults", wrong_shortcode=1.0)
    paid = {"phone": MSISDN, "account": home.account_no, "amount": "70", "pin": PIN}
    requests.post(f"{subscriber.url}/sim/paybill", json=paid, timeout=10).raise_for_status()
    assert settled(1) == ["quarantined"]
    pulled()
    books_agree(subscriber, home)


@pytest.mark.parametrize("typed", [" {0} ", "acc {0}", "A/C No. {0}", "{0:.3}-{1}"])
def test_an_account_as_people_type_it(subscriber: Subscriber, typed: str) -> None:
    home = house()
    account = typed.format(home.account_no, home.account_no[3:])
    paid = {"phone": MSISDN, "account": account, "amount": "70", "pin": PIN}
    requests.post(f"{subscriber.url}/sim/paybill", json=paid, timeout=10).raise_for_status()
    assert settled(1) == ["applied"]
    books_agree(subscriber, home)


def test_copies_that_overtake_one_another(subscriber: Subscriber) -> None:
    home = house()
    pays(subscriber, home, callback_copies=5, callback_jitter_s=0.3, confirm_pushes=True)
    outcomes = settled(10)
    assert (outcomes.count("applied"), outcomes.count("duplicate")) == (1, 9)
    books_agree(subscriber, home)


def test_two_attempts_that_are_both_paid(subscriber: Subscriber) -> None:
    """The second is more than was owed: a prepayment, and never dropped."""
    home = house()
    subscriber.tells("faults", by_itself=True, thinks_s=0.0)
    first, second = pushed(home, key="one"), pushed(home, key="two", amount=300)
    settled(2)
    assert (state_of(first), state_of(second)) == ("paid", "paid")
    books_agree(subscriber, home)


def test_the_same_amount_at_once_is_refused_and_said(subscriber: Subscriber) -> None:
    home = house()
    intent = pays(subscriber, home)
    settled(1)
    again = pushed_anyway(home)
    settled(2)
    assert (state_of(intent), state_of(again)) == ("paid", "failed")
    with transaction() as session:
        assert "only once in 2 minutes" in texts(session, "notice")[0]
    books_agree(subscriber, home)


def pushed_anyway(home: Connection) -> PaymentIntent:
    """A second push of the same amount, as if our own guard against it were gone."""
    with transaction() as session:
        for intent in session.query(PaymentIntent):
            intent.created_at -= pulling.DAY
    return pushed(home, key="two")
