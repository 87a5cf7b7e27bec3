"""A bank's statement as a CSV file: which column says what, and each line as a movement. Knows no database."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from core.money import Money

FIELDS = {
    "date": "Day", "narrative": "What it is", "reference": "Reference", "amount": "Amount (below zero: paid out)",
    "credit": "Paid in", "debit": "Paid out",
}  # fmt: skip
GUESSES = {
    "date": ("date", "transaction date", "value date", "posting date", "txn date", "booking date"),
    "narrative": ("narrative", "description", "details", "particulars", "narration", "transaction details"),
    "reference": ("reference", "ref", "cheque no", "transaction ref", "ref no", "reference number"),
    "amount": ("amount", "transaction amount"),
    "credit": ("credit", "paid in", "money in", "deposit", "credits", "cr"),
    "debit": ("debit", "paid out", "money out", "withdrawal", "debits", "dr"),
}
DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%d/%m/%y", "%d-%b-%y", "%Y/%m/%d")
"""How banks write a day; where it could be either, the day comes before the month."""
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as a table; `first` is the number of its first row of data as spreadsheets count."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of the statement: into the account above zero."""

    row: int
    booked_on: date
    amount: Money
    narrative: str
    reference: str
    digest: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be read, and why."""

    row: int
    why: str


def read_sheet(data: bytes) -> Sheet | None:
    """The table in a file: its header is the first row that has as many cells as most. None where there is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    try:
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = "excel"
    try:
        rows = [tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text), dialect)]
    except csv.Error:
        return None
    widths = Counter(sum(map(bool, row)) for row in rows if sum(map(bool, row)) > 1)
    if not widths or len(rows) > MOST_ROWS:
        return None
    broad = max(len(row) for row in rows if len([cell for cell in row if cell]) > 1)
    at = next((n for n, row in enumerate(rows) if len(row) == broad and len([c for c in row if c]) > 2), None)
    if at is None:
        return None
    body = tuple(row + ("",) * (broad - len(row)) for row in rows[at + 1 :])
    return Sheet(rows[at], body, at + 2)


def guessed(header: Sequence[str]) -> dict[str, str]:
    """Field -> column, by what banks usually call them."""
    by_name = {name.lower().strip(" ."): name for name in header if name}
    found = (
        (field, next((by_name[name] for name in names if name in by_name), "")) for field, names in GUESSES.items()
    )
    return {field: column for field, column in found if column}


def objection(columns: Mapping[str, str], header: Sequence[str]) -> str | None:
    """Why a file cannot be read with these columns; None where it can."""
    missing = [name for name in columns.values() if name and name not in header]
    if missing:
        return f"There is no column “{missing[0]}” in this file."
    if not columns.get("date") or not columns.get("narrative"):
        return "Say which columns hold the day and what it is."
    if not columns.get("amount") and not (columns.get("credit") and columns.get("debit")):
        return "Say which column holds the amount, or which two hold what was paid in and out."
    return None


def movements(sheet: Sheet, columns: Mapping[str, str], account: str, currency: str) -> list[Movement | Fault]:
    """Each row with something in it. Rows that are alike are told apart by their order, so each counts once."""
    seen: Counter[str] = Counter()
    made: list[Movement | Fault] = []
    for at, row in enumerate(sheet.rows):
        cells = dict(zip(sheet.header, row, strict=False))
        values = {field: cells.get(column, "") for field, column in columns.items() if column}
        if not values.get("date") and not any(values.get(name) for name in ("amount", "credit", "debit")):
            continue
        made.append(_movement(values, sheet.first + at, account, currency, seen))
    return made


def _movement(values: Mapping[str, str], row: int, account: str, currency: str, seen: Counter[str]) -> Movement | Fault:
    on = _day(values["date"])
    if on is None:
        return Fault(row, f"“{values['date']}” is no day.")
    try:
        amount = _amount(values, currency)
    except ValueError as error:
        return Fault(row, str(error))
    if not amount:
        return Fault(row, "No amount.")
    narrative, reference = values["narrative"][:300], values.get("reference", "")[:100]
    key = "|".join((account, on.isoformat(), str(amount.minor), narrative.upper(), reference.upper()))
    seen[key] += 1
    digest = hashlib.sha256(f"{key}|{seen[key]}".encode()).hexdigest()
    return Movement(row, on, amount, narrative, reference, digest)


def _day(written: str) -> date | None:
    for form in DAYS:
        try:
            return datetime.strptime(written.split(" 00:00")[0].strip(), form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _amount(values: Mapping[str, str], currency: str) -> Money:
    if values.get("amount"):
        return _number(values["amount"], currency)
    paid_in = _number(values.get("credit") or "0", currency)
    paid_out = _number(values.get("debit") or "0", currency)
    if paid_in and paid_out:
        raise ValueError("Both paid in and paid out.")
    return paid_in if paid_in else Money(-abs(paid_out.minor), currency)


def _number(written: str, currency: str) -> Money:
    """ "1,250.50", "1250.50-", "(1,250.50)", "KES 1,250.50", "1250.50 DR"."""
    text = written.upper().replace(currency, "").replace(",", "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    below = text.startswith(("-", "(")) or text.endswith(("-", "DR"))
    digits = text.strip("()-+").removesuffix("DR").removesuffix("CR").strip("-")
    try:
        amount = Money.of(Decimal(digits), currency)
    except (InvalidOperation, ValueError):
        raise ValueError(f"“{written}” is no amount.") from None
    if abs(amount.minor) > 10**14:
        raise ValueError(f"“{written}” is too much.")
    return -amount if below else amount
