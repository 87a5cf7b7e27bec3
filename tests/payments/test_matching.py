"""Whose money is it? What speaks for an account, and that nothing short of certain is taken for it."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing.accounts import parse_account_no, with_check_digit
from billing.ledger import Leg, balance_of, post
from core.database import transaction
from core.money import Money
from core.outbox import Outbox
from payments.matching import CERTAIN, Suggestion, certain, near_numbers, suggest, suggest_for
from payments.models import Receipt
from payments.suspense import match
from tests.billing.estate import Estate
from tests.payments.paying import arrives, house, next_door, paybill

PHONE = "+254700000001"
NEIGHBOUR = "+254711000222"


def best(session: Session, said: str = "", phone: str = "", payer: str = "", minor: int = 50_000) -> Suggestion:
    return suggest_for(session, said, phone, payer, minor)[0]


@given(st.integers(1000, 9_999_999), st.integers(0, 6), st.integers(0, 9))
def test_one_slip_leads_back_to_the_account(body: int, at: int, digit: int) -> None:
    number = with_check_digit(str(body))
    at %= len(number)
    for slip in (number[:at] + str(digit) + number[at + 1 :], number[:at] + str(digit) + number[at:],
                 number[:at] + number[at + 1 :]):  # fmt: skip
        assert slip == number or not 4 <= len(slip) <= 20 or number in near_numbers(slip)
    assert all(parse_account_no(near) for near in near_numbers(str(body)))


def test_a_swap_of_two_digits_leads_back_too() -> None:
    number = with_check_digit("100123")
    assert number in near_numbers(number[:2] + number[3] + number[2] + number[4:])
    assert near_numbers("no digits") == set() == near_numbers("12")


def test_each_kind_of_evidence_says_why(session: Session) -> None:
    estate = Estate(session)
    home = estate.metered(PHONE)
    other = estate.connection(NEIGHBOUR)
    slip = home.account_no[:-1] + str((int(home.account_no[-1]) + 1) % 10)
    assert best(session, slip).connection_id == home.id
    assert "one slip of the thumb" in best(session, slip).reasons[0]
    assert "holds the account number" in best(session, f"acc {home.account_no} water").reasons[0]
    serial = session.scalar(text("SELECT serial FROM meter LIMIT 1"))
    assert "is its meter" in best(session, str(serial).lower()).reasons[0]
    assert "phone was written" in best(session, "0700 000 001").reasons[0]
    assert "paid from its owner's phone" in best(session, phone="254711000222").reasons[0]
    digest = sha256(b"254711000222").hexdigest()
    known = best(session, phone=digest)
    assert (known.connection_id, known.reasons) == (other.id, ("paid from its owner's phone (known by its digest)",))
    masked = [one.connection_id for one in suggest_for(session, "", "2547 ***** 222", "AMINA", 1)]
    assert masked == [other.id]  # both are called Amina, one phone ends in 222
    assert "is called Amina Otieno" in best(session, "Amina Otieno").reasons[0]
    assert suggest_for(session, "", "2547 ***** 999", "AMINA", 1) == []
    assert suggest_for(session, "", "", "", 1) == []
    assert suggest_for(session, "rent", "not a phone", "Zuhura", 1) == []


def test_evidence_adds_up_and_the_debt_counts(session: Session) -> None:
    estate = Estate(session)
    home = estate.connection(PHONE)
    slip = home.account_no[:-1] + str((int(home.account_no[-1]) + 1) % 10)
    alone, both = best(session, slip), best(session, slip, "254700000001")
    assert alone.score < both.score < CERTAIN
    legs = [Leg("receivable", 50_000, home.id), Leg("revenue:water", -50_000)]
    post(session, "invoice", "invoice:1", legs)
    assert "owes exactly this" in best(session, slip).reasons
    assert best(session, slip).score > alone.score


def test_only_a_written_number_borne_out_by_the_phone_is_certain(session: Session) -> None:
    estate = Estate(session)
    home, other = estate.connection(PHONE), estate.connection(NEIGHBOUR)
    written = f"acc {home.account_no}"
    assert certain(suggest_for(session, written, "254700000001", "", 1)) is not None
    assert certain(suggest_for(session, written, "", "", 1)) is None
    assert certain(suggest_for(session, written, "254711000222", "", 1)) is None
    assert certain(suggest_for(session, "", "254700000001", "", 1)) is None
    assert certain(suggest_for(session, f"{written} and {other.account_no}", "254700000001", "", 1)) is None


@given(st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=5))
def test_nothing_below_certainty_is_ever_taken(found: list[tuple[int, bool]]) -> None:
    made = [Suggestion(n, str(n), "", Money(0), score, (), sure) for n, (score, sure) in enumerate(found)]
    chosen = certain(made)
    if chosen is not None:
        assert chosen.certain
        assert chosen.score >= CERTAIN
        assert [one for one in made if one.score >= 65] == [chosen]


@pytest.mark.usefixtures("settings")
def test_money_that_is_surely_hers_does_not_wait(database: str) -> None:
    home = house()
    neighbour = next_door(home, NEIGHBOUR)
    with transaction() as session:  # a wallet that gives the open number
        said = paybill(f"Plot 7 {home.account_no} Amina", receipt="SURE000001").replace(
            b"2547 ***** 126", PHONE.encode()
        )
    arrives("paybill", said)
    arrives("paybill", paybill(f"Plot 8 {neighbour.account_no} Juma", receipt="UNSURE0001"))
    with transaction() as session:
        waiting = session.scalars(select(Outbox.subject_id).where(Outbox.job == "payments.match")).all()
    assert len(waiting) == 2
    for receipt_id in [*waiting, *waiting]:
        match(receipt_id)
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
        assert balance_of(session, neighbour.id) == Money.of(0)
        left = session.scalars(select(Receipt).where(Receipt.held_minor > 0)).one()
        assert [one.connection_id for one in suggest(session, left)] == [neighbour.id]
