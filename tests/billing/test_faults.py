"""Reports of faults: one ticket for one report, and an answer when it is closed."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing.accounts import parse_account_no
from billing.faults import assign_fault, close_fault, report_fault
from billing.models import FaultReport
from core.messages import Message
from core.phone import Phone
from core.text import is_gsm7
from tests.billing.estate import Estate, at_once

WANJIKU = Phone("+254700000001")


def report(session: Session, kind: str = "leak", note: str = "", key: str = "ussd:1 3") -> FaultReport:
    return report_fault(session, WANJIKU, kind, connection_id=None, note=note, channel="ussd", key=key)


def fresh(session: Session) -> FaultReport:
    return session.scalars(select(FaultReport).execution_options(populate_existing=True)).one()


def test_a_ticket_is_five_digits_that_tell_a_slip(session: Session) -> None:
    tickets = [report(session, key=f"ussd:{number} 3").ticket for number in range(30)]
    assert len(set(tickets)) == 30
    assert {len(ticket) for ticket in tickets} == {5}
    assert all(parse_account_no(ticket) == ticket for ticket in tickets)


def test_one_place_is_one_ticket_and_one_message(session: Session) -> None:
    Estate(session).customer(str(WANJIKU))
    session.commit()
    tickets = at_once([lambda own: report(own).ticket for _ in range(6)])
    assert len(set(tickets)) == 1
    assert report(session, "other", "said again").ticket == tickets[0]
    assert (fresh(session).kind, fresh(session).ticket) == ("leak", tickets[0])
    assert session.scalars(select(Message.kind)).all() == ["answer"]


def test_a_long_note_is_cut_and_an_unknown_kind_refused(session: Session) -> None:
    assert len(report(session, note="  near   the " + "x" * 400).note) == 200
    with pytest.raises(IntegrityError):
        report(session, "flood", key="ussd:2 3")


def test_closing_sends_the_answer_once(session: Session) -> None:
    made = report(session)
    assert assign_fault(session, made.id)
    assert not assign_fault(session, made.id)
    assert close_fault(session, made.id, "The pipe – at the gate – is mended.", "office amina")
    assert not close_fault(session, made.id, "Again", "office amina")
    assert not assign_fault(session, made.id)
    row = fresh(session)
    assert (row.status, row.closed_by) == ("closed", "office amina")
    assert row.closed_at is not None
    said = session.scalars(select(Message.body).order_by(Message.id)).all()
    assert said[1] == f"Maji Safi Water: your report {row.ticket}: The pipe - at the gate - is mended."
    assert all(is_gsm7(text) for text in said)
