"""A home whose customer reads her own meter, on a day in November."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from billing.models import Connection
from billing.readings import Recorded, latest_reading
from billing.unbilled import unbilled_of
from core.clock import frozen
from tests.billing.estate import Estate, must_read, read

TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def november() -> Iterator[None]:
    with frozen(datetime(2026, 11, 21, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def home(session: Session) -> Connection:
    """A connection that uses 20 a month: 100 in January, 280 on 28 October."""
    connection = Estate(session).metered("+254700000001")
    for month in range(2, 11):
        must_read(session, connection, 100 + 20 * (month - 1), date(2026, month, 28))
    return connection


def value_of(session: Session, home: Connection) -> Decimal:
    last = latest_reading(session, home.id)
    assert last is not None
    return last.value


def usage_of(session: Session, home: Connection) -> Decimal:
    row = unbilled_of(session, home.id, TODAY)
    assert row is not None
    return row.usage


def by_herself(session: Session, home: Connection, value: int, on: date = TODAY) -> Recorded:
    done = read(session, home, value, on, source="customer_ussd", entered_by="customer +254700000001")
    assert isinstance(done, Recorded), done
    return done
