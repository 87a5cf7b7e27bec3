"""What is asked in one statement says the same as billing's own functions."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from billing.customers import create_connection, create_customer
from billing.demo import seed_demo
from billing.invoices import current_bill
from billing.judgement import meter_at
from billing.ledger import Leg, balance_of, last_payment, post
from billing.models import Connection, Customer, Tariff, Zone
from billing.readings import latest_reading
from core.clock import today
from ussd_app import quick

ZONE = "Africa/Nairobi"


@pytest.fixture
def demo(session: Session) -> list[Connection]:
    seed_demo(session, date(2026, 11, 21))
    return list(session.query(Connection))


def test_of_every_connection(session: Session, demo: list[Connection]) -> None:
    seen = set()
    for connection in demo:
        owed, paid = balance_of(session, connection.id), last_payment(session, connection.id)
        view = quick.balance_view(session, connection.account_no)
        assert (view.owed, view.last_paid) == (owed, paid.amount if paid else None)
        assert view.last_paid_on == (paid.on(ZONE) if paid else None)
        bill, summary = current_bill(session, connection.id), quick.bill_summary(session, connection.account_no)
        assert summary.owed == owed
        assert (summary.number, summary.due_on, summary.period) == (
            (bill.number, bill.due_on, bill.period) if bill else (None, None, None)
        )
        assert (summary.amount, summary.usage) == ((bill.amount, bill.usage) if bill else (summary.amount * 0, 0))
        meter, last = meter_at(session, connection.id), latest_reading(session, connection.id)
        face = quick.meter_face(session, connection.account_no)
        assert (face.serial if face else None) == (meter.serial if meter else None)
        if face is not None and face.value is not None:
            assert last is not None
            assert (face.value, face.taken_on) == (last.value, last.taken_on)
        seen |= {bill is None, paid is None}
    assert seen == {True, False}, "there are connections with and without a bill"


def test_a_connection_with_nothing_yet(session: Session) -> None:
    zone, tariff = Zone(code="A", name="Town"), Tariff(name="Domestic", customer_class="domestic")
    session.add_all([zone, tariff])
    session.flush()
    owner = create_customer(session, "Amina Otieno", language="en", by="test")
    assert isinstance(owner, Customer)
    place = create_connection(
        session, zone_id=zone.id, tariff_id=tariff.id, address="Plot", opened_on=date(2026, 1, 1),
        customer_id=owner.id,
    )  # fmt: skip
    assert quick.meter_face(session, place.account_no) is None
    assert quick.bill_summary(session, place.account_no).number is None
    view = quick.balance_view(session, place.account_no)
    assert (view.owed.minor, view.last_paid, view.last_paid_on) == (0, None, None)
    assert post(session, "payment", "receipt:1", [Leg("receivable", -500, place.id), Leg("cash:mpesa", 500)])
    view = quick.balance_view(session, place.account_no)
    assert view.owed.minor == -500
    assert view.last_paid is not None
    assert view.last_paid.minor == 500
    assert Decimal(0) == quick.bill_summary(session, place.account_no).usage
    assert view.last_paid_on is not None
    assert abs(view.last_paid_on - today(ZONE)) <= timedelta(days=1)
