"""Whatever comes, in whatever order and however often: one credit a receipt, and paid stays paid."""

from dataclasses import dataclass, field
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
COMES = (
    "paid", "paid again", "rival", "cancelled", "no answer", "twin", "mistyped twin", "second payment",
    "query says paid", "answer lost", "forged",
)  # fmt: skip
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
    books = Expected(own, f"RRR{number:07}", other)
    was_paid = False
    for what in comes:
        _happen(what, intent, home.account_no, number, checkout, books)
        books.hear(what)
        with transaction() as session:
            assert balance_of(session, home.id) == Money.of(-number) * len(books.credited)
        was_paid = was_paid or state_of(intent) == "paid"
        assert not was_paid or state_of(intent) == "paid"
    with transaction() as session:
        assert not broken(session)


@dataclass
class Expected:
    """The receipts that should be credited: a push's callback names one, and the PayBill's notices any number."""

    own: str
    rival: str
    other: str
    credited: set[str] = field(default_factory=set)
    in_suspense: bool = False
    named: str = ""

    def hear(self, what: str) -> None:
        match what:
            case "paid" | "paid again" | "rival":
                said = self.rival if what == "rival" else self.own
                self.named = self.named or said
                if self.named == said:
                    self.credited.add(said)
            case "twin" if not self.in_suspense:
                self.credited.add(self.own)
            case "mistyped twin":
                self.in_suspense = self.own not in self.credited
            case "second payment":
                self.credited.add(self.other)
        self.in_suspense = self.in_suspense and self.own not in self.credited


def _happen(what: str, intent: PaymentIntent, account: str, amount: int, checkout: str, books: Expected) -> None:
    match what:
        case "paid" | "paid again" | "rival":
            receipt = books.rival if what == "rival" else books.own
            arrives("stk", callback(checkout=checkout, amount=amount, receipt=receipt), intent.token)
        case "cancelled" | "no answer":
            code = 1032 if what == "cancelled" else 1037
            arrives("stk", callback(checkout=checkout, code=code), intent.token)
        case "twin" | "mistyped twin" | "second payment":
            receipt = books.other if what == "second payment" else books.own
            said = "by the river" if what == "mistyped twin" else account
            arrives("paybill", paybill(said, amount=f"{amount}.00", receipt=receipt))
        case "query says paid":
            with transaction() as session:
                move(session, intent.id, "confirmed", ["sent", "unknown"])
        case "answer lost":
            with transaction() as session:
                if move(session, intent.id, "unknown", ["sent"]):
                    session.get_one(PaymentIntent, intent.id).checkout_request_id = None
        case _:
            arrives("stk", callback(checkout=checkout, amount=amount, receipt=f"F{books.own}"), "not the token")
