"""From an exact bill to an invoice: whole cents, and the account that each line is booked to."""

import re
from dataclasses import dataclass
from decimal import Decimal

from billing.rating import Bill, Line
from core.money import Money, round_to_minor

ACCOUNTS = {
    "usage": "revenue:water",
    "minimum": "revenue:water",
    "fixed": "revenue:fixed",
    "sewer": "revenue:sewer",
    "levy": "revenue:levy",
    "rounding": "rounding",
}


@dataclass(frozen=True, slots=True)
class ChargedLine:
    """A line of an invoice. `account` is credited with `amount`."""

    code: str
    label: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Money
    account: str


@dataclass(frozen=True, slots=True)
class Charge:
    """What is owed for a bill; the lines sum to the total."""

    lines: tuple[ChargedLine, ...]
    total: Money


def charge(bill: Bill, currency: str) -> Charge:
    """Round a bill to the minor unit, line by line; what that moves the total by is a line of its own."""
    lines = [_charged(line, currency) for line in bill.lines]
    total = round_to_minor(bill.total, currency)
    moved = total - sum((line.amount for line in lines), Money.zero(currency))
    if moved:
        lines.append(ChargedLine("rounding", "Rounding", None, None, moved, "rounding"))
    return Charge(tuple(lines), total)


def account_of(line: Line) -> str:
    """The ledger account of a line; each tax has its own ("tax:vat")."""
    if line.group == "tax":
        return "tax:" + re.sub(r"[^a-z0-9]+", "-", line.code.lower()).strip("-")
    return ACCOUNTS[line.group]


def _charged(line: Line, currency: str) -> ChargedLine:
    amount = round_to_minor(line.amount, currency)
    return ChargedLine(line.code, line.label, line.quantity, line.rate, amount, account_of(line))
