"""What the database itself refuses: bills, lines and postings that hang in the air, and to lose what they hang on."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing.batches import run_now
from billing.models import BillingRun, Connection
from billing.runs import issue_run, start_run
from core.clock import frozen
from tests.billing.estate import Estate, at_once, must_read

FEBRUARY = date(2026, 2, 1)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def run(session: Session) -> BillingRun:
    """Two drafts, committed."""
    estate = Estate(session)
    for _ in range(2):
        must_read(session, estate.metered(), 110, date(2026, 2, 28))
    run = start_run(session, FEBRUARY, "office amina")
    assert isinstance(run, BillingRun)
    run_now(session, run.id)
    session.commit()
    return run


def issued(session: Session, run: BillingRun) -> None:
    issue_run(session, run.id, "office amina")
    run_now(session, run.id)
    session.commit()


ANOTHER = """
    INSERT INTO invoice (run_id, connection_id, kind, period_start, period_end, usage, days, cycles, amount_minor,
        arrears_minor, status, tariff_version_id, opening_reading_id, closing_reading_id, created_at)
    SELECT {run}, connection_id, 'other', period_start, period_end, usage, days, cycles, 0, 0, 'draft', {version},
        {opening}, {closing}, created_at FROM invoice ORDER BY id LIMIT 1
"""
PARTS = {"run": "run_id", "version": "tariff_version_id", "opening": "opening_reading_id",
         "closing": "closing_reading_id"}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_an_invoice_is_of_what_there_is(session: Session, run: BillingRun, part: str) -> None:
    with pytest.raises(DBAPIError, match="an invoice has no readings of its connection"):
        session.execute(text(ANOTHER.format(**PARTS | {part: "999999"})))


@pytest.mark.parametrize("part", ["opening", "closing"])
def test_an_invoice_is_of_its_own_readings(session: Session, run: BillingRun, part: str) -> None:
    session.execute(text(ANOTHER.format(**PARTS)))
    session.rollback()
    neighbours = f"(SELECT max({PARTS[part]}) FROM invoice)"
    with pytest.raises(DBAPIError, match="an invoice has no readings of its connection"):
        session.execute(text(ANOTHER.format(**PARTS | {part: neighbours})))


def test_lines_and_postings_do_not_hang_in_the_air(session: Session, run: BillingRun) -> None:
    issued(session, run)
    for orphan, said in (
        ("INSERT INTO invoice_line (invoice_id, position, code, label, amount_minor, account)"
         " SELECT id, 9, 'x', 'x', 0, 'x' FROM unnest(ARRAY[(SELECT max(id) FROM invoice), 999999]) id",
         "belongs to no invoice"),
        ("INSERT INTO posting (entry_id, account, amount_minor) VALUES (999999, 'x', 1), (999999, 'y', -1)",
         "belongs to no entry"),
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match=said):
            session.execute(text(orphan))
        session.rollback()


@pytest.mark.parametrize("change", [
    "DELETE FROM reading", "DELETE FROM tariff_version", "DELETE FROM billing_run", "TRUNCATE reading CASCADE",
    "TRUNCATE invoice CASCADE", "TRUNCATE invoice_line", "UPDATE reading SET connection_id = connection_id",
    "UPDATE invoice SET id = DEFAULT", "UPDATE invoice SET closing_reading_id = opening_reading_id",
    "UPDATE invoice_line SET amount_minor = 0",
])  # fmt: skip
def test_what_bills_lean_on_stays(session: Session, run: BillingRun, change: str) -> None:
    with pytest.raises(DBAPIError, match="bills lean on it"):
        session.execute(text(change))


def test_a_draft_goes_with_its_lines_and_an_issued_bill_keeps_them(session: Session, run: BillingRun) -> None:
    with pytest.raises(DBAPIError, match="goes with its lines"):
        session.execute(text("DELETE FROM invoice"))
    session.rollback()
    issued(session, run)
    with pytest.raises(DBAPIError, match="lines of an issued invoice"):
        session.execute(text("DELETE FROM invoice_line"))


def test_a_draft_is_not_deleted_while_a_line_is_added(session: Session, run: BillingRun) -> None:
    """As with a foreign key: whoever deletes waits for the line, and then is refused."""
    session.execute(text("DELETE FROM invoice_line"))
    session.commit()
    add = text("INSERT INTO invoice_line (invoice_id, position, code, label, amount_minor, account)"
               " SELECT min(id), 1, 'x', 'x', 0, 'x' FROM invoice")  # fmt: skip
    session.execute(add)

    def delete(own: Session) -> str:
        try:
            own.execute(text("SET LOCAL lock_timeout = '500ms'"))
            own.execute(text("DELETE FROM invoice"))
        except DBAPIError as error:
            own.rollback()
            return str(error)
        return ""

    assert "lock timeout" in at_once([delete])[0]


def test_what_no_bill_leans_on_may_go(session: Session, run: BillingRun) -> None:
    home = session.scalars(select(Connection).order_by(Connection.id).limit(1)).one()
    spare = must_read(session, home, 125, date(2026, 3, 31)).reading.id
    session.commit()
    session.execute(text("DELETE FROM reading WHERE id = :id"), {"id": spare})
    session.commit()
    assert session.scalar(text("SELECT count(*) FROM reading WHERE id = :id"), {"id": spare}) == 0


def test_a_reading_is_not_deleted_while_a_bill_is_made_of_it(session: Session, run: BillingRun) -> None:
    session.execute(text(ANOTHER.format(**PARTS)))

    def delete(own: Session) -> str:
        try:
            own.execute(text("SET LOCAL lock_timeout = '500ms'"))
            own.execute(text("DELETE FROM reading WHERE id = (SELECT max(closing_reading_id) FROM invoice)"))
        except DBAPIError as error:
            own.rollback()
            return str(error)
        return ""

    assert "lock timeout" in at_once([delete])[0]
