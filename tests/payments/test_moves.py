"""Money that moves after it came: out of suspense and back, to the right account, to who paid it; the sums stay."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.books import check
from billing.ledger import balance_of
from billing.models import LedgerEntry
from core.clock import now
from core.database import transaction
from core.money import Money
from payments import refunds
from payments.approvals import MoneyRefusal, available, decide, moves_of, standing, waiting
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.receipts import Credit, MoneyIn, credit
from payments.refunds import refund
from payments.suspense import allocate, give_back, held
from payments.transfers import transfer
from tests.billing.estate import Estate
from tests.payments.paying import arrives, broken, house, next_door, paybill, texts

pytestmark = pytest.mark.usefixtures("database", "settings")
AMINA, BARAKA = "office amina", "office baraka"


def in_suspense(amount: str = "500.00", number: str = "SUS0000001") -> int:
    arrives("paybill", paybill("no such account", amount=amount, receipt=number))
    with transaction() as session:
        return session.scalars(select(Receipt.id).where(Receipt.receipt == number)).one()


def whole(session: Session) -> None:
    assert not broken(session)
    assert not [row for row in check(session) if row.violations]


def test_suspense_is_allocated_once_and_its_owner_is_thanked() -> None:
    home, receipt_id = house(), in_suspense()
    with transaction() as session:
        assert held(session) == (1, Money.of(500))
        done = allocate(session, receipt_id, home.id, "She called and named her account", AMINA)
        assert isinstance(done, MoneyMove)
        assert done.status == "posted"
    with transaction() as session:
        assert allocate(session, receipt_id, home.id, "again", AMINA) == MoneyRefusal("amount")
        assert balance_of(session, home.id) == Money.of(-500)
        assert held(session) == (0, Money.of(0))
        assert session.get_one(Receipt, receipt_id).connection_id == home.id
        assert len(texts(session, "receipt")) == 1
        whole(session)


def test_an_allocation_goes_back_by_a_contra_entry_and_can_be_made_anew() -> None:
    home, receipt_id = house(), in_suspense()
    other = next_door(home, "+254700000009")
    with transaction() as session:
        allocate(session, receipt_id, home.id, "by her name", AMINA)
        assert isinstance(give_back(session, receipt_id, home.id, "it was another Amina", AMINA), MoneyMove)
        assert held(session) == (1, Money.of(500))
        assert balance_of(session, home.id) == Money.of(0)
        allocate(session, receipt_id, other.id, "by her meter", BARAKA)
    with transaction() as session:
        assert balance_of(session, other.id) == Money.of(-500)
        assert [move.kind for move in moves_of(session, receipt_id)] == ["allocation", "return", "allocation"]
        assert session.scalar(select(LedgerEntry.id).where(LedgerEntry.source.like("receipt:%"))) is not None
        whole(session)


def test_one_payment_for_three_houses_is_split() -> None:
    home, receipt_id = house(), in_suspense()
    other = next_door(home, "+254700000009")
    with transaction() as session:
        allocate(session, receipt_id, home.id, "her part", AMINA, Money.of(200))
        assert session.get_one(Receipt, receipt_id).connection_id is None
        whole(session)
        allocate(session, receipt_id, other.id, "her neighbour's", AMINA)
    with transaction() as session:
        receipt = session.get_one(Receipt, receipt_id)
        assert standing(session, receipt) == {home.id: 20000, other.id: 30000}
        assert (receipt.connection_id, receipt.held_minor) == (other.id, 0)
        assert sorted(text.split()[2] for text in texts(session, "receipt")) == ["200", "300"]
        whole(session)


def test_a_late_twin_of_an_allocated_payment_is_a_duplicate() -> None:
    home, receipt_id = house(), in_suspense()
    with transaction() as session:
        allocate(session, receipt_id, home.id, "known", AMINA)
    assert arrives("paybill", paybill("no such account", receipt="SUS0000001")).outcome == "duplicate"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
        whole(session)


def paid_to(account_no: str, amount: str, number: str = "PAID000001") -> int:
    arrives("paybill", paybill(account_no, amount=amount, receipt=number))
    with transaction() as session:
        return session.scalars(select(Receipt.id).where(Receipt.receipt == number)).one()


def test_a_small_transfer_is_made_at_once_and_both_are_told() -> None:
    home = house()
    other = next_door(home, "+254700000009")
    receipt_id = paid_to(home.account_no, "800")
    with transaction() as session:
        done = transfer(session, receipt_id, home.id, other.id, Money.of(800), "she mistyped", AMINA)
        assert isinstance(done, MoneyMove)
        assert done.status == "posted"
        assert (balance_of(session, home.id), balance_of(session, other.id)) == (Money.of(0), Money.of(-800))
        assert len(texts(session, "receipt")) == 2
        assert "moved" in texts(session, "notice")[0]
        whole(session)


def test_over_the_limit_a_second_person_approves_and_never_the_same() -> None:
    home = house()
    other = next_door(home, "+254700000009")
    receipt_id = paid_to(home.account_no, "9000")
    with transaction() as session:
        asked = transfer(session, receipt_id, home.id, other.id, Money.of(9000), "she mistyped", AMINA)
        assert isinstance(asked, MoneyMove)
        assert asked.status == "proposed"
        assert [move.id for move in waiting(session)] == [asked.id]
        assert balance_of(session, other.id) == Money.of(0)
        # What is promised cannot be promised twice.
        twice = refund(session, receipt_id, home.id, Money.of(1), "changed her mind", BARAKA)
        assert twice == MoneyRefusal("amount")
        assert decide(session, asked.id, AMINA, approve=True) == MoneyRefusal("same_person")
    with transaction() as session:
        assert isinstance(decide(session, asked.id, BARAKA, approve=True), MoneyMove)
        assert balance_of(session, other.id) == Money.of(-9000)
    with transaction() as session:
        assert decide(session, asked.id, BARAKA, approve=True) == MoneyRefusal("state")
        assert decide(session, asked.id, BARAKA, approve=False) == MoneyRefusal("state")
        whole(session)


def test_what_is_rejected_changes_nothing_and_frees_the_money() -> None:
    home = house()
    receipt_id = paid_to(home.account_no, "9000")
    with transaction() as session:
        asked = refund(session, receipt_id, home.id, Money.of(9000), "paid twice", AMINA)
        assert isinstance(asked, MoneyMove)
        assert isinstance(decide(session, asked.id, AMINA, approve=False), MoneyMove)
        assert available(session, session.get_one(Receipt, receipt_id), home.id) == Money.of(9000)
        assert balance_of(session, home.id) == Money.of(-9000)
        whole(session)


def test_a_refund_is_owed_until_somebody_says_how_it_was_paid() -> None:
    home = house()
    receipt_id = paid_to(home.account_no, "700")
    with transaction() as session:
        made = refund(session, receipt_id, home.id, Money.of(300), "paid too much", AMINA)
        assert isinstance(made, MoneyMove)
        assert [move.id for move in refunds.owed(session)] == [made.id]
        assert "give you back KES 300" in texts(session, "notice")[0]
        whole(session)
    with transaction() as session:
        assert refunds.pay_out(session, made.id, "cash:bank", "transfer 77")
        assert not refunds.pay_out(session, made.id, "cash:bank", "transfer 77")
        assert refunds.owed(session) == []
        assert balance_of(session, home.id) == Money.of(-400)
        whole(session)


def test_a_reason_and_a_sensible_amount_are_needed() -> None:
    home = house()
    other = next_door(home, "+254700000009")
    receipt_id = paid_to(home.account_no, "700")
    with transaction() as session:
        assert transfer(session, receipt_id, home.id, other.id, Money.of(1), "  ", AMINA) == MoneyRefusal("reason")
        assert transfer(session, receipt_id, home.id, home.id, Money.of(1), "x", AMINA) == MoneyRefusal("account")
        assert transfer(session, receipt_id, home.id, 10**9, Money.of(1), "x", AMINA) == MoneyRefusal("account")
        for amount in (0, -1, 701):
            refused = transfer(session, receipt_id, home.id, other.id, Money.of(amount), "x", AMINA)
            assert refused == MoneyRefusal("amount")
        assert allocate(session, receipt_id, home.id, "x", AMINA) == MoneyRefusal("amount")


DEEDS = ("allocate", "give_back", "transfer", "refund", "approve", "reject", "pay_out")
steps = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.integers(0, 2), st.integers(0, 2), st.integers(-100, 1_300_000)), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_is_done_the_sums_stay(session: Session, done: list[tuple[str, int, int, int]]) -> None:
    """The money of a receipt is always at some connection, in suspense, or given back: to the cent."""
    estate = Estate(session)
    places = [estate.connection().id for _ in range(3)]
    paid = MoneyIn("SUM0000001", Money.of(12_000), "", "?", now(), None)
    assert credit(session, paid) is Credit.FRESH
    receipt = session.scalars(select(Receipt)).one()
    for deed, one, other, minor in done:
        _do(session, receipt.id, deed, (places[one], places[other]), Money(minor))
        stands = standing(session, receipt)
        back = session.scalars(select(MoneyMove).where(MoneyMove.kind == "refund", MoneyMove.status == "posted")).all()
        assert sum(stands.values()) + sum(move.amount_minor for move in back) == receipt.amount_minor
        assert all(minor > 0 for minor in stands.values())
        assert stands.get(None, 0) == receipt.held_minor
        assert all(stands.get(place, 0) == -balance_of(session, place).minor for place in places)
        whole(session)
    session.rollback()


def _do(session: Session, receipt_id: int, deed: str, places: tuple[int, int], amount: Money) -> None:
    one, other = places
    waits = [move.id for move in waiting(session)]
    owed = [move.id for move in refunds.owed(session)]
    match deed:
        case "allocate":
            allocate(session, receipt_id, one, "property", AMINA, amount)
        case "give_back":
            give_back(session, receipt_id, one, "property", AMINA)
        case "transfer":
            transfer(session, receipt_id, one, other, amount, "property", AMINA)
        case "refund":
            refund(session, receipt_id, one, amount, "property", AMINA)
        case "pay_out" if owed:
            refunds.pay_out(session, owed[0], "cash:bank", "property")
        case "approve" | "reject" if waits:
            decide(session, waits[0], BARAKA, approve=deed == "approve")
