"""Linking a phone to a connection: at once, or when the office has approved it."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import billing.links
from billing.callers import who_calls
from billing.customers import Refusal, Registered, find_customer
from billing.links import Waiting, approve_link, link, reject_link
from billing.models import LinkRequest
from core.config import Settings
from core.messages import Message
from core.phone import Phone
from tests.billing.estate import Estate, at_once

WANJIKU, JUMA = Phone("+254700000001"), Phone("+254700000002")


@pytest.fixture
def asks_first(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The utility wants to approve each link."""
    monkeypatch.setattr(billing.links, "settings", lambda: replace(settings, link_approval=True))


def ask(session: Session, phone: Phone, account_no: str) -> Registered | Waiting | Refusal:
    return link(session, phone, " Wanjiku  Kamau", "sw", account_no, f"customer {phone}")


def request_of(session: Session) -> LinkRequest:
    return session.scalars(select(LinkRequest).execution_options(populate_existing=True)).one()


def test_without_approval_it_is_linked_at_once(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    assert isinstance(ask(session, WANJIKU, connection.account_no), Registered)
    assert session.scalars(select(LinkRequest)).all() == []


@pytest.mark.usefixtures("asks_first")
def test_with_approval_it_waits_once_however_often_it_is_asked(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    session.commit()
    done = at_once([lambda own: ask(own, WANJIKU, connection.account_no)] * 4)
    assert {type(one) for one in done} == {Waiting}
    assert (request_of(session).name, request_of(session).language) == ("Wanjiku Kamau", "sw")
    assert find_customer(session, WANJIKU) is None
    known = who_calls(session, WANJIKU)
    assert (known.customer_id, known.waiting) == (None, (connection.account_no,))


@pytest.mark.usefixtures("asks_first")
def test_the_office_approves_it_and_she_is_told(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    ask(session, WANJIKU, connection.account_no)
    done = approve_link(session, request_of(session).id, "office amina")
    assert isinstance(done, Registered)
    assert (done.customer.name, connection.customer_id) == ("Wanjiku Kamau", done.customer.id)
    assert (request_of(session).status, request_of(session).decided_by) == ("approved", "office amina")
    told = session.scalars(select(Message)).one()
    assert (told.kind, told.phone, told.language, told.connection_id) == ("registration", WANJIKU, "sw", connection.id)
    assert approve_link(session, request_of(session).id, "office amina") == Refusal("decided")
    assert not reject_link(session, request_of(session).id, "office amina")
    assert who_calls(session, WANJIKU).waiting == ()


@pytest.mark.usefixtures("asks_first")
def test_the_office_rejects_it_and_she_may_ask_again(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    ask(session, WANJIKU, connection.account_no)
    assert reject_link(session, request_of(session).id, "office amina")
    assert find_customer(session, WANJIKU) is None
    assert connection.account_no in session.scalars(select(Message.body)).one()
    assert isinstance(ask(session, WANJIKU, connection.account_no), Waiting)
    assert sorted(session.scalars(select(LinkRequest.status))) == ["pending", "rejected"]


@pytest.mark.usefixtures("asks_first")
def test_what_could_never_be_linked_is_refused_at_once(session: Session) -> None:
    estate = Estate(session)
    hers, closed = estate.connection(str(WANJIKU)), estate.connection(owned=False)
    closed.status = "closed"
    session.flush()
    assert isinstance(ask(session, WANJIKU, hers.account_no), Registered)
    assert ask(session, JUMA, hers.account_no) == Refusal("taken")
    assert ask(session, JUMA, closed.account_no) == Refusal("closed")
    assert ask(session, JUMA, "1000018") == Refusal("unknown_account")
    assert link(session, JUMA, "x", "sw", hers.account_no, "test") == Refusal("name")
    assert session.scalars(select(LinkRequest)).all() == []


@pytest.mark.usefixtures("asks_first")
def test_of_two_who_ask_for_one_connection_the_first_approved_has_it(session: Session) -> None:
    connection = Estate(session).connection(owned=False)
    ask(session, WANJIKU, connection.account_no)
    ask(session, JUMA, connection.account_no)
    first, second = session.scalars(select(LinkRequest.id).order_by(LinkRequest.id)).all()
    assert isinstance(approve_link(session, first, "office amina"), Registered)
    assert approve_link(session, second, "office amina") == Refusal("taken")
    assert session.get_one(LinkRequest, second).status == "pending"
    assert session.scalars(select(Message.phone)).all() == [WANJIKU]


@pytest.mark.usefixtures("asks_first")
def test_a_customer_the_office_entered_brings_her_phone_with_approval(session: Session) -> None:
    connection = Estate(session).connection()
    assert isinstance(ask(session, WANJIKU, connection.account_no), Waiting)
    done = approve_link(session, request_of(session).id, "office amina")
    assert isinstance(done, Registered)
    assert (done.customer.id, done.customer.name) == (connection.customer_id, "Amina Otieno")
