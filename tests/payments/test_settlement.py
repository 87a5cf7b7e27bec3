"""A shilling that M-Pesa says it received is credited once, whatever comes twice, late or forged."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from billing.ledger import balance_of
from core.database import transaction
from core.money import Money
from payments import receipts as crediting
from payments import settlement
from payments.models import Receipt
from tests.payments.paying import (
    arrives,
    broken,
    callback,
    house,
    paybill,
    receipts,
    sent,
    state_of,
    texts,
)

pytestmark = pytest.mark.usefixtures("database", "settings")


def balance(connection_id: int) -> Money:
    with transaction() as session:
        assert not broken(session)
        return balance_of(session, connection_id)


def test_paid_is_credited_and_thanked_for() -> None:
    home = house()
    intent = sent(home)
    assert arrives("stk", callback(), intent.token).outcome == "applied"
    assert state_of(intent) == "paid"
    assert balance(home.id) == Money.of(-500)
    with transaction() as session:
        (thanks,) = texts(session, "receipt")
    assert thanks == (
        f"Received KES 500 for connection {home.account_no}. M-Pesa receipt NLJ7RT61SV. "
        "You have KES 500 in credit. Thank you."
    )


@pytest.mark.parametrize("amount", [500, 500.0, "500", "500.00"])
@pytest.mark.parametrize("code", [0, "0"])
def test_numbers_come_in_several_dresses(amount: object, code: object) -> None:
    home = house()
    arrives("stk", callback(amount=amount, code=code), sent(home).token)
    assert balance(home.id) == Money.of(-500)


def test_fifty_copies_at_once_are_one_credit() -> None:
    home = house()
    token = sent(home).token
    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(lambda _: arrives("stk", callback(), token).outcome, range(50)))
    assert sorted(set(outcomes)) == ["applied", "duplicate"]
    assert outcomes.count("applied") == 1
    assert balance(home.id) == Money.of(-500)
    with transaction() as session:
        assert len(texts(session, "receipt")) == 1


@pytest.mark.parametrize("push_first", [True, False])
def test_the_same_receipt_by_both_roads_is_one_credit(push_first: bool) -> None:
    home = house()
    intent = sent(home)
    roads = [("stk", callback(), intent.token), ("paybill", paybill(home.account_no), None)]
    for kind, body, token in roads if push_first else reversed(roads):
        arrives(kind, body, token)
    assert balance(home.id) == Money.of(-500)
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert receipts(session) == 1
        assert session.query(Receipt).one().intent_id == intent.id


@pytest.mark.parametrize(
    ("token", "body", "why"),
    [
        ("0" * 40, callback(), "no attempt has this token"),
        (None, callback(checkout="ws_CO_other"), "another CheckoutRequestID"),
        (None, callback(amount=5), "another amount"),
        (None, callback(code=4999), "not known to be final"),
        (None, b"{", "not JSON"),
        (None, b"[1]", "not a JSON object"),
        (None, b'{"Body": 1}', "lacks its body"),
        (None, b"\xff\x00" * 100, "not JSON"),
        (None, json.dumps({"Body": {"stkCallback": {"ResultCode": 0}}}).encode(), "wrong or missing"),
    ],
)
def test_what_may_be_forged_or_broken_credits_nothing_and_is_kept(token: str | None, body: bytes, why: str) -> None:
    home = house()
    intent = sent(home)
    notice = arrives("stk", body, token or intent.token)
    assert (notice.outcome, notice.body) == ("quarantined", body)
    assert why in (notice.note or "")
    assert balance(home.id) == Money.zero()
    assert state_of(intent) == "sent"


@pytest.mark.parametrize(
    ("code", "words"),
    [(1032, "cancelled"), ("2001", "PIN was wrong"), (1, "too low"), (1037, "no answer"), (17, "2 minutes")],
)
def test_a_failure_is_told_once_in_plain_words(code: object, words: str) -> None:
    home = house()
    intent = sent(home)
    arrives("stk", callback(code=code), intent.token)
    assert arrives("stk", callback(code=code), intent.token).outcome == "duplicate"
    assert state_of(intent) == "failed"
    with transaction() as session:
        (said,) = texts(session, "notice")
    assert words in said


def test_success_with_a_receipt_wins_over_failure_in_any_order() -> None:
    home = house()
    intent = sent(home)
    arrives("stk", callback(code=1037), intent.token)
    arrives("stk", callback(), intent.token)
    arrives("stk", callback(code=1032), intent.token)
    assert state_of(intent) == "paid"
    assert balance(home.id) == Money.of(-500)


def test_an_unknown_account_lies_in_suspense() -> None:
    house()
    assert arrives("paybill", paybill("no such account")).note == "in suspense"
    with transaction() as session:
        assert session.query(Receipt).one().connection_id is None
        assert not broken(session)


def test_another_short_code_is_not_ours() -> None:
    home = house()
    assert arrives("paybill", paybill(home.account_no, shortcode="999999")).outcome == "quarantined"
    assert balance(home.id) == Money.zero()


def test_a_crash_before_the_commit_leaves_nothing_and_the_next_run_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    home = house()
    intent = sent(home)
    with monkeypatch.context() as broken_off:
        broken_off.setattr(crediting, "thank", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            arrives("stk", callback(), intent.token)
    assert balance(home.id) == Money.zero()
    assert state_of(intent) == "sent"
    settlement.settle(1)
    settlement.settle(1)
    assert balance(home.id) == Money.of(-500)
