"""Water budgets: a bill goes by the one that held in its month, for ever."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing.budgets import budget_in, latest_budget, set_budget
from billing.models import Invoice
from billing.pricing import rerate
from billing.provisional import provisional_bill
from billing.single_bills import bill_one
from core.clock import frozen
from tests.billing.estate import Estate, must_read

BY_BUDGET: dict[str, Any] = {
    "model": "graduated", "budget": {"default": 10},
    "tiers": [{"from": 0, "to": 1, "rate": 10}, {"from": 1, "to": None, "rate": 100}],
}  # fmt: skip
FEBRUARY, MARCH = date(2026, 2, 28), date(2026, 3, 31)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 20, 9, tzinfo=UTC)):
        yield


def rated_again(session: Session, bill: Invoice) -> int:
    charge = rerate(session, bill)
    assert not isinstance(charge, str)
    return charge.total.minor


def test_a_bill_goes_by_the_budget_of_its_month(session: Session) -> None:
    estate = Estate(session, BY_BUDGET)
    home, neighbour = estate.metered(), estate.metered()
    for one in (home, neighbour):
        must_read(session, one, 120, FEBRUARY)
    bills = [bill_one(session, one.id, FEBRUARY, "amina") for one in (home, neighbour)]
    assert set_budget(session, home.id, Decimal(15), "amina") == date(2026, 3, 1)
    for one in (home, neighbour):
        must_read(session, one, 140, MARCH)
    assert (shown := provisional_bill(session, home, Decimal(140), MARCH)) is not None
    assert shown.total.minor == 650_00
    bills += [bill_one(session, one.id, MARCH, "amina") for one in (home, neighbour)]
    amounts = []
    for bill in bills:
        assert isinstance(bill, Invoice)
        amounts.append(bill.amount_minor)
        assert rated_again(session, bill) == bill.amount_minor
    # 20 units: ten at 10 and ten at 100, or fifteen and five.
    assert amounts == [1_100_00, 1_100_00, 650_00, 1_100_00]


def test_what_has_billed_is_never_changed(session: Session) -> None:
    home = Estate(session, BY_BUDGET).metered()
    assert set_budget(session, home.id, Decimal(12), "amina") == date(2026, 1, 1)
    assert set_budget(session, home.id, Decimal(15), "amina") == date(2026, 1, 1)
    must_read(session, home, 120, FEBRUARY)
    bill = bill_one(session, home.id, FEBRUARY, "amina")
    assert isinstance(bill, Invoice)
    assert set_budget(session, home.id, None, "amina") == date(2026, 3, 1)
    assert (budget_in(session, home.id, date(2026, 2, 1)), latest_budget(session, home.id)) == (Decimal(15), None)
    assert rated_again(session, bill) == bill.amount_minor == 650_00
