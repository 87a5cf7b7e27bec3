"""The journal for other programs: CSV, and XML as Tally imports it."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from xml.sax.saxutils import escape

from sqlalchemy.orm import Session

from billing.journal import JournalLine, entries, journal
from billing.ledger import money
from billing.moments import day_of

COLUMNS = ("date", "entry", "kind", "memo", "source", "account", "customer_account", "debit", "credit")
FORMULA = ("=", "+", "-", "@", "\t", "\r")

# Tally's own groups by the first word of our accounts.
GROUPS = {
    "receivable": "Sundry Debtors", "revenue": "Sales Accounts", "tax": "Duties &amp; Taxes", "cash": "Bank Accounts",
    "suspense": "Suspense A/c", "deposits": "Current Liabilities", "plans": "Suspense A/c",
    "expense": "Indirect Expenses", "rounding": "Indirect Incomes", "opening": "Capital Account",
}  # fmt: skip


def as_csv(session: Session, first: date, last: date) -> Iterator[str]:
    """The journal of some days, a line for each leg; amounts in major units, days where the utility is."""
    yield _written(COLUMNS)
    for line in journal(session, first, last):
        amount = money(abs(line.amount_minor)).major
        yield _written(
            (
                day_of(line.at).isoformat(), line.entry_id, line.kind, _plain(line.memo), line.source, line.account,
                line.account_no or "", amount if line.amount_minor > 0 else "", amount if line.amount_minor < 0 else "",
            )
        )  # fmt: skip


def as_tally(session: Session, first: date, last: date) -> Iterator[str]:
    """The same as Tally's "Import Data": first its ledgers, then a journal voucher for each entry.

    Tally writes debits below zero and marks them as deemed positive (TallyHelp, "Sample XML").
    """
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ENVELOPE><HEADER><TALLYREQUEST>Import Data</TALLYREQUEST></HEADER>'
        "<BODY><IMPORTDATA><REQUESTDESC><REPORTNAME>All Masters</REPORTNAME></REQUESTDESC><REQUESTDATA>\n"
    )
    known: set[str] = set()
    for legs in entries(journal(session, first, last)):
        for account in [leg.account for leg in legs if leg.account not in known]:
            if account not in known:
                known.add(account)
                yield _ledger(account)
        yield _voucher(legs)
    yield "</REQUESTDATA></IMPORTDATA></BODY></ENVELOPE>\n"


FORMATS = {"csv": as_csv, "tally": as_tally}


def _written(values: Sequence[object]) -> str:
    held = io.StringIO()
    csv.writer(held).writerow(values)
    return held.getvalue()


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def _ledger(account: str) -> str:
    name, group = escape(account), GROUPS.get(account.partition(":")[0], "Suspense A/c")
    return (
        f'<TALLYMESSAGE><LEDGER NAME="{name}" ACTION="Create"><NAME>{name}</NAME><PARENT>{group}</PARENT></LEDGER>'
        "</TALLYMESSAGE>\n"
    )


def _voucher(legs: Sequence[JournalLine]) -> str:
    head = legs[0]
    parts = [
        f'<TALLYMESSAGE><VOUCHER VCHTYPE="Journal" ACTION="Create"><DATE>{day_of(head.at):%Y%m%d}</DATE>'
        f"<VOUCHERTYPENAME>Journal</VOUCHERTYPENAME><VOUCHERNUMBER>{head.entry_id}</VOUCHERNUMBER>"
        f"<REFERENCE>{escape(head.source)}</REFERENCE><NARRATION>{escape(_said(head))}</NARRATION>"
    ]
    for leg in legs:
        positive = "Yes" if leg.amount_minor > 0 else "No"
        amount = money(-leg.amount_minor).major
        parts.append(
            f"<ALLLEDGERENTRIES.LIST><LEDGERNAME>{escape(leg.account)}</LEDGERNAME>"
            f"<ISDEEMEDPOSITIVE>{positive}</ISDEEMEDPOSITIVE><AMOUNT>{amount}</AMOUNT></ALLLEDGERENTRIES.LIST>"
        )
    parts.append("</VOUCHER></TALLYMESSAGE>\n")
    return "".join(parts)


def _said(line: JournalLine) -> str:
    return " ".join(part for part in (line.kind, line.memo, line.account_no) if part)
