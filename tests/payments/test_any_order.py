"""Whatever comes, in whatever order and however often: one credit a receipt, and paid stays paid."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.ledger import balance_of
from billing.models import Connection
from core.database import transaction
from core.money import Money
from payments.intents import move
from payments.models import PaymentIntent
from tests.payments.paying import arrives, broken, callback, house, next_door, paybill, sent, state_of

pytestmark = pytest.mark.usefixtures("database", "settings")
COMES = ("paid", "paid again", "cancelled", "no answer", "twin", "second payment", "query says paid", "forged")
_numbers = count(1000)


@pytest.fixture
def street() -> Connection:
    return house()


@given(comes=st.lists(st.sampled_from(COMES), max_size=10))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_credit_a_receipt(street: Connection, comes: list[str]) -> None:
    number = next(_numbers)
    checkout, own, other = f"ws_{number}", f"AAA{number:07}", f"BBB{number:07}"
    home = next_door(street, f"+2547{number:08}")
    intent = sent(home, key=checkout, amount=number, checkout=checkout)
    received: set[str] = set()
    was_paid = False
    for what in comes:
        _happen(what, intent, home.account_no, number, checkout, own, other)
        received |= {"paid": {own}, "paid again": {own}, "twin": {own}, "second payment": {other}}.get(what, set())
        with transaction() as session:
            assert balance_of(session, home.id) == Money.of(-number) * len(received)
        was_paid = was_paid or state_of(intent) == "paid"
        assert not was_paid or state_of(intent) == "paid"
    with transaction() as session:
        assert not broken(session)


def _happen(what: str, intent: PaymentIntent, account: str, amount: int, checkout: str, own: str, other: str) -> None:
    match what:
        case "paid" | "paid again":
            arrives("stk", callback(checkout=checkout, amount=amount, receipt=own), intent.token)
        case "cancelled" | "no answer":
            code = 1032 if what == "cancelled" else 1037
            arrives("stk", callback(checkout=checkout, code=code), intent.token)
        case "twin" | "second payment":
            receipt = own if what == "twin" else other
            arrives("paybill", paybill(account, amount=f"{amount}.00", receipt=receipt))
        case "query says paid":
            with transaction() as session:
                move(session, intent.id, "confirmed", ["sent", "unknown"])
        case _:
            arrives("stk", callback(checkout=checkout, amount=amount, receipt=f"F{own}"), "not the token")
