"""`mita import` and `mita export` on the books as they are committed."""

import csv
import json
from datetime import date
from pathlib import Path

from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.models import Customer, CustomerPhone
from tests.billing.estate import Estate, must_read
from ussd_app.cli.exports import export
from ussd_app.cli.imports import import_file


def bring(file: Path, *more: str) -> Result:
    return CliRunner().invoke(import_file, [str(file), "--kind", "customers", "--json", *more])


def told(done: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(done.output.splitlines()[-1])
    return found


def test_a_file_is_tried_and_then_imported(session: Session, tmp_path: Path) -> None:
    Estate(session)
    session.commit()
    file, mend = tmp_path / "customers.csv", tmp_path / "mend.csv"
    file.write_text("name,phone\nAmina,0700000001\n,07\nBen,\n")
    tried = bring(file, "--dry-run")
    assert (tried.exit_code, told(tried)["valid"], told(tried)["made"]) == (2, 2, 0)
    assert session.scalar(select(func.count()).select_from(Customer)) == 0
    done = bring(file, "--failed", str(mend))
    assert (done.exit_code, told(done)["made"]) == (2, 2)
    assert [row["row"] for row in told(done)["errors"]] == [3]  # type: ignore[index, attr-defined]
    assert [row[1:] for row in csv.reader(mend.read_text(encoding="utf-8-sig").splitlines())] == [
        ["name", "phone"], ["", "07"]
    ]  # fmt: skip
    assert list(session.scalars(select(CustomerPhone.phone))) == ["+254700000001"]
    file.write_text("name\nCat\n")
    assert CliRunner().invoke(import_file, [str(file), "--kind", "customers"]).exit_code == 0
    file.write_text("serial\nCat\n")
    refused = CliRunner().invoke(import_file, [str(file), "--kind", "customers"])
    assert (refused.exit_code, "“name”" in refused.output) == (1, True)


def test_everything_is_written_out_but_secrets(session: Session, tmp_path: Path) -> None:
    home = Estate(session).metered("+254700000001")
    must_read(session, home, 120, date(2026, 3, 1))
    customer = session.scalars(select(Customer)).one()
    customer.name, customer.pin_hash = 'Zoë "the\nfirst"\\n, Ltd', "secret-digest"
    session.commit()
    for form in ("csv", "jsonl"):
        done = CliRunner().invoke(export, ["--all", str(tmp_path / form), "--format", form])
        assert done.exit_code == 0, done.output
        written = "".join(file.read_text() for file in (tmp_path / form).iterdir())
        assert "secret-digest" not in written
        assert not (tmp_path / form / f"office_session.{form}").exists()
    with (tmp_path / "csv" / "customer.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [customer.name]
    lines = (tmp_path / "jsonl" / "customer.jsonl").read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == [customer.name]
    counted = json.loads((tmp_path / "jsonl" / "contents.json").read_text())
    assert (counted["customer"], counted["reading"], counted["invoice"]) == (1, 2, 0)
    again = CliRunner().invoke(export, ["--all", str(tmp_path / "csv")])
    assert (again.exit_code, "not empty" in again.output) == (1, True)
