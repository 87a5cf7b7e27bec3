"""What is owed since when, and what is done about it: fees, plans, deposits, reminders, orders."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing.arrears import NAMES, aging, buckets, open_items, overdue_since
from billing.deposits import DepositRefusal, held, return_deposit, take_deposit, use_deposit
from billing.late_fees import charge_late_fees, fees_due
from billing.ledger import Leg, balance_of, post, reverse
from billing.models import Connection, CreditPolicy, DunningStep, LedgerEntry, PaymentPlan
from billing.orders import OrderRefusal, open_orders, order_done, reconnect, withdraw
from billing.plans import PlanRefusal, agree, end_plan, instalments, shared_out, track
from billing.reminders import candidates, take_steps
from billing.statements import statement_of
from core.clock import frozen
from core.messages import Message
from core.money import Money
from tests.billing.estate import Estate, broken

TODAY = date(2026, 7, 1)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 7, 1, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def home(session: Session) -> Connection:
    return Estate(session).metered("+254700000001")


def owe(session: Session, home: Connection, minor: int, days: int) -> int:
    """A charge that is `days` past its due date."""
    due = TODAY - timedelta(days=days)
    legs = [Leg("receivable", minor, home.id), Leg("revenue:water", -minor)]
    entry = post(session, "debit_note", f"test:{home.id}:{due}", legs, f"INV-{days}", due_on=due)
    assert entry is not None
    return entry.id


def pay(session: Session, home: Connection, minor: int, source: str = "receipt:1") -> None:
    assert post(session, "payment", source, [Leg("cash:mpesa", minor), Leg("receivable", -minor, home.id)]) is not None


def test_payments_pay_the_oldest_first(session: Session, home: Connection) -> None:
    for days in (100, 40, 10, -5):
        owe(session, home, 1_000, days)
    pay(session, home, 1_400)
    items = open_items(session, [home.id])
    assert [(item.memo, item.open_minor) for item in items] == [("INV-40", 600), ("INV-10", 1_000), ("INV--5", 1_000)]
    assert buckets(items, TODAY) == dict.fromkeys(NAMES, 0) | {"31-60": 600, "1-30": 1_000, "current": 1_000}
    assert overdue_since(session, home.id) == (TODAY - timedelta(days=40), 1_600)
    pay(session, home, 5_000, "receipt:2")
    assert open_items(session, [home.id]) == []
    assert overdue_since(session, home.id) is None


@pytest.mark.parametrize(
    ("days", "name"),
    [(-1, "current"), (0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
     (90, "61-90"), (91, "91-120"), (120, "91-120"), (121, "121-180"), (180, "121-180"), (181, "over 180")],
)  # fmt: skip
def test_a_debt_is_in_its_bucket(session: Session, home: Connection, days: int, name: str) -> None:
    owe(session, home, 700, days)
    assert aging(session) == dict.fromkeys(NAMES, 0) | {name: 700}


def test_a_charge_that_was_taken_back_is_no_debt(session: Session, home: Connection) -> None:
    wrong = owe(session, home, 9_000, 100)
    owe(session, home, 1_000, 50)
    reverse(session, wrong, "void", "void:1")
    assert [(item.memo, item.open_minor) for item in open_items(session, [home.id])] == [("INV-50", 1_000)]


def test_a_late_fee_once_a_month(session: Session, home: Connection) -> None:
    policy = session.get_one(CreditPolicy, "domestic")
    policy.late_fee_minor, policy.late_fee_share, policy.late_fee_days = 600, "0.015", 14  # type: ignore[assignment]
    policy.least_minor = 500
    owe(session, home, 10_001, 15)
    owe(session, home, 10_000, 14)
    owe(session, home, 499, 60)
    pay(session, home, 499)
    [fee] = fees_due(session, TODAY)
    assert (fee.memo, fee.open_minor, fee.fee_minor) == ("INV-15", 10_001, 750)
    assert [charge_late_fees(session, TODAY) for _ in range(2)] == [1, 0]
    assert fees_due(session, TODAY + timedelta(days=20)) == [fees_due(session, TODAY + timedelta(days=20))[0]]
    assert balance_of(session, home.id) == Money(20_751)
    assert charge_late_fees(session, TODAY + timedelta(days=31)) == 2
    whole(session)


def test_deposits_are_held_used_and_returned(session: Session, home: Connection) -> None:
    assert take_deposit(session, home.id, Money(0), "cash:bank", "A1") == DepositRefusal("amount")
    assert take_deposit(session, home.id, Money(5_000), "gold", "A1") == DepositRefusal("channel")
    assert isinstance(take_deposit(session, home.id, Money(5_000), "cash:bank", "a1"), LedgerEntry)
    assert take_deposit(session, home.id, Money(5_000), "cash:bank", "A1") == DepositRefusal("known")
    assert (held(session, home.id), balance_of(session, home.id)) == (Money(5_000), Money(0))
    assert use_deposit(session, home.id, Money(1), "amina") == DepositRefusal("amount")
    owe(session, home, 2_000, 5)
    assert use_deposit(session, home.id, Money(2_001), "amina") == DepositRefusal("amount")
    assert isinstance(use_deposit(session, home.id, Money(2_000), "amina"), LedgerEntry)
    assert return_deposit(session, home.id, Money(3_001), "cash:office", "amina") == DepositRefusal("amount")
    assert isinstance(return_deposit(session, home.id, Money(3_000), "cash:office", "amina"), LedgerEntry)
    assert (held(session, home.id), balance_of(session, home.id)) == (Money(0), Money(0))
    whole(session)


def test_a_statement_goes_from_opening_to_closing(session: Session, home: Connection) -> None:
    with frozen(datetime(2026, 5, 31, 20, 59, tzinfo=UTC)):  # still May where the utility is
        owe(session, home, 1_000, 40)
    with frozen(datetime(2026, 5, 31, 21, 1, tzinfo=UTC)):
        owe(session, home, 500, 10)
    pay(session, home, 1_200)
    june = statement_of(session, home.id, date(2026, 6, 1), date(2026, 6, 30))
    assert (june.opening_minor, [one.balance_minor for one in june.movements], june.closing_minor) == (
        1_000,
        [1_500],
        1_500,
    )
    july = statement_of(session, home.id, date(2026, 7, 1), TODAY)
    assert (july.opening_minor, july.closing_minor, july.cut) == (1_500, 300, False)


def whole(session: Session) -> None:
    """The books as they would be committed; the policies that a test changed are not."""
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    assert broken(session) == []


def days(*ahead: int) -> list[date]:
    return [TODAY + timedelta(days=one) for one in ahead]


def test_a_plan_tracks_itself(session: Session, home: Connection) -> None:
    owe(session, home, 10_000, 90)
    owe(session, home, 1_000, -10)
    plan = agree(session, home.id, list(zip(days(20, 50, 80), shared_out(10_000, 3), strict=True)), "amina")
    assert isinstance(plan, PaymentPlan)
    assert balance_of(session, home.id) == Money(11_000)
    assert overdue_since(session, home.id) is None
    assert [(one.amount_minor, one.state) for one in instalments(session, plan)] == [
        (3_334, "due"), (3_333, "due"), (3_333, "due"),
    ]  # fmt: skip
    pay(session, home, 1_000 + 3_334 + 100)
    assert [one.state for one in instalments(session, plan)] == ["paid", "part", "due"]
    assert track(session, plan.id, TODAY + timedelta(days=57)) == "active"
    assert [one.state for one in instalments(session, plan, TODAY + timedelta(days=57))] == ["paid", "missed", "due"]
    pay(session, home, 6_566, "receipt:2")
    assert track(session, plan.id) == "kept"
    assert balance_of(session, home.id) == Money(0)
    whole(session)


def test_a_plan_that_is_not_kept_breaks(session: Session, home: Connection) -> None:
    owe(session, home, 9_000, 90)
    plan = agree(session, home.id, list(zip(days(10, 40, 70), [3_000] * 3, strict=True)), "amina")
    assert isinstance(plan, PaymentPlan)
    pay(session, home, 4_000)
    with frozen(datetime(2026, 8, 18, 9, tzinfo=UTC)):
        assert track(session, plan.id) == "broken"
        [left] = open_items(session, [home.id])
        assert (left.kind, left.open_minor, left.due_on) == ("plan_ended", 5_000, date(2026, 8, 18))
    assert balance_of(session, home.id) == Money(5_000)
    assert end_plan(session, plan.id, "amina") == PlanRefusal("ended")
    whole(session)


def test_plans_that_cannot_be(session: Session, home: Connection) -> None:
    owe(session, home, 9_000, 90)
    for parts, why in (
        ([], "amount"), ([(TODAY, 9_001)], "amount"), ([(TODAY, 0)], "amount"), ([(TODAY, -5), (TODAY, 10)], "amount"),
        ([(TODAY - timedelta(days=1), 9_000)], "days"), ([(d, 3_000) for d in days(20, 10)], "days"),
        ([(d, 3_000) for d in days(10, 10)], "days"),
    ):  # fmt: skip
        assert agree(session, home.id, parts, "amina") == PlanRefusal(why)
    assert isinstance(agree(session, home.id, [(TODAY, 4_000)], "amina"), PaymentPlan)
    assert agree(session, home.id, [(TODAY, 4_000)], "amina") == PlanRefusal("active")


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def test_from_the_reminder_to_the_order_and_back(session: Session, home: Connection) -> None:
    owe(session, home, 100_000, 2)
    assert candidates(session) == []
    for ahead in range(0, 45):
        with frozen(at(TODAY + timedelta(days=ahead))):
            assert [one.step for one in candidates(session)] == [
                step for step, n in take_steps(session, "m").items() if n
            ]
            assert candidates(session) == []
    told = [(one.step, (one.created_at.date() - TODAY).days) for one in session.scalars(select(DunningStep))]
    assert told == [("reminder", 1), ("notice", 14), ("disconnection", 28)]
    assert [one.parts for one in session.scalars(select(Message))] == [1, 1, 1]
    [order] = open_orders(session)
    assert isinstance(order_done(session, order.id, "fitter"), DunningStep)
    assert (home.status, order.status) == ("suspended", "done")
    assert reconnect(session, home.id, "amina") == OrderRefusal("owes")
    pay(session, home, 75_000)
    back = reconnect(session, home.id, "amina")
    assert isinstance(back, DunningStep)
    assert reconnect(session, home.id, "amina") == OrderRefusal("state")
    assert balance_of(session, home.id) == Money(25_000 + 50_000)
    order_done(session, back.id, "fitter")
    assert home.status == "active"
    whole(session)


def test_who_was_never_told_is_not_cut_off(session: Session, home: Connection) -> None:
    owe(session, home, 100_000, 300)
    assert take_steps(session, "m") == {"reminder": 1, "notice": 0, "disconnection": 0}
    with frozen(at(TODAY + timedelta(days=1))):
        assert take_steps(session, "m")["notice"] == 1
    with frozen(at(TODAY + timedelta(days=14))):
        assert take_steps(session, "m")["disconnection"] == 0
    with frozen(at(TODAY + timedelta(days=15))):
        assert take_steps(session, "m")["disconnection"] == 1


def test_who_has_paid_or_agreed_is_left_alone(session: Session, home: Connection) -> None:
    owe(session, home, 100_000, 30)
    agree(session, home.id, [(TODAY + timedelta(days=30), 100_000)], "amina")
    assert candidates(session) == []
    pay(session, home, 96_000)
    with frozen(at(TODAY + timedelta(days=60))):
        assert candidates(session) == []  # less than is worth a message


def test_an_order_of_who_has_paid_is_withdrawn(session: Session, home: Connection) -> None:
    owe(session, home, 100_000, 90)
    orders = []
    for since in (TODAY, date(2026, 1, 1)):
        order = DunningStep(connection_id=home.id, step="disconnection", since=since, amount_minor=1, status="open",
                            created_by="m", created_at=datetime(2026, 7, 1, tzinfo=UTC))  # fmt: skip
        session.add(order)
        session.flush()
        orders.append(order)
    assert withdraw(session, orders[1].id, "amina") is orders[1]
    assert withdraw(session, orders[1].id, "amina") == OrderRefusal("state")
    pay(session, home, 100_000)
    assert order_done(session, orders[0].id, "fitter") == OrderRefusal("paid")
    assert (orders[0].status, home.status) == ("withdrawn", "active")
