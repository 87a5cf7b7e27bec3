"""The portal's statement: read as it is exported, held against the books, entered once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from billing.ledger import balance_of
from core.config import Settings
from core.database import transaction
from core.money import Money
from payments.models import Notice, Receipt
from payments.mpesa_models import MpesaStatement, MpesaStatementRow
from payments.settlement import settle
from payments.statement_csv import HEADER, NoStatement, Statement, read_statement
from payments.statement_import import enter, enter_rows, take_in, tallies
from tests.payments.paying import arrives, broken, house, paybill, receipts, sent, state_of, texts
from tests.payments.test_pulling import nameless

PREAMBLE = """Organization Name:,MAJI SAFI WATER
Shortcode:,{shortcode}
Report Date:,"21-11-2026 10:00:00"
Time Period,From 20-11-2026 00:00:00 To 21-11-2026 00:00:00

"""


def line(
    receipt: str = "NLJ7RT61SV", *, account: str = "", paid_in: str = "500.00", withdrawn: str = "",
    status: str = "Completed", at: str = "20-11-2026 23:59:59", reason: str = "Pay Utility", details: str = "Pay Bill",
) -> str:  # fmt: skip
    cells = [receipt, at, at, details, status, paid_in, withdrawn, "46,713.00", "TRUE", reason,
             "2547****0111 - JANE, DOE", "", account]  # fmt: skip
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in cells)


def statement(*lines: str, shortcode: str = "600100") -> bytes:
    return (PREAMBLE.format(shortcode=shortcode) + "\n".join([",".join(HEADER), *lines]) + "\n").encode()


def read(*lines: str) -> Statement:
    found = read_statement(statement(*lines))
    assert isinstance(found, Statement), found
    return found


@pytest.mark.parametrize("at", ["20-11-2026 23:59:59", "2026-11-20 23:59:59"])
def test_a_row_in_both_ways_of_writing_a_time(at: str) -> None:
    found = read(line(account="1000017", paid_in="1,250.50", at=at))
    (row,) = found.rows
    assert found.shortcode == "600100"
    assert (row.receipt, row.paid_in, row.withdrawn, row.account) == ("NLJ7RT61SV", Decimal("1250.50"), 0, "1000017")
    assert (row.phone, row.payer) == ("2547****0111", "JANE, DOE")
    assert row.completed_at is not None
    assert row.completed_at.isoformat() == "2026-11-20T20:59:59+00:00"


def test_what_went_out_is_negative_there() -> None:
    (row,) = read(line(paid_in="", withdrawn="-1,034.00")).rows
    assert (row.paid_in, row.withdrawn) == (0, 1034)


@pytest.mark.parametrize(
    ("bad", "wrong"),
    [
        (line(at="20/11/26"), "its time"),
        (line(paid_in="many"), "its amount"),
        (line(paid_in="1.005"), "its amount"),
        (line("x"), "its receipt"),
        ("NLJ7RT61SV", "its time"),
    ],
)
def test_a_row_that_cannot_be_read_is_kept_and_says_why(bad: str, wrong: str) -> None:
    assert read(bad).rows[0].wrong == wrong


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"a,b\n1,2\n", statement(), b"Receipt No.,Details\nX,Y\n", b"\0" * 99]
)
def test_no_statement(raw: bytes) -> None:
    assert isinstance(read_statement(raw), NoStatement)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(raw: bytes) -> None:
    read_statement(raw)
    read_statement(statement() + raw)


def test_another_encoding_and_a_mark_at_the_beginning() -> None:
    assert isinstance(read_statement(b"\xef\xbb\xbf" + statement(line())), Statement)
    assert isinstance(
        read_statement(statement(line(details="Pay Bill - Ren\u00e9")).decode().encode("cp1252")), Statement
    )


def taken(*lines: str) -> MpesaStatement:
    with transaction() as session:
        found = take_in(session, "statement.csv", statement(*lines), "amina")
        assert isinstance(found, MpesaStatement), found
        return found


def verdicts(statement: MpesaStatement) -> list[str]:
    query = select(MpesaStatementRow.verdict).where(MpesaStatementRow.statement_id == statement.id)
    with transaction() as session:
        return list(session.scalars(query.order_by(MpesaStatementRow.line)))


def entered(statement: MpesaStatement) -> list[Notice]:
    with transaction() as session:
        enter(session, statement.id, "amina")
    for _ in range(2):
        enter_rows(statement.id)
    query = select(Notice).where(Notice.kind == "statement").order_by(Notice.id)
    with transaction() as session:
        ids = [notice.id for notice in session.scalars(query)]
    for notice_id in ids:
        settle(notice_id)
    with transaction() as session:
        assert not broken(session)
        return list(session.scalars(query))


@pytest.mark.usefixtures("database", "settings")
def test_what_each_row_is_taken_for() -> None:
    home = house()
    arrives("paybill", paybill(home.account_no, receipt="AAAAAAAAA1"))
    arrives("paybill", paybill(home.account_no, receipt="AAAAAAAAA2"))
    found = taken(
        line("AAAAAAAAA9", account=home.account_no),
        line("AAAAAAAAA9", paid_in="", withdrawn="-5.00", reason="Pay Utility Charge"),
        line("AAAAAAAAA1", account=home.account_no),
        line("AAAAAAAAA2", account=home.account_no, paid_in="501.00"),
        line("AAAAAAAAA3", status="Failed"),
        line("AAAAAAAAA4", paid_in="", withdrawn="-90,000.00", reason="Organization Settlement"),
        line("AAAAAAAAA5", reason="Reversal"),
        line("AAAAAAAAA9", account=home.account_no),
        line("?"),
    )
    assert verdicts(found) == [
        "payment", "charge", "known", "differs", "failed", "other", "other", "unreadable", "unreadable",
    ]  # fmt: skip
    with transaction() as session:
        first = tallies(session, found.id)[0]
    assert (first.verdict, first.rows, first.amount) == ("payment", 1, Money.of(500))


@pytest.mark.usefixtures("database", "settings")
def test_only_what_is_missing_is_entered_and_once() -> None:
    home = house()
    arrives("paybill", paybill(home.account_no, receipt="AAAAAAAAA1"))
    lines = line("AAAAAAAAA9", account=f" {home.account_no} "), line("AAAAAAAAA1", account=home.account_no)
    notices = entered(taken(*lines))
    assert [notice.outcome for notice in notices] == ["applied"]
    assert len(entered(taken(*lines))) == 1  # the same file again
    assert len(entered(taken(*lines, line("AAAAAAAAA3", status="Failed")))) == 1  # the same rows in another file
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-1000)
        assert len(texts(session, "receipt")) == 2
        receipt = session.scalars(select(Receipt).where(Receipt.receipt == "AAAAAAAAA9")).one()
    assert receipt.paid_at.isoformat() == "2026-11-20T20:59:59+00:00"
    assert receipt.payer == "JANE, DOE"


@pytest.mark.usefixtures("database", "settings")
def test_a_row_without_an_account_lies_in_suspense() -> None:
    house()
    (notice,) = entered(taken(line(account="by the river")))
    assert (notice.outcome, notice.note) == ("applied", "in suspense")


@pytest.mark.usefixtures("database", "settings")
def test_a_push_whose_every_notice_was_lost_is_found() -> None:
    home = house()
    intent = sent(home)
    nameless(intent)
    entered(taken(line(account=home.account_no)))
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)


@pytest.mark.usefixtures("database", "settings")
def test_all_four_roads_are_one_credit() -> None:
    home = house()
    entered(taken(line(account=home.account_no)))
    arrives("paybill", paybill(home.account_no))
    arrives("pull", b'{"transactionId":"NLJ7RT61SV","amount":500.0,"shortcode":"600100","billreference":"%s"}'
            % home.account_no.encode())  # fmt: skip
    with transaction() as session:
        assert receipts(session) == 1
        assert balance_of(session, home.id) == Money.of(-500)


@pytest.mark.usefixtures("database")
def test_the_statement_of_somebody_else_is_refused(settings: Settings) -> None:
    with transaction() as session:
        found = take_in(session, "x.csv", statement(line(), shortcode="600999"), "amina")
    assert isinstance(found, NoStatement)
    assert "600999" in found.why
