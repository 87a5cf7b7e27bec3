"""PINs: never in any row but as a hash, and locked after three wrong tries in a row, however they arrive."""

import re

import psycopg
import pytest
from sqlalchemy.orm import Session

from billing.customers import add_phone
from billing.models import Customer
from billing.pins import Checked, check_pin, clear_pin, is_locked, remove_pin, set_pin
from core.phone import Phone
from tests.billing.estate import Estate, at_once

WANJIKU, JUMA = Phone("+254700000001"), Phone("+254700000002")
PIN, WRONG = "493827", "493828"


@pytest.fixture
def wanjiku(session: Session) -> Customer:
    customer = Estate(session).customer(str(WANJIKU))
    assert set_pin(session, WANJIKU, PIN)
    session.commit()
    return customer


def now_of(session: Session, customer: Customer) -> Customer:
    session.expire_all()
    return session.get_one(Customer, customer.id)


def test_three_wrong_tries_in_a_row_lock_it(session: Session, wanjiku: Customer) -> None:
    assert check_pin(session, WANJIKU, WRONG) == Checked("wrong", 2)
    assert check_pin(session, WANJIKU, WRONG) == Checked("wrong", 1)
    assert check_pin(session, WANJIKU, PIN) == Checked("right", 3)
    assert [check_pin(session, WANJIKU, WRONG).kind for _ in range(3)] == ["wrong", "wrong", "locked"]
    assert check_pin(session, WANJIKU, PIN) == Checked("locked", 0)


def test_a_locked_one_stays_locked_until_the_office_clears_it(session: Session, wanjiku: Customer) -> None:
    for _ in range(3):
        check_pin(session, WANJIKU, WRONG)
    assert not remove_pin(session, WANJIKU)
    assert set_pin(session, WANJIKU, "1111")
    assert check_pin(session, WANJIKU, "1111").kind == "locked"
    assert is_locked(wanjiku)
    assert clear_pin(session, wanjiku.id)
    assert not clear_pin(session, wanjiku.id)
    cleared = now_of(session, wanjiku)
    assert (cleared.pin_hash, cleared.pin_tries) == (None, 0)
    assert check_pin(session, WANJIKU, WRONG).kind == "right"


def test_tries_at_the_same_moment_lock_it_as_well(session: Session, wanjiku: Customer) -> None:
    done = at_once([lambda own: check_pin(own, WANJIKU, WRONG)] * 6)
    assert sorted(one.kind for one in done) == ["locked"] * 4 + ["wrong"] * 2
    assert now_of(session, wanjiku).pin_tries == 3
    assert check_pin(session, WANJIKU, PIN).kind == "locked"


def test_a_pin_is_the_customers_on_all_her_phones(session: Session, wanjiku: Customer) -> None:
    assert add_phone(session, wanjiku.id, JUMA, "test") is None
    assert check_pin(session, JUMA, WRONG) == Checked("wrong", 2)
    assert check_pin(session, WANJIKU, WRONG) == Checked("wrong", 1)


def test_no_row_of_any_table_holds_the_pin(session: Session, wanjiku: Customer, database: str) -> None:
    check_pin(session, WANJIKU, WRONG)
    session.commit()
    text = everything(database)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in text
    assert re.search(rf"{PIN}|{WRONG}", text) is None


def everything(database: str) -> str:
    """Every row of every table as text."""
    with psycopg.connect(database) as books:
        names = books.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [books.execute(f'SELECT t::text FROM "{name}" t').fetchall() for (name,) in names]
    return "\n".join(row for table in rows for (row,) in table)


def test_a_pin_is_digits_and_somebodys(session: Session, wanjiku: Customer) -> None:
    with pytest.raises(ValueError, match="digits"):
        set_pin(session, WANJIKU, "")
    assert not set_pin(session, JUMA, PIN)
    assert not remove_pin(session, JUMA)
    assert check_pin(session, JUMA, PIN).kind == "right"


def test_she_may_do_without(session: Session, wanjiku: Customer) -> None:
    assert remove_pin(session, WANJIKU)
    assert now_of(session, wanjiku).pin_hash is None


@pytest.mark.parametrize("kept", ["", "1234", "$argon2id$broken"])
def test_what_is_no_hash_matches_nothing(session: Session, wanjiku: Customer, kept: str) -> None:
    wanjiku.pin_hash = kept
    session.flush()
    assert check_pin(session, WANJIKU, "1234").kind == "wrong"
