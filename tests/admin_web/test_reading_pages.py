"""Readings at the office: put right, estimated, parked for review and decided."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import Connection, Invoice, Reading
from billing.readings import latest_reading
from billing.single_bills import bill_one
from core.clock import frozen
from tests.admin_web.conftest import Browser
from tests.billing.estate import Estate, must_read, read

TODAY = date(2026, 4, 20)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 20, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def home(session: Session) -> Connection:
    """20 a month up to 31 March."""
    home = Estate(session).metered()
    must_read(session, home, 120, date(2026, 2, 28))
    must_read(session, home, 140, date(2026, 3, 31))
    session.commit()
    return home


def last(session: Session, home: Connection) -> Reading:
    session.rollback()
    found = latest_reading(session, home.id)
    assert found is not None
    return found


def test_a_reading_is_corrected_and_what_it_said_is_shown(session: Session, home: Connection, clerk: Browser) -> None:
    path = f"/readings/{last(session, home).id}"
    assert clerk.post(path, value="138", reason="").status_code == 422
    low = clerk.post(path, value="119", reason="misread")
    assert "below the reading before it" in low.text
    assert clerk.post(path, value="138", reason="The 0 was an 8").status_code == 303
    assert last(session, home).value == 138
    text = clerk.get(path).text
    assert "What it said before" in text
    assert "The 0 was an 8" in text
    assert path in clerk.get("/readings").text


def test_one_and_all_are_estimated_after_a_look(session: Session, home: Connection, clerk: Browser) -> None:
    preview = clerk.get("/readings/estimates")
    assert home.account_no in preview.text
    assert "154" in preview.text  # 40 units over 59 days, for 20 days
    assert last(session, home).value == 140
    done = clerk.post("/readings/estimates")
    assert done.status_code == 303
    assert (last(session, home).value, last(session, home).source) == (154, "estimate")
    assert "Nothing to estimate" in clerk.get("/readings/estimates").text


def test_one_connection_is_estimated_from_its_sheet(session: Session, home: Connection, clerk: Browser) -> None:
    assert f"connection={home.id}" in clerk.get(f"/readings/sheet?connection={home.id}").text
    one = f"/readings/estimates?connection={home.id}&day=2026-04-10"
    assert clerk.post(one).status_code == 303
    assert (last(session, home).value, last(session, home).taken_on) == (147, date(2026, 4, 10))
    assert clerk.client.get("/office/readings/estimates?connection=999999").status_code == 200


def test_a_reading_below_is_parked_and_decided(session: Session, home: Connection, clerk: Browser) -> None:
    sheet = f"/readings/sheet?connection={home.id}"
    refused = clerk.post(sheet, **{"taken_on": "2026-04-20", f"value-{home.id}": "135"})
    assert "below the previous reading" in refused.text
    parked = {"taken_on": "2026-04-20", f"value-{home.id}": "135", f"sure-{home.id}": "yes"}
    assert clerk.post(sheet, **parked).status_code == 303
    text = clerk.get("/readings/review").text
    assert "perhaps the meter runs backwards" in text
    waiting = session.scalars(select(Reading).where(Reading.status == "review")).one()
    plain = clerk.post(f"/readings/{waiting.id}/accept", form_on="/readings/review")
    assert plain.status_code == 303
    session.rollback()
    assert waiting.status == "review"
    clerk.post(f"/readings/{waiting.id}/accept", form_on="/readings/review", turn="reversed")
    session.rollback()
    assert (waiting.status, waiting.usage, waiting.turn) == ("accepted", 5, "reversed")


def test_a_disputed_reading_says_what_accepting_it_does(session: Session, home: Connection, clerk: Browser) -> None:
    read(session, home, 150, date(2026, 4, 10), source="customer_ussd")
    read(session, home, 145, TODAY, source="field", park=True)
    session.commit()
    assert "sets them aside" in clerk.get("/readings/review").text


def test_bills_that_a_correction_made_wrong_are_billed_again(
    session: Session, home: Connection, clerk: Browser
) -> None:
    bill = bill_one(session, home.id, date(2026, 3, 1), "test")
    assert isinstance(bill, Invoice)
    session.commit()
    page = f"/readings/{last(session, home).id}"
    assert "Bill them again" not in clerk.get(page).text
    clerk.post(page, value="150", reason="Misread")
    assert "Bill them again" in clerk.get(page).text
    done = clerk.post(f"/connections/{home.id}/rebill", form_on=page)
    assert "Billed again: INV-000002" in clerk.get(done.location.removeprefix("/office")).text
    assert "Bill them again" not in clerk.get(page).text
    clerk.post(f"/connections/{home.id}/rebill", form_on=page)
    assert "Every bill says what its readings say" in clerk.get(page).text
