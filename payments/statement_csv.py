"""The organisation statement that M-Pesa's portal exports (Transaction > Account Statement > Export), as rows.

A few lines about the organisation stand before the header; the newest row comes first; amounts may have commas and
quotes; what went out is negative; a charge is a row of its own, under the receipt of what it was charged for.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from payments.daraja import NAIROBI

HEADER = (
    "Receipt No.", "Completion Time", "Initiation Time", "Details", "Transaction Status", "Paid In", "Withdrawn",
    "Balance", "Balance Confirmed", "Reason Type", "Other Party Info", "Linked Transaction ID", "A/C No.",
)  # fmt: skip
NEEDED = ("Receipt No.", "Completion Time", "Details", "Transaction Status", "Paid In", "Withdrawn", "A/C No.")
WRITTEN = ("%d-%m-%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")
ENCODINGS = ("utf-8-sig", "cp1252")
SHORTCODE = re.compile(r"short\s*code", re.IGNORECASE)
RECEIPT = re.compile(r"[A-Z0-9]{6,20}")
PARTY = re.compile(r"\s+-\s+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` counts from 1 below the header; amounts are in shillings, `paid_in` or `withdrawn` above zero.

    `wrong` says in words why the row cannot be read; then the rest is as far as it could be.
    """

    line: int
    receipt: str
    completed_at: datetime | None
    details: str
    status: str
    reason: str
    paid_in: Decimal
    withdrawn: Decimal
    phone: str
    payer: str
    account: str
    linked: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that was read; `shortcode` is "" where the lines before the header name none."""

    shortcode: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class NoStatement:
    """The file is none; `why` is for the person who chose it."""

    why: str


def read_statement(raw: bytes) -> Statement | NoStatement:
    """Read an exported file."""
    lines = list(csv.reader(io.StringIO(_text(raw), newline="")))
    at = next((place for place, line in enumerate(lines) if line and _name(line[0]) == _name(HEADER[0])), None)
    if at is None:
        return NoStatement("There is no line that begins with “Receipt No.”: is it the statement, exported as CSV?")
    places = {_name(name): place for place, name in enumerate(lines[at])}
    missing = [name for name in NEEDED if _name(name) not in places]
    if missing:
        return NoStatement(f"The header lacks {', '.join(missing)}.")
    rows = tuple(_rows(lines[at + 1 :], places))
    return Statement(_shortcode(lines[:at]), rows) if rows else NoStatement("There is no row below the header.")


def _text(raw: bytes) -> str:
    """The file's text, without what no table can hold."""
    for encoding in ENCODINGS:
        try:
            return raw.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").replace("\0", "")


def _name(raw: str) -> str:
    return "".join(raw.split()).lower()


def _shortcode(lines: list[list[str]]) -> str:
    """The short code in the lines before the header."""
    for line in lines:
        words = " ".join(line)
        if SHORTCODE.search(words) and (found := re.search(r"\b\d{5,7}\b", words)):
            return found[0]
    return ""


def _rows(lines: list[list[str]], places: dict[str, int]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if any(cell.strip() for cell in line):
            yield _row(number, line, places)


def _row(number: int, line: list[str], places: dict[str, int]) -> Row:
    def cell(name: str) -> str:
        place = places.get(_name(name))
        return line[place].strip() if place is not None and place < len(line) else ""

    receipt, completed_at = cell("Receipt No.").upper(), _moment(cell("Completion Time"))
    paid_in, withdrawn = _amount(cell("Paid In")), _amount(cell("Withdrawn"))
    phone, payer = _party(cell("Other Party Info"))
    wrong = [
        words
        for words, is_wrong in (
            ("its receipt", not RECEIPT.fullmatch(receipt)),
            ("its time", completed_at is None),
            ("its amount", paid_in is None or withdrawn is None),
        )
        if is_wrong
    ]
    return Row(
        line=number,
        receipt=receipt[:20],
        completed_at=completed_at,
        details=cell("Details")[:300],
        status=cell("Transaction Status"),
        reason=cell("Reason Type"),
        paid_in=paid_in or Decimal(0),
        withdrawn=abs(withdrawn or Decimal(0)),
        phone=phone[:40],
        payer=payer[:100],
        account=cell("A/C No.")[:100],
        linked=cell("Linked Transaction ID").upper()[:20],
        wrong=", ".join(wrong),
    )


def _moment(raw: str) -> datetime | None:
    """A time of the statement, which is Nairobi's, as UTC."""
    for form in WRITTEN:
        try:
            return datetime.strptime(raw, form).replace(tzinfo=NAIROBI).astimezone(UTC)
        except ValueError:
            continue
    return None


def _amount(raw: str) -> Decimal | None:
    """ "1,250.00", "-34.00"; nothing is zero. None for what is no amount of shillings and cents."""
    plain = "".join(raw.split()).replace(",", "")
    try:
        amount = Decimal(plain or "0")
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < 10**10 and amount == round(amount, 2) else None


def _party(raw: str) -> tuple[str, str]:
    """ "2547****0111 - JANE DOE": the phone, as far as it is told, and the name."""
    parts = PARTY.split(raw, maxsplit=1)
    return (parts[0], parts[1]) if len(parts) == 2 else ("", raw)
