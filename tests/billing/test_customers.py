"""Who is who: registering by the number on the bill, phones, account numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from billing.accounts import parse_account_no, with_check_digit
from billing.customers import (
    Refusal,
    Registered,
    add_phone,
    connections_of,
    create_customer,
    find_connection,
    find_customer,
    phones_of,
    register_customer,
    remove_phone,
    set_language,
)
from billing.models import Customer
from core.phone import Phone
from tests.billing.estate import Estate, at_once

WANJIKU, JUMA = Phone("+254700000001"), Phone("+254700000002")


def register(session: Session, phone: Phone, account_no: str, name: str = "Wanjiku Kamau") -> Registered | Refusal:
    return register_customer(session, phone, name, "sw", account_no, f"customer {phone}")


def test_the_first_account_number() -> None:
    assert with_check_digit("100001") == "1000017"


@given(st.integers(1000, 10**9), st.data())
def test_a_slip_of_the_thumb_is_noticed(body: int, data: st.DataObject) -> None:
    number = with_check_digit(str(body))
    assert parse_account_no(f" {number[:3]} {number[3:]}-") == number
    place = data.draw(st.integers(0, len(number) - 1))
    slip = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert parse_account_no(number[:place] + slip + number[place + 1 :]) is None


@pytest.mark.parametrize("raw", ["", "abc", "12", "1" * 40, "１００００１７", "1000017x", "²", "\x00"])
def test_garbage_is_no_account_number(session: Session, raw: str) -> None:
    assert parse_account_no(raw) is None
    assert find_connection(session, raw) is None


def test_a_new_customer_registers_once(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    done = register(session, WANJIKU, connection.account_no)
    assert isinstance(done, Registered)
    assert done.customer.name == "Wanjiku Kamau"
    assert done.customer.consent_at is not None
    again = register(session, WANJIKU, connection.account_no, "W. Kamau")
    assert isinstance(again, Registered)
    assert again.customer.id == done.customer.id
    assert find_customer(session, WANJIKU) is done.customer
    assert [one.id for one in connections_of(session, done.customer.id)] == [connection.id]


def test_a_customer_takes_a_second_connection(session: Session) -> None:
    estate = Estate(session)
    first, second = estate.connection(str(WANJIKU)), estate.connection(owned=False)
    assert isinstance(register(session, WANJIKU, second.account_no), Registered)
    assert second.customer_id == first.customer_id


def test_a_connection_of_somebody_else_is_taken(session: Session) -> None:
    estate = Estate(session)
    connection = estate.connection(str(WANJIKU))
    assert register(session, JUMA, connection.account_no) == Refusal("taken")
    estate.customer(str(JUMA))
    assert register(session, JUMA, connection.account_no) == Refusal("taken")
    assert find_connection(session, connection.account_no) is connection


def test_a_customer_the_office_entered_without_a_phone_brings_it(session: Session) -> None:
    connection = Estate(session).connection()
    done = register(session, WANJIKU, connection.account_no)
    assert isinstance(done, Registered)
    assert done.customer.id == connection.customer_id
    assert done.customer.name == "Amina Otieno"


@pytest.mark.parametrize(
    ("name", "language", "account_no", "kind"),
    [
        (" ", "en", "1000017", "name"),
        ("x" * 61, "en", "1000017", "name"),
        ("Amina", "xx", "1000017", "language"),
        ("Amina", "en", "1000018", "unknown_account"),
        ("Amina", "en", "9999990", "unknown_account"),
    ],
)
def test_what_is_wrong_is_said(session: Session, name: str, language: str, account_no: str, kind: str) -> None:
    assert register_customer(session, WANJIKU, name, language, account_no, "test") == Refusal(kind)


def test_a_closed_connection_takes_nobody(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    connection.status = "closed"
    session.flush()
    assert register(session, WANJIKU, connection.account_no) == Refusal("closed")


def test_two_callers_at_once_get_one_connection(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    session.commit()
    done = at_once([lambda own, phone=phone: register(own, phone, connection.account_no) for phone in (WANJIKU, JUMA)])
    assert sorted(type(one).__name__ for one in done) == ["Refusal", "Registered"]
    assert Refusal("taken") in done


def test_one_caller_twice_at_once_is_one_customer(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    session.commit()
    done = at_once([lambda own: register(own, WANJIKU, connection.account_no) for _ in range(4)])
    assert {one.customer.id for one in done if isinstance(one, Registered)} == {session.query(Customer).one().id}


def test_phones_are_added_by_the_office(session: Session) -> None:
    estate = Estate(session)
    customer, other = estate.customer(str(WANJIKU)), estate.customer()
    assert add_phone(session, customer.id, JUMA, "office amina") is None
    assert add_phone(session, customer.id, JUMA, "office amina") is None
    assert add_phone(session, other.id, JUMA, "office amina") == Refusal("phone_taken")
    assert phones_of(session, customer.id) == [WANJIKU, JUMA]
    assert create_customer(session, "Otieno", language="en", by="office", phone=JUMA) == Refusal("phone_taken")
    assert not remove_phone(session, other.id, JUMA)
    assert remove_phone(session, customer.id, JUMA)
    assert find_customer(session, JUMA) is None


def test_the_language_is_kept(session: Session) -> None:
    Estate(session).customer(str(WANJIKU))
    assert set_language(session, WANJIKU, "sw")
    assert not set_language(session, WANJIKU, "xx")
    assert not set_language(session, JUMA, "sw")
    customer = find_customer(session, WANJIKU)
    assert customer is not None
    assert customer.language == "sw"
