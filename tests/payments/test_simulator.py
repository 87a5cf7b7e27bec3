"""Push, PIN, callback and credit over the wire, with a Daraja in its own process."""

import pytest

from billing.ledger import balance_of
from core.config import Settings
from core.database import transaction
from core.money import Money
from payments import jobs, pulling
from payments.wallets.protocol import Accepted, Paid, Processing, Refused
from tests.payments.paying import PHONE, house, receipts, state_of, texts
from tests.payments.subscribing import PIN, Subscriber, client_of, eventually, pushed, settled


def test_a_pin_becomes_one_credit_by_every_road(subscriber: Subscriber) -> None:
    home = house()
    subscriber.tells("faults", callback_copies=3, confirm_pushes=True)
    intent = pushed(home)
    subscriber.answers(pin=PIN)
    outcomes = settled(6)  # three of the push's callback, three of its twin
    assert (outcomes.count("applied"), outcomes.count("duplicate")) == (1, 5)
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
        assert receipts(session) == 1
        assert len(texts(session, "receipt")) == 1


@pytest.mark.parametrize(("said", "words"), [({"action": "cancel"}, "cancelled"), ({"pin": "0000"}, "PIN was wrong")])
def test_no_pin_no_credit(subscriber: Subscriber, said: dict[str, str], words: str) -> None:
    home = house()
    intent = pushed(home)
    subscriber.answers(**said)
    assert settled(1) == ["applied"]
    assert state_of(intent) == "failed"
    with transaction() as session:
        (told,) = texts(session, "notice")
        assert balance_of(session, home.id) == Money.zero()
    assert words in told


def test_a_silent_push_is_found_by_asking(subscriber: Subscriber) -> None:
    home = house()
    subscriber.tells("faults", callback_copies=0)
    intent = pushed(home)
    jobs.query(intent.id)
    assert state_of(intent) == "sent"
    subscriber.answers(pin=PIN)

    def known() -> bool:
        jobs.query(intent.id)
        return state_of(intent) == "confirmed"

    eventually(known)
    with transaction() as session:
        assert balance_of(session, home.id) == Money.zero()
    with transaction() as session:
        run = pulling.begin(session, "quick", intent.created_at)
    pulling.read_list(run.id)
    assert settled(1) == ["applied"]
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)


@pytest.mark.parametrize("shape", ["500", "4999", "400"])
def test_the_client_alone(subscriber: Subscriber, utility: Settings, shape: str) -> None:
    client = client_of(utility, subscriber)
    subscriber.tells("faults", pending_shape=shape)
    subscriber.tells("tokens/revoke")
    callback = f"{utility.public_base_url}/callbacks/{utility.gateway_secret}/stk/abc"
    taken = client.stk_push(PHONE, 40, "1000017", callback)
    assert isinstance(taken, Accepted)
    subscriber.tells("tokens/revoke")
    assert isinstance(client.stk_query(taken.checkout_request_id), Processing)
    subscriber.answers(pin=PIN)
    eventually(lambda: isinstance(client.stk_query(taken.checkout_request_id), Paid))
    assert isinstance(client_of(utility, subscriber, secret="wrong").stk_push(PHONE, 40, "1", callback), Refused)
