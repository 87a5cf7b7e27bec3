"""A receipt once more, over the books."""

import pytest
from sqlalchemy.orm import Session

from core.database import transaction
from core.money import Money
from core.phone import Phone
from payments.receipts import find_receipt
from payments.thanks import send_again
from tests.payments.paying import arrives, house, next_door, paybill, texts
from ussd_app.actions import BookActions

pytestmark = pytest.mark.usefixtures("settings")
PHONE = Phone("+254700000001")


def acts(session: Session, place: str = "ussd:1 1") -> BookActions:
    return BookActions(session, PHONE, "ussd", place)


def test_the_last_receipts_the_newest_first_and_only_her_own(database: str) -> None:
    home = house()
    other = next_door(home, "+254700000009")
    for n in range(7):
        arrives("paybill", paybill(home.account_no, receipt=f"REC000000{n}", amount=f"{100 + n}"))
    arrives("paybill", paybill(other.account_no, receipt="OTHERS0001"))
    with transaction() as session:
        lines = acts(session).receipts(home.account_no)
        assert [line.number for line in lines] == [f"REC000000{n}" for n in (6, 5, 4, 3, 2)]
        assert lines[0].amount == Money.of(106)
        first = acts(session).find_receipt(home.account_no, "rec0000000")
        assert first is not None
        assert first.amount == Money.of(100)
        assert acts(session).find_receipt(home.account_no, "OTHERS0001") is None
        assert acts(session).receipts(other.account_no)[0].number == "OTHERS0001"


def test_it_is_sent_once_for_its_place_in_the_conversation(database: str) -> None:
    home = house()
    arrives("paybill", paybill(home.account_no, receipt="REC0000001"))
    with transaction() as session:
        for place in ("ussd:1 3", "ussd:1 3", "ussd:2 3"):
            acts(session, place).send_receipt(home.account_no, "REC0000001")
        acts(session).send_receipt(home.account_no, "OTHERS0001")
        assert len(texts(session, "receipt")) == 3  # the first one of all, and one for each conversation
        assert len(set(texts(session, "receipt"))) == 1


def test_nobody_is_sent_what_lies_in_suspense(database: str) -> None:
    house()
    arrives("paybill", paybill("nobody", receipt="REC0000001"))
    with transaction() as session:
        lost = find_receipt(session, "REC0000001")
        assert lost is not None
        assert not send_again(session, lost, PHONE)
        assert texts(session, "receipt") == []
