"""What comes as a file: every way in which offices save a list, and every way in which it goes wrong."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from billing.importing import reading
from billing.importing.tables import Table, Unreadable, open_table
from billing.importing.values import Wrong, amount, day, decimal_of, number
from core.config import Settings
from tests.billing.importing import brought, csv_of, excel_of, rows_of


def table(content: bytes) -> Table:
    opened = open_table(content)
    assert isinstance(opened, Table), opened
    return opened


def cells(content: bytes) -> list[tuple[int, list[str]]]:
    return [(record.number, record.cells) for record in table(content).rows]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("name,phone\nZoë Müller,0700000001\n".encode(), "UTF-8"),
        ("name,phone\nZoë Müller,0700000001\n".encode("utf-8-sig"), "UTF-8"),
        ("name;phone\r\nZoë Müller;0700000001\r\n".encode("cp1252"), "Windows-1252"),
        ("name\tphone\nZoë Müller\t0700000001\n".encode("utf-16"), "UTF-16"),
        ("name,phone\nZoë Müller,0700000001\n".encode("utf-16-le"), "UTF-16"),
        ("name,phone\nZoë Müller,0700000001\n".encode("utf-16-be").join([b"\xfe\xff", b""]), "UTF-16"),
    ],
    ids=["utf-8", "bom", "cp1252-semicolons", "utf-16-tabs", "utf-16-without-mark", "utf-16-big"],
)
def test_every_usual_encoding_is_read(content: bytes, encoding: str) -> None:
    opened = table(content)
    assert (opened.headers, opened.encoding) == (["name", "phone"], encoding)
    assert [record.cells for record in opened.rows] == [["Zoë Müller", "0700000001"]]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    assert cells(b'name,address\n"A\nB",x\n\n,,\nC,y\n') == [(2, ["A\nB", "x"]), (5, ["C", "y"])]
    assert cells(excel_of([], ["", "name"], [], ["", "C"])) == [(4, ["C"])]


def test_excel_cells_are_written_as_a_person_would() -> None:
    rows = cells(excel_of(["a", "b", "c", "d", "e"], [700000001, 0.1 + 0.2, date(2026, 3, 4), True, "  x "]))
    assert rows == [(2, ["700000001", "0.3", "2026-03-04", "yes", "x"])]


def test_json_lines_keep_their_numbers_exact() -> None:
    opened = table(b'{"a": 1.10, "b": {"c": "2"}}\nno json\n\n{"a": null, "b": true}\n')
    first, second, third = opened.rows
    assert (opened.headers, first.cells) == (["a", "b"], ["1.10", '{"c": "2"}'])
    assert (second.number, second.fault) == (2, "This line is no JSON object.")
    assert (third.number, third.cells) == (4, ["", "yes"])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"), (b" \r\n \n", "empty"), (b"\xef\xbb\xbf", "empty"), (b"%PDF-1.4", "unreadable"),
        (b"PK\x03\x04 not a workbook", "unreadable"), (b"\xef\xbb\xbfna\xffme", "unreadable"),
        (b"name\n\x81\x8d", "unreadable"), (b"[1, 2", "unreadable"), (b"x" * (20 * 1024 * 1024 + 1), "limits"),
        (excel_of(), "empty"), (b"a," * 80 + b"b\n1", "limits"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words(content: bytes, kind: str) -> None:
    opened = open_table(content)
    assert isinstance(opened, Unreadable)
    assert (opened.kind, bool(opened.says)) == (kind, True)


def test_a_row_with_more_cells_than_columns_and_an_open_quotation_say_so() -> None:
    assert [record.fault for record in table(b"a,b\n1,2,3,\n1,2,,\n").rows] == [
        "There is more in it than columns: 3.", ""
    ]  # fmt: skip


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    opened = open_table(content)
    for record in opened.rows if isinstance(opened, Table) else ():
        assert all("\x00" not in cell and cell.encode() is not None for cell in record.cells)


@pytest.mark.parametrize(
    ("said", "value"),
    [("1,234.50", "1234.50"), ("1234.5", "1234.5"), ("0", "0"), ("-3,400", "-3400"), ("1,234,567", "1234567")],
)
def test_numbers_are_read_exactly(said: str, value: str) -> None:
    assert decimal_of(said) == Decimal(value)


@pytest.mark.parametrize(
    "said", ["1.234,50", "1,23", "12,34.5", "1 234", "1e3", "1,234.", ".5", "KES 5", "٣", "NaN", "1,2345", "--1", ""]
)
def test_what_may_mean_two_numbers_is_none(said: str) -> None:
    assert decimal_of(said) is None


def test_money_is_above_zero_and_in_whole_cents(settings: Settings) -> None:
    assert amount()("1,234.50", "iso") == 123450
    assert all(isinstance(amount()(said, "iso"), Wrong) for said in ("0", "-1", "1.005", "9" * 20))
    assert amount(signed=True)("-1.50", "iso") == -150
    assert number()("1,265.125", "iso") == Decimal("1265.125")


def test_days_are_read_in_the_order_that_was_chosen() -> None:
    said = "03/04/2026"
    assert day(said, "dmy") == date(2026, 4, 3)
    assert day(said, "mdy") == date(2026, 3, 4)
    assert isinstance(day(said, "iso"), Wrong)
    assert [day("2026-04-03", order) for order in ("iso", "dmy", "mdy")] == [date(2026, 4, 3)] * 3
    assert all(isinstance(day(wrong, "dmy"), Wrong) for wrong in ("31/02/2026", "3/4/26", "2026-13-01", "0001-01-01"))


def test_errors_come_one_class_at_a_time(session: Session, settings: Settings) -> None:
    """First a file of another kind, then its headers, then its rows."""
    another = brought(session, "customers", csv_of("serial,digits", "KM1,6"))
    assert another.problem is not None
    assert (another.status, another.problem["kind"], another.problem["missing"]) == ("refused", "key", ["name"])
    headers = brought(session, "payments", csv_of("account,amount,date,how,reference", ",,,,"))
    assert headers.problem is not None
    assert (headers.problem["kind"], headers.problem["missing"]) == ("headers", ["paid_on", "method"])
    assert headers.problem["suggested"] == {"date": "paid_on", "how": "method"}
    twice = brought(session, "customers", csv_of("name,Name,phone", "A,B,"))
    assert twice.problem is not None
    assert twice.problem["kind"] == "headers"
    bare = brought(session, "customers", csv_of("name,phone"))
    assert bare.problem is not None
    assert bare.problem["kind"] == "no_rows"


def test_a_mislabelled_column_is_said_once_and_understood(session: Session, settings: Settings) -> None:
    file = brought(session, "customers", csv_of("Full Name,Mobile,Shoe size", "Amina Otieno,0700000001,41"))
    assert file.status == "refused"
    assert file.problem is not None
    assert reading.rename(session, file, file.problem["suggested"] | {"nonsense": "name"})
    assert (file.status, file.valid, file.renamed) == ("ready", 1, {"Full Name": "name", "Mobile": "phone"})


def test_rows_say_what_is_wrong_with_them(session: Session, settings: Settings) -> None:
    file = brought(
        session, "customers",
        csv_of("name,phone,language,kind", "Amina,0700000001,sw,Household", ",07,xx,", "Neema,0700 000 001,,"),
    )  # fmt: skip
    assert (file.status, file.valid, file.wrong) == ("ready", 1, 2)
    rows = rows_of(session, file)
    assert rows[2] == ("valid", "")
    assert rows[3][1].startswith("name is missing. language must be one of en, ")
    assert "phone must be a phone number such as" in rows[3][1]
    assert rows[4] == ("wrong", "It repeats row 2.")


def test_a_large_file_is_read_by_workers_in_parts_each_row_once(session: Session, settings: Settings) -> None:
    rows = [f"Customer {number},07{number:08d}" for number in range(7_000)]
    rows[6_500] = rows[20]
    file = brought(session, "customers", csv_of("name,phone,note", *(row + "," + "x" * 40 for row in rows)))
    assert file.status == "reading"
    parts = 0
    while reading.read_rows(session, file.id, chunk=3_000):
        parts += 1
    assert not reading.read_rows(session, file.id)
    assert (parts, file.status, file.valid, file.wrong) == (2, "ready", 6_999, 1)
    assert rows_of(session, file)[6_502] == ("wrong", "It repeats row 22.")


def test_too_many_rows_are_refused(session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    file = brought(session, "customers", csv_of("name", "Ann", "Ben", "Cat", "Dan"))
    assert file.problem is not None
    assert (file.status, file.problem["kind"], file.valid) == ("refused", "limits", 3)
