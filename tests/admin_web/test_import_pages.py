"""Lists come into the office as files: looked at, imported, mended, taken back."""

import csv
import io
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

import billing.bulk_jobs
from billing.importing.kinds import KINDS
from billing.importing.models import ImportFile
from billing.importing.tables import Table, open_table
from billing.models import Customer
from core.outbox import JOBS, Outbox
from tests.admin_web.conftest import Browser

assert billing.bulk_jobs


@pytest.fixture
def clerk(enter: Callable[[str], Browser]) -> Browser:
    return enter("billing")


def upload(browser: Browser, kind: str, content: bytes, name: str = "list.csv", **more: str) -> TestResponse:
    fields = browser.tokens("/imports") | {"kind": kind, "days": "iso"} | more
    return browser.client.post("/office/imports", data={**fields, "file": (io.BytesIO(content), name)})


def work(session: Session) -> None:
    """What a worker does, until nothing is left."""
    while rows := session.scalars(select(Outbox).where(Outbox.done_at.is_(None), Outbox.job.like("billing.%"))).all():
        for row in rows:
            JOBS[row.job](row.subject_id)
            session.delete(row)
        session.commit()


def path_of(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.location).removeprefix("/office")


def test_a_list_is_looked_at_imported_and_taken_back(clerk: Browser, session: Session) -> None:
    path = path_of(upload(clerk, "customers", b"name,phone,shoe\nAmina,0700000001,41\nBen,,\n"))
    seen = clerk.get(path).text
    assert "2 rows can be imported" in seen
    assert "Ignored: shoe." in seen
    assert clerk.post(f"{path}/start", form_on=path).status_code == 303
    assert "You may leave this page" in clerk.get(path).text
    assert "HX-Refresh" not in clerk.get(f"{path}/progress").headers
    work(session)
    assert clerk.get(f"{path}/progress").headers["HX-Refresh"] == "true"
    assert "2 rows imported" in clerk.get(path).text
    assert "taken back unless" in clerk.get(f"{path}/undo").text
    clerk.post(f"{path}/undo")
    work(session)
    assert "2 rows taken back" in clerk.get(path).text
    assert session.scalar(select(func.count()).select_from(Customer)) == 0


def test_errors_stand_on_the_left_and_go_out_to_be_mended(clerk: Browser, session: Session) -> None:
    rows = ["name,phone", *(f"N{number:02d},07x" for number in range(20)), "Amina,0700000001"]
    path = path_of(upload(clerk, "customers", "\n".join(rows).encode()))
    seen = clerk.get(path).text
    assert "20 rows cannot be imported" in seen
    assert "These are the first 15" in seen
    assert seen.count('class="row-error"') == 15
    assert "Amina" not in seen
    assert "Import the 1 valid row<" in seen
    mend = list(csv.reader(io.StringIO(clerk.get(f"{path}/rows.csv").text.lstrip("\ufeff"))))
    assert mend[0] == ["error", "name", "phone"]
    assert (len(mend), mend[1][1:]) == (21, ["N00", "07x"])
    mended = "\n".join(",".join([f'"{row[0]}"', row[1], "" if row[2] == "07x" else row[2]]) for row in mend)
    again = clerk.get(path_of(upload(clerk, "customers", mended.encode()))).text
    assert "20 rows can be imported" in again
    assert "Nothing here is called so" not in again


def test_a_refused_file_says_why_and_understands_other_names(clerk: Browser, session: Session) -> None:
    path = path_of(upload(clerk, "customers", b"Full name;Mobile\nAmina;0700000001\n"))
    seen = clerk.get(path).text
    assert "Your file needs a column called “name”" in seen
    assert '<option value="name" selected>' in seen
    clerk.post(f"{path}/columns", form_on=path, column_0="name", column_1="phone")
    assert "1 row can be imported" in clerk.get(path).text
    assert "Two headers cannot mean" in clerk.get(
        path_of(clerk.post(f"{path}/columns", form_on=path, column_0="name", column_1="name"))
    ).text  # fmt: skip


def test_an_upload_without_a_file_or_kind_is_told(clerk: Browser) -> None:
    assert "Choose what is in the file" in upload(clerk, "nonsense", b"x").text
    answer = clerk.post("/imports", kind="customers", days="iso")
    assert (answer.status_code, "Choose a file" in answer.text) == (422, True)


def test_the_same_file_once_more_is_noticed(clerk: Browser, session: Session) -> None:
    content = b"name\nAmina Otieno\n"
    path = path_of(upload(clerk, "customers", content))
    clerk.post(f"{path}/start", form_on=path)
    assert "The very same file was" in clerk.get(path_of(upload(clerk, "customers", content))).text


def test_files_are_for_those_who_may_type_the_same(enter: Callable[[str], Browser], session: Session) -> None:
    field, accountant, auditor = enter("field"), enter("accountant"), enter("auditor")
    assert "not for your role" in upload(field, "payments", b"account\n").text
    assert "not for your role" in upload(accountant, "meters", b"serial\nX").text
    path = path_of(upload(accountant, "payments", b"account,amount,paid_on,method,reference\nX,1,2026-01-01,bank,1"))
    assert [who.get(path).status_code for who in (field, accountant, auditor)] == [403, 200, 200]
    assert "Import none" not in auditor.get(path).text
    assert "list.csv" not in field.get("/imports").text


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_template_is_a_file_that_is_understood(clerk: Browser, session: Session, kind: str, form: str) -> None:
    opened = open_table(clerk.get(f"/imports/templates/{kind}.{form}").data)
    assert isinstance(opened, Table)
    named = {column.name for column in KINDS[kind].columns}
    assert set(opened.headers) == named if form != "jsonl" else set(opened.headers) <= named
    assert len(list(opened.rows)) == 1


def test_what_goes_out_runs_in_no_spreadsheet_and_comes_in_again(clerk: Browser, session: Session) -> None:
    evil = b"name,phone\n\"=cmd|' /C calc'!A0\",07x\n@SUM(A1),07y\n"
    path = path_of(upload(clerk, "customers", evil))
    out = clerk.get(f"{path}/rows.csv").text
    lines = list(csv.reader(io.StringIO(out.lstrip("\ufeff"))))
    assert [cell[:1] for line in lines[1:] for cell in line if cell[:1] in "=+-@'"] == ["'", "'"]
    opened = open_table(out.encode())
    assert isinstance(opened, Table)
    assert [record.cells[1] for record in opened.rows] == ["=cmd|' /C calc'!A0", "@SUM(A1)"]


def test_a_large_file_does_not_keep_the_request_waiting(clerk: Browser, session: Session) -> None:
    content = "name,phone,note\n" + "".join(f"Customer {n},07{n:08d},{'x' * 30}\n" for n in range(6_000))
    path = path_of(upload(clerk, "customers", content.encode()))
    assert "0 rows read" in clerk.get(path).text
    work(session)
    assert "6,000 rows can be imported" in clerk.get(path).text
    assert session.scalars(select(ImportFile.valid)).one() == 6_000
