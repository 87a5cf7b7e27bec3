"""How answers are read: each parser gives a value or refuses with a reason."""

import re
from decimal import Decimal

from core.i18n import LANGUAGES, Text, _
from core.money import Money
from core.phone import Phone, parse_near
from flows.talk import Refused

MOST_MAJOR = {"KES": 250_000}
"""M-Pesa's limit of one transaction, in shillings (Daraja 3.0 documentation, limits page)."""
MOST_ELSEWHERE = 100_000_000
"""Where no provider's limit is known: it only keeps out what cannot be meant."""

CURRENCY_WORD = r"(?:k?e?sh?s?|kes|tsh|tzs|ush|ugx|frw|rwf|fbu|bif|fcfa|cfa|xof|xaf|fc|cdf|f|rp|idr)\.?"
WHOLE = re.compile(r"(\d+|\d{1,3}(?:[.,]\d{3})+)(?:[.,]0{1,2})?", re.A)
"""Thousands apart by whatever mark, or by none; cents only where they are nothing."""


def amount(said: str, currency: str = "KES") -> Money:
    """A whole amount, however it is written: 500, "1,500", "1.500", "1 500,00", "Ksh 500/=", "Rp 10.000"."""
    plain = re.sub(r"[\s\u00a0\u202f'\u2019]", "", said)
    plain = re.sub(r"(?:/[=-]|[,.]-)$", "", plain)
    plain = re.sub(rf"^{CURRENCY_WORD}(?=\d)|(?<=\d){CURRENCY_WORD}$", "", plain, flags=re.I)
    digits, most = WHOLE.fullmatch(plain), MOST_MAJOR.get(currency, MOST_ELSEWHERE)
    whole = int(re.sub(r"\D", "", digits[1])) if digits and len(plain) < 20 else 0
    if not 1 <= whole <= most:
        raise Refused(_("Enter a whole amount from 1 to {most}, e.g. 500.", most=Money.of(most, currency)))
    return Money.of(whole, currency)


def meter_value(said: str) -> Decimal:
    """What the dials show: up to nine digits, blanks between them allowed, decimals after a point or comma.

    "1,234" could be either, and a thousandfold bill is no small thing, so it is asked again.
    """
    plain = re.sub(r"\s", "", said).replace(",", ".")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", plain, re.A) or re.fullmatch(r"\d{1,3}\.\d{3}", plain):
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


def phone_number(said: str, near: Phone) -> Phone:
    """A mobile number, written as people in the country of `near` write it."""
    found = parse_near(said, near)
    if found is None:
        raise Refused(_("That is not a phone number. Try again, e.g. 0712345678."))
    return found


def pin(said: str) -> str:
    """Four digits, and not such as everybody tries first."""
    if not re.fullmatch(r"\d{4}", said, re.A):
        raise Refused(_("A PIN has 4 digits."))
    return said


def new_pin(said: str) -> str:
    """A PIN to choose: not four times the same digit, not a row of four."""
    steps = {int(b) - int(a) for a, b in zip(pin(said), said[1:], strict=False)}
    if steps in ({0}, {1}, {-1}):
        raise Refused(_("That PIN is too easy to guess. Choose another."))
    return said


def units(said: str) -> Decimal:
    """A month's usage: a whole number of units from 1 to 99,999."""
    plain = re.sub(r"[\s,.]", "", said)
    if not re.fullmatch(r"\d{1,5}", plain, re.A) or int(plain) == 0:
        raise Refused(_("Use digits only, e.g. 20."))
    return Decimal(plain)


def note(said: str) -> str:
    """A few words of her own, from 3 letters on; blanks made single."""
    words = " ".join(said.split())
    if sum(character.isalpha() for character in words) < 3:
        raise Refused(_("Say it in a few words, e.g. street and landmark."))
    return words


def languages(offered: tuple[str, ...]) -> dict[str, Text]:
    """Each language that is offered, under its own name."""
    return {code: Text("{name}", {"name": LANGUAGES[code]}) for code in offered}
