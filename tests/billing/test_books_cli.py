"""`mita books export` and `mita books invoices` on the books as they are committed."""

from datetime import UTC, date, datetime
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy.orm import Session

from billing.models import Invoice
from billing.single_bills import bill_one
from core.clock import frozen
from tests.billing.estate import Estate, must_read
from ussd_app.cli.checks import books


def test_the_journal_and_the_invoices_are_written_to_files(session: Session, tmp_path: Path) -> None:
    with frozen(datetime(2026, 3, 2, 9, tzinfo=UTC)):
        home = Estate(session).metered()
        must_read(session, home, 120, date(2026, 2, 28))
        assert isinstance(bill_one(session, home.id, date(2026, 2, 1), "x"), Invoice)
    session.commit()
    run = CliRunner()
    for kind, begins in (("csv", "date,entry"), ("tally", "<?xml")):
        file = tmp_path / kind
        done = run.invoke(books, ["export", "--format", kind, "--from", "2026-03-01", "--to", "2026-03-31", str(file)])
        assert done.exit_code == 0, done.output
        assert file.read_text().startswith(begins)
        assert "INV-000001" in file.read_text()
    order = ["invoices", "--zone", "A", "--month", "2026-02", "--to", str(tmp_path), "--paper", "thermal"]
    done = run.invoke(books, order)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "invoices-A-2026-02-001.pdf").read_bytes().startswith(b"%PDF-")
    assert run.invoke(books, ["invoices", "--zone", "Z", "--month", "2026-02"]).exit_code != 0
