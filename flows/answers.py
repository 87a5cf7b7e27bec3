"""How answers are read: each parser gives a value or refuses with a reason."""

import re
from decimal import Decimal

from core.i18n import LANGUAGES, Text, _
from core.money import Money
from flows.talk import Refused

MOST_MAJOR = 250_000
"""M-Pesa's limit of one transaction, in shillings (Daraja 3.0 documentation, limits page)."""


def amount(said: str, currency: str = "KES") -> Money:
    """A whole amount of 1 to 250,000, however it is written: 500, "1,500", "Ksh 500/="."""
    digits = re.fullmatch(r"(?:k(?:e|sh)?s?\.?\s*)?([\d,\s]*\d)(?:\.0+)?(?:\s*/[=-])?", said.strip(), re.I | re.A)
    whole = int(re.sub(r"\D", "", digits[1])) if digits else 0
    if not 1 <= whole <= MOST_MAJOR:
        raise Refused(_("Enter a whole amount from 1 to {most}, e.g. 500.", most=Money.of(MOST_MAJOR, currency)))
    return Money.of(whole, currency)


def meter_value(said: str) -> Decimal:
    """What the dials show: up to nine digits, blanks between them allowed, decimals after a point or comma."""
    plain = re.sub(r"\s", "", said).replace(",", ".")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", plain, re.A):
        raise Refused(_("Use digits only, as on the meter, e.g. 1234."))
    return Decimal(plain)


def account_number(said: str) -> str:
    """The digits of an account number, blanks and dashes left out."""
    plain = re.sub(r"[\s-]", "", said)
    if not re.fullmatch(r"\d{4,12}", plain, re.A):
        raise Refused(_("A connection number has digits only. It is on your bill."))
    return plain


def person_name(said: str) -> str:
    """A name of 2 to 40 letters, as people write it."""
    name = " ".join(said.split())
    if not 2 <= len(name) <= 40 or not re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[ .'-])+", name):
        raise Refused(_("Enter your name in letters, 2 to 40 of them."))
    return name


def languages() -> dict[str, Text]:
    """Each language under its own name."""
    return {code: Text(name) for code, name in LANGUAGES.items()}
