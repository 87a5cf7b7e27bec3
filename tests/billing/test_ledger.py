"""The ledger: balanced, append-only, posted once, and right under many posts at once."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import CheckViolation
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing.ledger import Leg, balance_of, last_payment, post, statement
from billing.models import Balance, Connection, LedgerEntry, Posting
from core.clock import now
from core.money import Money
from tests.billing.estate import Estate, at_once, broken


def charge(session: Session, connection: Connection, source: str, minor: int) -> LedgerEntry | None:
    return post(session, "charge", source, [Leg("receivable", minor, connection.id), Leg("revenue:water", -minor)])


def pay(session: Session, connection_id: int, source: str, minor: int) -> LedgerEntry | None:
    return post(session, "payment", source, [Leg("cash:mpesa", minor), Leg("receivable", -minor, connection_id)])


def test_a_charge_and_a_payment(session: Session) -> None:
    connection = Estate(session).connection()
    assert balance_of(session, connection.id) == Money(0)
    assert last_payment(session, connection.id) is None
    assert charge(session, connection, "charge:1", 125_000) is not None
    assert pay(session, connection.id, "receipt:1", 130_000) is not None
    assert balance_of(session, connection.id) == Money(-5_000)
    last = last_payment(session, connection.id)
    assert last is not None
    assert last.amount == Money(130_000)
    assert isinstance(last.on("Africa/Nairobi"), date)
    lines = statement(session, connection.id)
    assert [line.amount.minor for line in lines] == [-130_000, 125_000]
    assert [line.kind for line in statement(session, connection.id, before=lines[0].entry_id)] == ["charge"]
    session.commit()
    assert broken(session) == []


def test_the_same_source_is_posted_once(session: Session) -> None:
    connection = Estate(session).connection()
    assert pay(session, connection.id, "receipt:1", 100) is not None
    assert pay(session, connection.id, "receipt:1", 100) is None
    assert balance_of(session, connection.id) == Money(-100)


@pytest.mark.parametrize("legs", [[], [Leg("a", 5)], [Leg("a", 5), Leg("b", -4)]])
def test_an_entry_that_does_not_balance_is_a_bug(session: Session, legs: list[Leg]) -> None:
    with pytest.raises(ValueError, match="sum to zero"):
        post(session, "charge", "x", legs)


@pytest.mark.parametrize("amounts", [[], [5], [5, -4]])
def test_the_database_refuses_it_too(session: Session, amounts: list[int]) -> None:
    entry = LedgerEntry(kind="x", memo="", source="x", created_at=now())
    session.add(entry)
    session.flush()
    for amount in amounts:
        session.execute(insert(Posting).values(entry_id=entry.id, account="a", amount_minor=amount))
    with pytest.raises(DBAPIError, match="ledger entry"):
        session.commit()


def test_a_posting_added_later_must_balance_too(session: Session) -> None:
    connection = Estate(session).connection()
    entry = charge(session, connection, "charge:1", 100)
    assert entry is not None
    session.commit()
    session.execute(insert(Posting).values(entry_id=entry.id, account="a", amount_minor=1))
    with pytest.raises(DBAPIError, match="sums to 1"):
        session.commit()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE posting SET amount_minor = 1", "DELETE FROM posting", "TRUNCATE posting",
        "UPDATE ledger_entry SET memo = ''", "DELETE FROM ledger_entry", "TRUNCATE ledger_entry CASCADE",
    ],
)  # fmt: skip
def test_nothing_posted_ever_changes(session: Session, change: str) -> None:
    charge(session, Estate(session).connection(), "charge:1", 100)
    session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(text(change))


@pytest.mark.parametrize("legs", [[Leg("receivable", 1), Leg("a", -1)], [Leg("a", 0), Leg("b", 0)]])
def test_a_receivable_has_its_connection_and_a_leg_its_amount(session: Session, legs: list[Leg]) -> None:
    with pytest.raises(CheckViolation, match="ck_posting"):
        post(session, "charge", "x", legs)


def test_posts_at_once_lose_nothing(session: Session) -> None:
    connection = Estate(session).connection()
    session.commit()

    def payer(number: int) -> Callable[[Session], object]:
        return lambda own: [pay(own, connection.id, f"receipt:{number}:{again}", 100) for again in range(10)]

    at_once([payer(number) for number in range(6)])
    assert balance_of(session, connection.id) == Money(-6_000)
    assert broken(session) == []


def test_one_source_at_once_is_posted_once(session: Session) -> None:
    connection = Estate(session).connection()
    session.commit()
    done = at_once([lambda own: pay(own, connection.id, "receipt:1", 100) for _ in range(5)])
    assert sum(entry is not None for entry in done) == 1
    assert balance_of(session, connection.id) == Money(-100)


def test_entries_over_two_connections_at_once_do_not_deadlock(session: Session) -> None:
    estate = Estate(session)
    one, other = estate.connection().id, estate.connection().id
    session.commit()

    def move(source: str, first: int, second: int) -> Callable[[Session], object]:
        return lambda own: post(own, "transfer", source, [Leg("receivable", 10, first), Leg("receivable", -10, second)])

    at_once([move(f"t:{n}", *((one, other) if n % 2 else (other, one))) for n in range(6)])
    assert balance_of(session, one) == Money(0)
    assert broken(session) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(-10_000, 10_000).filter(bool)), max_size=12)
)
def test_any_posts_leave_the_books_whole(session: Session, posts: list[tuple[int, int, int]]) -> None:
    with session.begin_nested() as attempt:
        estate = Estate(session)
        homes = [estate.connection().id for _ in range(3)]
        known: dict[int, int] = {}
        for source, home, minor in posts:
            legs = [Leg("receivable", minor, homes[home]), Leg("revenue:water", -minor)]
            if post(session, "charge", f"s:{source}", legs) is not None:
                known[home] = known.get(home, 0) + minor
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        assert [balance_of(session, one).minor for one in homes] == [known.get(place, 0) for place in range(3)]
        assert session.scalar(select(func.coalesce(func.sum(Posting.amount_minor), 0))) == 0
        assert session.scalar(select(func.coalesce(func.sum(Balance.amount_minor), 0))) == sum(known.values())
        assert broken(session) == []
        attempt.rollback()
