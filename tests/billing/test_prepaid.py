"""Whoever pays in advance gets no bills, and disturbs nobody who does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from billing.batches import run_now
from billing.invoices import current_bill
from billing.models import BillingRun
from billing.provisional import provisional_bill
from billing.runs import issue_run, problems, start_run
from core.clock import frozen
from tests.billing.estate import Estate, broken, must_read

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        yield


def billed(session: Session, month: date) -> BillingRun:
    run = start_run(session, month, "office amina")
    assert isinstance(run, BillingRun)
    run_now(session, run.id)
    assert isinstance(issue_run(session, run.id, "office amina"), BillingRun)
    run_now(session, run.id)
    return run


def test_a_run_leaves_prepaid_connections_out(session: Session) -> None:
    estate = Estate(session)
    first, prepaid, last = (estate.metered(f"+25470000000{number}") for number in (1, 2, 3))
    prepaid.prepaid = True
    for home in (first, prepaid, last):
        must_read(session, home, 110, date(2026, 2, 28))
    run = billed(session, FEBRUARY)
    assert (run.status, run.total, run.done, run.failed, run.skipped) == ("issued", 2, 2, 0, 0)
    assert problems(session, run.id) == []
    assert current_bill(session, prepaid.id) is None
    assert provisional_bill(session, prepaid, Decimal(110), date(2026, 2, 28)) is None
    assert broken(session) == []


def test_one_that_becomes_prepaid_keeps_its_bills_and_gets_no_more(session: Session) -> None:
    home = Estate(session).metered("+254700000001")
    must_read(session, home, 110, date(2026, 2, 28))
    billed(session, FEBRUARY)
    home.prepaid = True
    must_read(session, home, 120, date(2026, 3, 31))
    run = billed(session, MARCH)
    assert (run.total, run.done) == (0, 0)
    bill = current_bill(session, home.id)
    assert bill is not None
    assert bill.period == FEBRUARY
    assert broken(session) == []


def test_only_prepaid_ones_make_an_empty_run(session: Session) -> None:
    Estate(session).metered("+254700000001").prepaid = True
    session.flush()
    run = start_run(session, FEBRUARY, "office amina")
    assert isinstance(run, BillingRun)
    assert (run.status, run.total) == ("review", 0)
