"""The bank's statement: read however the bank writes it, counted once, matched where that is sure."""

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.books import check
from billing.ledger import balance_of
from core.database import transaction
from core.money import Money
from payments.bank_files import Fault, Movement, guessed, movements, read_sheet
from payments.bank_statement import (
    BankRefusal,
    decide_line,
    import_statement,
    open_lines,
    preview,
    remembered,
)
from payments.cashier import in_account, take
from payments.matching_models import BankImport, BankLine
from payments.models import Receipt
from payments.suspense import held
from tests.payments.paying import broken, house
from tests.payments.test_cashier import opened

pytestmark = pytest.mark.usefixtures("database", "settings")
COLUMNS = {"date": "Date", "narrative": "Description", "reference": "Ref", "credit": "Credit", "debit": "Debit"}
HEAD = "Statement of account,,,,\n\nDate,Description,Ref,Credit,Debit\n"


def statement(*lines: str) -> bytes:
    return (HEAD + "\n".join(lines) + "\n").encode()


def brought(data: bytes, name: str = "november.csv") -> BankImport:
    with transaction() as session:
        made = import_statement(session, "Main", name, data, COLUMNS, "office baraka")
        assert isinstance(made, BankImport), made
        return made


def whole(session: Session) -> None:
    assert not broken(session)
    assert not [row for row in check(session) if row.violations]


@pytest.mark.parametrize(
    ("written", "minor"),
    [("1,250.50", 125050), ("1250.50-", -125050), ("(1,250.50)", -125050), ("KES 3", 300), ("7.00 DR", -700),
     ("7.00CR", 700), ("+7", 700)],
)  # fmt: skip
def test_amounts_as_banks_write_them(written: str, minor: int) -> None:
    sheet = read_sheet(f'Date;What;Amount\n05/11/2026;x;"{written}"\n'.encode("latin-1"))
    assert sheet is not None
    columns = {"date": "Date", "narrative": "What", "amount": "Amount"}
    (line,) = movements(sheet, columns, "Main", "KES")
    assert isinstance(line, Movement)
    assert (line.amount.minor, line.booked_on) == (minor, date(2026, 11, 5))


def test_rows_that_cannot_be_read_say_why_and_where() -> None:
    data = statement(
        "2026-11-05,Deposit,1,100,", "soon,Deposit,2,100,", "2026-11-05,Deposit,3,x,", "2026-11-05,D,4,1,1"
    )
    read = preview("Main", data, COLUMNS)
    assert not isinstance(read, BankRefusal)
    assert len(read.lines) == 1
    assert [(fault.row, fault.why[:12]) for fault in read.faults] == [
        (5, "“soon” is no"),
        (6, "“x” is no am"),
        (7, "Both paid in"),
    ]
    assert preview("Main", b"\x00\xff", COLUMNS) == BankRefusal("file")
    refused = preview("Main", data, {"date": "Day"})
    assert isinstance(refused, BankRefusal)
    assert "no column" in refused.why
    sheet = read_sheet(data)
    assert sheet is not None
    assert guessed(sheet.header) == COLUMNS
    assert not [one for one in movements(sheet, COLUMNS, "Main", "KES") if isinstance(one, Fault) and one.row < 5]


def test_a_file_counts_once_and_an_overlapping_one_only_for_what_is_new() -> None:
    first = statement("2026-11-05,Deposit by A,1,100,", "2026-11-05,Deposit by A,1,100,")
    assert (brought(first).lines, brought(first + b"2026-11-06,B,2,5,\n", "more.csv").lines) == (2, 1)
    with transaction() as session:
        assert import_statement(session, "Main", "x", first, COLUMNS, "b") == BankRefusal("known")
        assert session.scalar(select(func.count()).select_from(BankLine)) == 3
        assert held(session) == (3, Money.of(205))
        assert remembered(session, "Main") == COLUMNS
        assert remembered(session, "Other") == {}
        whole(session)


def test_slips_and_cheques_that_the_office_knows_are_matched_and_nothing_is_credited_twice() -> None:
    home = house()
    opened()
    with transaction() as session:
        for method, reference, amount in (("bank", "FT99812", 700), ("cheque", "000451", 900)):
            assert isinstance(take(session, "amina", home.id, Money.of(amount), method, "W", "KCB", reference), Receipt)
    brought(
        statement("2026-11-05,TRANSFER FT99812,,700,", "2026-11-06,CHQ DEP,000451,900,", "2026-11-06,CHQ,000451,901,")
    )
    with transaction() as session:
        kinds = session.scalars(select(BankLine.kind).order_by(BankLine.id)).all()
        assert kinds == ["slip", "cheque", "suspense"]
        assert balance_of(session, home.id) == Money.of(-1600)
        assert in_account(session, "cash:bank") == Money.of(2501)
        assert in_account(session, "cash:slips") == in_account(session, "cash:cheques") == Money.of(0)
        whole(session)
    brought(statement("2026-11-09,UNPAID CHQ 000451,,,900"), "later.csv")
    with transaction() as session:
        (line,) = open_lines(session)
        assert isinstance(decide_line(session, line.id, "returned", "b"), BankLine)
        assert balance_of(session, home.id) == Money.of(-700)
        assert in_account(session, "cash:cheques") == Money.of(0)
        assert in_account(session, "cash:bank") == Money.of(1601)
        whole(session)


def test_a_person_says_what_the_rest_is() -> None:
    brought(statement("2026-11-05,SAFARICOM M-PESA SETTLEMENT,,5000,", "2026-11-05,LEDGER FEE,,,30",
                      "2026-11-06,CASH DEPOSIT OWN,,,40", "2026-11-07,REFUND 7,,,20"))  # fmt: skip
    with transaction() as session:
        settled, fee, cash, back = open_lines(session)
        assert decide_line(session, settled.id, "charge", "b") == BankRefusal("kind")
        assert decide_line(session, fee.id, "suspense", "b") == BankRefusal("kind")
        assert decide_line(session, back.id, "ignored", "b") == BankRefusal("note")
        assert decide_line(session, cash.id, "channel", "b", channel="gold") == BankRefusal("kind")
        assert decide_line(session, cash.id, "returned", "b") == BankRefusal("kind")
        assert isinstance(decide_line(session, settled.id, "channel", "b", channel="mpesa"), BankLine)
        assert isinstance(decide_line(session, fee.id, "charge", "b"), BankLine)
        assert isinstance(decide_line(session, cash.id, "channel", "b", channel="office"), BankLine)
        assert isinstance(decide_line(session, back.id, "ignored", "b", note="paid out as refund 7"), BankLine)
        assert decide_line(session, fee.id, "charge", "b") == BankRefusal("decided")
        assert open_lines(session) == []
        assert in_account(session, "cash:mpesa") == Money.of(-5000)
        assert in_account(session, "expense:bank-charges") == Money.of(30)
        assert in_account(session, "cash:bank") == Money.of(4930)
        whole(session)


def test_a_customers_deposit_is_credited_where_a_person_says() -> None:
    home = house()
    brought(statement("2026-11-05,SAFARICOM SACCO FOR PLOT 7,,50,"))
    with transaction() as session:
        (line,) = open_lines(session)
        assert decide_line(session, line.id, "payment", "b") == BankRefusal("kind")
        assert isinstance(decide_line(session, line.id, "payment", "b", connection=home), BankLine)
        assert line.kind == "payment"
        assert balance_of(session, home.id) == Money.of(-50)
        assert session.scalars(select(Receipt.receipt)).one() == f"B{line.id:08d}"
        whole(session)
