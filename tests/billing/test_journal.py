"""The books for accountants: everything is there, and it sums to zero."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from sqlalchemy.orm import Session

from billing.journal import general_ledger, trial_balance
from billing.journal_export import as_csv, as_tally
from billing.ledger import Leg, post
from billing.models import Connection
from core.clock import frozen
from tests.billing.estate import Estate

MAY, JUNE = datetime(2026, 5, 31, 20, 59, tzinfo=UTC), datetime(2026, 5, 31, 21, 1, tzinfo=UTC)


@pytest.fixture
def home(session: Session) -> Iterator[Connection]:
    """A bill in May, one in June, a payment in June, as days are in Nairobi."""
    home = Estate(session).connection()
    bill = [Leg("receivable", 11_605, home.id), Leg("revenue:water", -10_000), Leg("tax:vat", -1_605)]
    post(session, "invoice", "t:1", bill, "INV-1 <&>", at=MAY)
    post(session, "invoice", "t:2", bill, "INV-2", at=JUNE)
    post(session, "payment", "t:3", [Leg("cash:mpesa", 500), Leg("receivable", -500, home.id)], "=HYPERLINK()", at=JUNE)
    with frozen(datetime(2026, 6, 10, tzinfo=UTC)):
        yield home


def test_a_trial_balance_balances(session: Session, home: Connection) -> None:
    accounts = {one.account: (one.debit_minor, one.credit_minor, one.balance_minor) for one in trial_balance(session)}
    assert accounts == {
        "cash:mpesa": (500, 0, 500), "receivable": (23_210, 500, 22_710), "revenue:water": (0, 20_000, -20_000),
        "tax:vat": (0, 3_210, -3_210),
    }  # fmt: skip
    assert sum(balance for *_, balance in accounts.values()) == 0
    assert {one.account for one in trial_balance(session, date(2026, 5, 31))} == {
        "receivable",
        "revenue:water",
        "tax:vat",
    }


def test_the_general_ledger_of_an_account(session: Session, home: Connection) -> None:
    lines = general_ledger(session, "receivable", limit=2)
    assert [(line.amount_minor, line.account_no) for line in lines] == [
        (-500, home.account_no),
        (11_605, home.account_no),
    ]
    older = general_ledger(session, "receivable", before=lines[-1].entry_id)
    assert [line.memo for line in older] == ["INV-1 <&>"]


def test_the_journal_as_csv(session: Session, home: Connection) -> None:
    rows = list(csv.DictReader("".join(as_csv(session, date(2026, 6, 1), date(2026, 6, 30))).splitlines()))
    assert [(row["date"], row["account"], row["debit"], row["credit"]) for row in rows] == [
        ("2026-06-01", "revenue:water", "", "100.00"), ("2026-06-01", "tax:vat", "", "16.05"),
        ("2026-06-01", "receivable", "116.05", ""), ("2026-06-01", "cash:mpesa", "5.00", ""),
        ("2026-06-01", "receivable", "", "5.00"),
    ]  # fmt: skip
    assert {row["memo"] for row in rows} == {"INV-2", "'=HYPERLINK()"}
    assert len(list(as_csv(session, date(2026, 5, 1), date(2026, 6, 30)))) == 1 + 8
    assert list(as_csv(session, date(2027, 1, 1), date(2027, 1, 2)))[1:] == []


def test_the_journal_as_tally_reads_it(session: Session, home: Connection) -> None:
    root = ElementTree.fromstring("".join(as_tally(session, date(2026, 5, 1), date(2026, 6, 30))))
    assert root.findtext("HEADER/TALLYREQUEST") == "Import Data"
    ledgers = {one.get("NAME"): one.findtext("PARENT") for one in root.iter("LEDGER")}
    assert ledgers == {
        "receivable": "Sundry Debtors", "revenue:water": "Sales Accounts", "tax:vat": "Duties & Taxes",
        "cash:mpesa": "Bank Accounts",
    }  # fmt: skip
    vouchers = list(root.iter("VOUCHER"))
    assert [one.findtext("DATE") for one in vouchers] == ["20260531", "20260601", "20260601"]
    assert "INV-1 <&>" in str(vouchers[0].findtext("NARRATION"))
    for voucher in vouchers:
        legs = voucher.findall("ALLLEDGERENTRIES.LIST")
        amounts = [Decimal(str(leg.findtext("AMOUNT"))) for leg in legs]
        assert sum(amounts) == 0
        assert [leg.findtext("ISDEEMEDPOSITIVE") for leg in legs] == ["Yes" if a < 0 else "No" for a in amounts]
