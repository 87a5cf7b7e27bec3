"""Over the counter: receipts without a gap, cheques that are no money, a day that is closed for good."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.books import check
from billing.ledger import balance_of
from billing.models import NumberSeries
from core.database import transaction
from core.money import Money
from payments.approvals import MoneyRefusal
from payments.cashier import DeskRefusal, bounce, drawer, in_account, offices, open_day, open_day_of, take
from payments.closing import OVER_SHORT, SAFE, close, counted, expected, takings
from payments.desk_models import DeskDay, DeskPayment
from payments.models import Receipt
from payments.refunds import pay_out, refund
from payments.transfers import transfer
from tests.billing.estate import Estate
from tests.payments.paying import broken, house, next_door, texts

pytestmark = pytest.mark.usefixtures("database", "settings")


def opened(cashier: str = "amina") -> DeskDay:
    with transaction() as session:
        day = open_day(session, cashier, "HQ")
        assert isinstance(day, DeskDay)
        return day


def taken(connection_id: int, amount: int = 500, method: str = "cash", reference: str = "") -> Receipt:
    with transaction() as session:
        receipt = take(session, "amina", connection_id, Money.of(amount), method, "Wanjiku", "KCB", reference)
        assert isinstance(receipt, Receipt), receipt
        return receipt


def whole(session: Session) -> None:
    assert not broken(session)
    assert not [row for row in check(session) if row.violations]


def test_cash_is_credited_thanked_for_and_in_the_drawer() -> None:
    home = house()
    opened()
    first, second = taken(home.id), taken(home.id, 200)
    assert [first.receipt, second.receipt] == ["HQ-000001", "HQ-000002"]
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-700)
        assert in_account(session, drawer("amina")) == Money.of(700)
        assert texts(session, "receipt")[0].startswith(
            f"Received KES 500 for connection {home.account_no}. Our receipt"
        )
        assert session.get_one(DeskPayment, first.id).payer == "Wanjiku"
        whole(session)


def test_many_cashiers_at_once_leave_no_gap() -> None:
    home = house()
    for one in range(4):
        opened(f"c{one}")

    def one_more(at: int) -> str:
        with transaction() as session:
            made = take(session, f"c{at % 4}", home.id, Money.of(10), "cash", "x")
            assert isinstance(made, Receipt)
            if at % 5 == 0:
                session.rollback()
                return ""
            return made.receipt

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(number for number in pool.map(one_more, range(30)) if number)
    assert numbers == [f"HQ-{n:06d}" for n in range(1, 25)]
    with transaction() as session:
        assert session.get_one(NumberSeries, "receipt:HQ").next == 25
        whole(session)


def test_what_cannot_be_taken() -> None:
    home = house()
    with transaction() as session:
        assert open_day(session, "amina", "XX") == DeskRefusal("office")
        assert take(session, "amina", home.id, Money.of(5), "cash", "x") == DeskRefusal("closed")
    opened()
    taken(home.id, 300, "cheque", "000 123")
    with transaction() as session:
        assert open_day(session, "amina", "HQ") == DeskRefusal("open")
        for amount, method, reference, why in [
            (0, "cash", "", "amount"), (5, "gold", "1", "amount"), (5, "cash", "1", "reference"),
            (5, "cheque", "", "reference"), (5, "cheque", "000123", "known"),
        ]:  # fmt: skip
            refused = take(session, "amina", home.id, Money.of(amount), method, "x", "kcb", reference)
            assert refused == DeskRefusal(why), (amount, method)
        assert take(session, "amina", 10**9, Money.of(5), "cash", "x") == DeskRefusal("account")
        assert list(offices()) == ["HQ"]


def test_a_cheque_that_is_not_paid_is_taken_back_from_where_it_stands() -> None:
    home = house()
    other = next_door(home, "+254700000009")
    opened()
    cheque = taken(home.id, 3000, "cheque", "77")
    cash = taken(home.id, 10)
    with transaction() as session:
        transfer(session, cheque.id, home.id, other.id, Money.of(1000), "half is hers", "amina")
        moves = bounce(session, cheque.id, "refer to drawer", "baraka")
        assert not isinstance(moves, MoneyRefusal)
        assert [move.amount_minor for move in moves] == [200000, 100000]
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-10)
        assert balance_of(session, other.id) == Money.of(0)
        assert in_account(session, "cash:cheques") == Money.of(0)
        assert "Your bank did not pay cheque 77 of KES 2,000" in "".join(texts(session, "notice"))
        assert bounce(session, cheque.id, "again", "baraka") == MoneyRefusal("state")
        assert bounce(session, cash.id, "no cheque", "baraka") == MoneyRefusal("state")
        whole(session)


def test_a_day_is_closed_on_what_was_counted_and_takes_no_more() -> None:
    home = house()
    day = opened()
    taken(home.id, 1700)
    taken(home.id, 900, "cheque", "5")
    with transaction() as session:
        assert expected(session, day) == Money.of(1700)
        assert [(one.method, one.amount) for one in takings(session, day)] == [
            ("cash", Money.of(1700)), ("cheque", Money.of(900)),
        ]  # fmt: skip
        short = {1000: 1, 500: 1, 100: 1}
        assert close(session, day.id, short, 5000, Money.of(500), "", "amina") == DeskRefusal("reason")
        assert close(session, day.id, short, 5000, Money.of(2000), "x", "amina") == DeskRefusal("kept")
        done = close(session, day.id, short, 5000, Money.of(500), "wrong change given", "amina")
        assert isinstance(done, DeskDay)
        assert (done.counted_minor, done.ledger_minor) == (165000, 170000)
    with transaction() as session:
        assert in_account(session, drawer("amina")) == Money.of(500)
        assert in_account(session, SAFE) == Money.of(1150)
        assert in_account(session, OVER_SHORT) == Money.of(50)
        assert take(session, "amina", home.id, Money.of(5), "cash", "x") == DeskRefusal("closed")
        assert open_day(session, "amina", "HQ") == DeskRefusal("closed")
        assert close(session, day.id, {}, 0, Money.of(0), "again", "amina") == DeskRefusal("closed")
        whole(session)


def test_yesterday_is_closed_before_today_takes_money() -> None:
    home = house()
    day = opened()
    with transaction() as session:
        session.get_one(DeskDay, day.id).day -= timedelta(days=1)
    with transaction() as session:
        assert open_day(session, "amina", "HQ") == DeskRefusal("old")
        assert take(session, "amina", home.id, Money.of(5), "cash", "x") == DeskRefusal("old")
        close(session, day.id, {}, 0, Money.of(0), "", "amina")
        assert isinstance(open_day(session, "amina", "HQ"), DeskDay)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(["cash", "cheque", "bank"]), st.integers(1, 900_000)), max_size=6),
    st.dictionaries(st.sampled_from([1000, 500, 50, 1]), st.integers(0, 30)), st.integers(0, 99), st.integers(0, 100),
)  # fmt: skip
def test_no_closing_loses_a_cent(
    session: Session, paid: list[tuple[str, int]], count: dict[int, int], cents: int, share: int
) -> None:
    """Drawer, safe and over/short together are what was taken in cash, whatever was counted and kept."""
    home = Estate(session).connection()
    day = open_day(session, "amina", "HQ")
    assert isinstance(day, DeskDay)
    for at, (method, minor) in enumerate(paid):
        reference = "" if method == "cash" else str(at)
        assert isinstance(take(session, "amina", home.id, Money(minor), method, "x", "", reference), Receipt)
    cash = counted(count, cents, "KES")
    done = close(session, day.id, count, cents, Money(cash.minor * share // 100), "counted twice", "amina")
    assert isinstance(done, DeskDay)
    taken_in_cash = sum(minor for method, minor in paid if method == "cash")
    accounts = [in_account(session, account).minor for account in (drawer("amina"), SAFE, OVER_SHORT)]
    assert sum(accounts) == taken_in_cash
    assert accounts[0] == done.kept_minor
    assert accounts[0] + accounts[1] == cash.minor
    assert balance_of(session, home.id).minor == -sum(minor for _, minor in paid)
    whole(session)
    session.rollback()


def test_a_refund_out_of_the_drawer_is_seen_at_the_closing() -> None:
    home = house()
    day = opened()
    receipt = taken(home.id, 1000)
    with transaction() as session:
        made = refund(session, receipt.id, home.id, Money.of(200), "too much", "amina")
        assert not isinstance(made, MoneyRefusal)
        assert pay_out(session, made.id, drawer("amina"), "signed for")
    with transaction() as session:
        assert open_day_of(session, "amina") is not None
        assert expected(session, day) == Money.of(800)
        assert session.scalars(select(Receipt.held_minor)).all() == [0]
        whole(session)
