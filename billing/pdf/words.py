"""What is printed on an invoice, in the language of its customer."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from core.i18n import FIGURES, Text, _, n_, say
from core.money import Money
from core.text import to_gsm7

FIXED = {
    "invoice": _("Invoice"),
    "account": _("Account"),
    "issued": _("Issued"),
    "pay_by": _("Pay by"),
    "to_pay": _("To pay"),
    "nothing": _("Nothing to pay"),
    "meter": _("Meter"),
    "last": _("Last reading"),
    "this": _("This reading"),
    "used": _("Used"),
    "charge": _("Charge"),
    "quantity": _("Quantity"),
    "rate": _("Rate"),
    "amount": _("Amount"),
    "this_bill": _("This bill"),
    "owed": _("Owed from before"),
    "credit": _("Credit from before"),
    "left": _("Your credit"),
    "estimated": _("Estimated"),
    "why_estimated": _(
        "Your meter could not be read, so this bill goes by an estimate. The next reading puts it right."
    ),
    "how": _("How to pay"),
    "scan": _("Scan for how to pay"),
    "history": _("Your use by month, m3"),
    "void": _("VOID"),
}
LABELS = {
    "Usage": _("Usage"), "Sewer": _("Sewer"), "flat": _("flat"), "Minimum charge": _("Minimum charge"),
    "Minimum bill": _("Minimum bill"), "Rounding": _("Rounding"), "Fixed charge": _("Fixed charge"),
    "Meter rent": _("Meter rent"), "Packages": _("Packages"),
}  # fmt: skip
"""Lines that rating names; other charges are named by the utility itself."""

_BLOCK = re.compile(r"(Usage|Sewer)(?: (\S+) to ([^\s,]+)| over ([^\s,]+))?(, flat)?(.*)")


@cache
def words(language: str) -> Mapping[str, str]:
    """The fixed ones by their names above."""
    return {name: say(text, language) for name, text in FIXED.items()}


@lru_cache(maxsize=4096)
def label(line: str, language: str) -> str:
    """A line's name, "Usage 6 to 20": its words in the language where they are ours, the blocks by signs."""
    if language == "en":
        return line
    if line in LABELS:
        return say(LABELS[line], language)
    block = _BLOCK.fullmatch(line)
    if block is None:
        return printable(line)
    what, low, high, over, flat, rest = block.groups()
    bounds = f" {low}-{high}" if high else f" > {over}" if over else ""
    return say(LABELS[what], language) + bounds + (f", {say(LABELS['flat'], language)}" if flat else "") + rest


@lru_cache(maxsize=256)
def days(count: int, language: str) -> str:
    """In how many days."""
    return say(n_("{n} day", "{n} days", n=count), language)


def further(count: int, language: str) -> str:
    """That so many charges are not shown by themselves."""
    return say(n_("{n} further charge", "{n} further charges", n=count), language)


def by_paybill(paybill: str, account: str) -> Text:
    return _("M-Pesa: PayBill {paybill}, account {account}", paybill=paybill, account=account)


def by_phone(code: str) -> Text:
    return _("Or dial {code} on your phone", code=code)


def figure(amount: Money, language: str) -> str:
    """An amount with all its cents and without its currency, as a column of them has it: "1,250.00", "1 250,00"."""
    marks = FIGURES.get(language, FIGURES["en"])
    return marks.decimal.join(part.replace(",", marks.thousands) for part in f"{amount.major:,}".split("."))


def printable(text: str) -> str:
    """`text` in the letters that the paper's own fonts have (Windows-1252); others become plain ones."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return to_gsm7(text)
    return text
