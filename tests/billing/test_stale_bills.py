"""Bills that a correction has made wrong are billed again, all or none."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.corrections import CorrectionRefusal, correct_reading, stale_invoices
from billing.ledger import balance_of
from billing.models import Connection, CreditPolicy, Invoice, Reading
from billing.runs import start_run
from billing.single_bills import bill_one
from billing.stale_bills import RebillRefusal, rebill_stale
from core.clock import frozen
from core.messages import Message
from tests.billing.estate import Estate, broken, must_read

MONTHS = (date(2026, 2, 28), date(2026, 3, 28), date(2026, 4, 28))


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 5, 2, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def home(session: Session) -> Connection:
    """Billed for 10, 20 and 30 units at 10 each."""
    home, value = Estate(session).metered("+254700000001"), 100
    for place, day in enumerate(MONTHS, 1):
        value += 10 * place
        must_read(session, home, value, day)
        assert isinstance(bill_one(session, home.id, day, "amina"), Invoice)
    return home


def correct_february(session: Session, home: Connection, value: int) -> None:
    wrong = session.scalars(
        select(Reading).where(Reading.connection_id == home.id, Reading.taken_on == MONTHS[0])
    ).one()
    assert not isinstance(correct_reading(session, wrong.id, Decimal(value), "amina", "Misread"), CorrectionRefusal)


def standing(session: Session, home: Connection) -> Sequence[tuple[int, Decimal]]:
    session.expire_all()
    query = select(Invoice.period_start, Invoice.usage).where(
        Invoice.connection_id == home.id, Invoice.status == "issued"
    )
    return [(month.month, usage) for month, usage in session.execute(query.order_by(Invoice.period_start)).tuples()]


def test_wrong_bills_and_those_on_them_are_billed_again(session: Session, home: Connection) -> None:
    assert rebill_stale(session, home.id, "amina") == RebillRefusal("nothing")
    correct_february(session, home, 115)
    assert len(stale_invoices(session, home.id)) == 2
    messages = len(session.scalars(select(Message.id)).all())
    done = rebill_stale(session, home.id, "amina")
    assert not isinstance(done, RebillRefusal)
    assert [one.number for one in done] == ["INV-000004", "INV-000005", "INV-000006"]
    assert standing(session, home) == [(2, 15), (3, 15), (4, 30)]
    assert balance_of(session, home.id).minor == 600_00
    assert stale_invoices(session, home.id) == []
    assert broken(session) == []
    assert len(session.scalars(select(Message.id)).all()) == messages + 1


def test_what_changes_much_asks_a_second_person_and_changes_nothing(session: Session, home: Connection) -> None:
    # The bill of February was for ten units: it was really the meter's start that was misread.
    start = session.scalars(select(Reading).where(Reading.connection_id == home.id, Reading.source == "opening")).one()
    assert not isinstance(correct_reading(session, start.id, Decimal(50), "amina", "Misread"), CorrectionRefusal)
    policy = session.get_one(CreditPolicy, "domestic")
    policy.approval_minor = 499_99
    session.flush()
    assert rebill_stale(session, home.id, "amina") == RebillRefusal("second_person")
    assert standing(session, home) == [(2, 10), (3, 20), (4, 30)]
    policy = session.get_one(CreditPolicy, "domestic")
    policy.approval_minor = 500_00
    session.flush()
    assert not isinstance(rebill_stale(session, home.id, "amina"), RebillRefusal)
    assert standing(session, home) == [(2, 60), (3, 20), (4, 30)]
    assert broken(session) == []


def test_while_a_run_is_open_it_waits(session: Session, home: Connection) -> None:
    correct_february(session, home, 115)
    must_read(session, home, 165, date(2026, 5, 1))
    start_run(session, date(2026, 5, 1), "amina")
    refused = rebill_stale(session, home.id, "amina")
    assert isinstance(refused, RebillRefusal)
    assert standing(session, home) == [(2, 10), (3, 20), (4, 30)]
