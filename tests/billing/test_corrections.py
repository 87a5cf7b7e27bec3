"""Voids, notes and adjustments: a reason, a second person over the limit, and the books whole after each."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing.invoices import current_bill
from billing.ledger import balance_of, reverse
from billing.models import Adjustment, Connection, CreditPolicy, Invoice, LedgerEntry
from billing.notes import NoteRefusal, correct, decide, void, waiting
from billing.runs import RunRefusal
from billing.single_bills import bill_one
from core.clock import frozen
from core.messages import Message
from core.money import Money
from tests.billing.estate import Estate, at_once, broken, must_read

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def home(session: Session) -> Connection:
    """A connection with bills of 1,000 and 2,000 for February and March."""
    home = Estate(session).metered("+254700000001")
    for month, value in ((FEBRUARY, 200), (MARCH, 400)):
        must_read(session, home, value, date(2026, month.month, 28))
        assert isinstance(bill_one(session, home.id, month, "office amina"), Invoice)
    return home


def bills(session: Session, home: Connection) -> list[Invoice]:
    session.expire_all()
    return list(session.scalars(select(Invoice).where(Invoice.connection_id == home.id).order_by(Invoice.id)))


def test_one_connection_is_billed_alone(session: Session, home: Connection) -> None:
    assert [(bill.number, bill.amount_minor) for bill in bills(session, home)] == [
        ("INV-000001", 100_000), ("INV-000002", 200_000),
    ]  # fmt: skip
    assert bill_one(session, home.id, MARCH, "x") == RunRefusal("billed")
    assert bill_one(session, home.id, date(2026, 4, 1), "x") == RunRefusal("no_reading")
    assert bill_one(session, home.id, date(2026, 5, 1), "x") == RunRefusal("future")
    session.commit()
    assert broken(session) == []


def test_the_newest_invoice_is_made_void_and_billed_anew(session: Session, home: Connection) -> None:
    first, second = bills(session, home)
    assert void(session, first.id, "Wrong reading", "amina") == NoteRefusal("later_bill")
    assert void(session, second.id, "  ", "amina") == NoteRefusal("reason")
    made = void(session, second.id, "Wrong reading", "amina")
    assert isinstance(made, Adjustment)
    assert (made.status, made.number, made.amount_minor) == ("posted", "VOID-000001", -200_000)
    assert balance_of(session, home.id) == Money(100_000)
    bill = current_bill(session, home.id)
    assert bill is not None
    assert bill.number == "INV-000001"
    assert void(session, second.id, "Again", "amina") == NoteRefusal("not_issued")
    sms = session.scalars(select(Message.status).where(Message.key == f"bill:{second.id}")).one()
    assert sms == "skipped"
    anew = bill_one(session, home.id, MARCH, "amina")
    assert isinstance(anew, Invoice)
    assert (anew.number, anew.amount_minor, anew.status) == ("INV-000003", 200_000, "issued")
    assert balance_of(session, home.id) == Money(300_000)
    session.commit()
    assert broken(session) == []


def test_an_invoice_is_made_void_once_by_however_many(session: Session, home: Connection) -> None:
    _, second = bills(session, home)
    session.commit()
    done = at_once([lambda own: type(void(own, second.id, "Wrong", "amina")).__name__ for _ in range(4)])
    assert sorted(done) == ["Adjustment", "NoteRefusal", "NoteRefusal", "NoteRefusal"]
    assert balance_of(session, home.id) == Money(100_000)
    assert broken(session) == []


def test_over_the_limit_a_second_person_decides(session: Session, home: Connection) -> None:
    session.get_one(CreditPolicy, "domestic").approval_minor = 150_000
    session.flush()
    _, second = bills(session, home)
    asked = void(session, second.id, "Leak on our side", "amina")
    assert isinstance(asked, Adjustment)
    assert (asked.status, asked.number, waiting(session)) == ("proposed", None, [asked])
    assert balance_of(session, home.id) == Money(300_000)
    assert void(session, second.id, "Leak", "brian") == NoteRefusal("proposed")
    assert decide(session, asked.id, "amina", approve=True) == NoteRefusal("same_person")
    assert decide(session, asked.id, "brian", approve=True) is asked
    assert (asked.status, asked.decided_by) == ("posted", "brian")
    assert decide(session, asked.id, "brian", approve=True) == NoteRefusal("state")
    assert balance_of(session, home.id) == Money(100_000)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert broken(session) == []  # not committed, for the policy was changed


def test_a_proposal_that_is_rejected_changes_nothing(session: Session, home: Connection) -> None:
    asked = correct(session, "write_off", home.id, -600_000, "expense:bad-debt", "Moved away", "amina")
    assert isinstance(asked, Adjustment)
    assert isinstance(decide(session, asked.id, "brian", approve=False), Adjustment)
    assert (asked.status, asked.number) == ("rejected", None)
    assert balance_of(session, home.id) == Money(300_000)
    assert waiting(session) == []


@pytest.mark.parametrize(
    ("kind", "amount", "number"),
    [("credit_note", -5_000, "CN-000001"), ("debit_note", 5_000, "DN-000001"),
     ("adjustment", -5_000, "ADJ-000001"), ("adjustment", 5_000, "ADJ-000001"), ("write_off", -5_000, "WO-000001")],
)  # fmt: skip
def test_each_kind_of_note(session: Session, home: Connection, kind: str, amount: int, number: str) -> None:
    made = correct(session, kind, home.id, amount, "revenue:water", "  Meter  misread ", "amina")
    assert isinstance(made, Adjustment)
    assert (made.status, made.number, made.reason) == ("posted", number, "Meter misread")
    assert balance_of(session, home.id) == Money(300_000 + amount)
    assert made.entry_id is not None
    entry = session.get_one(LedgerEntry, made.entry_id)
    assert (entry.memo, entry.due_on is not None) == (f"{number}: Meter misread", amount > 0)
    session.commit()
    assert broken(session) == []


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (lambda s, c: correct(s, "credit_note", c, 5, "revenue:water", "x", "a"), "amount"),
        (lambda s, c: correct(s, "debit_note", c, -5, "revenue:water", "x", "a"), "amount"),
        (lambda s, c: correct(s, "adjustment", c, 0, "revenue:water", "x", "a"), "amount"),
        (lambda s, c: correct(s, "void", c, -5, "revenue:water", "x", "a"), "amount"),
        (lambda s, c: correct(s, "debit_note", c, 5, "cash:mpesa", "x", "a"), "account"),
        (lambda s, c: correct(s, "debit_note", c, 5, "revenue:water", " ", "a"), "reason"),
    ],
)
def test_what_cannot_be_is_refused(
    session: Session, home: Connection, how: Callable[[Session, int], object], why: str
) -> None:
    assert how(session, home.id) == NoteRefusal(why)


def test_an_entry_is_reversed_once(session: Session, home: Connection) -> None:
    entry = session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.id)).all()[0]
    assert reverse(session, entry, "undo", "undo:1") is not None
    assert reverse(session, entry, "undo", "undo:1") is None
    assert balance_of(session, home.id) == Money(200_000)
