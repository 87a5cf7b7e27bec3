"""Texts that wait for their language: `_()` names a text, `n_()` one with a count, `say()` speaks it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from gettext import c2py
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from babel.messages.pofile import read_po

from core.money import Money
from core.text import to_gsm7

LANGUAGES = {
    "en": "English", "sw": "Kiswahili", "fr": "Francais", "rw": "Kinyarwanda", "id": "Bahasa Indonesia",
}  # fmt: skip
"""Each under its own name, in GSM-7 (which has no small c with a cedilla)."""

CATALOGS = Path(__file__).resolve().parent.parent / "locale"

# As people write them on a phone: short and without the points that CLDR puts in.
MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "sw": "Jan Feb Mac Apr Mei Jun Jul Ago Sep Okt Nov Des".split(),
    "fr": "janv févr mars avril mai juin juil aout sept oct nov déc".split(),
    "rw": "Mut Gas Wer Mata Gic Kam Nya Kan Nze Ukw Ugu Uku".split(),
    "id": "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des".split(),
}


class Figures(NamedTuple):
    """How numbers are written: the marks, whether the currency stands behind the amount, and its names there."""

    thousands: str = ","
    decimal: str = "."
    behind: bool = False
    currencies: Mapping[str, str] = {}


# CLDR for the marks, without its no-break spaces; Kinyarwanda as mobile money and the papers write it there.
FIGURES = {
    "en": Figures(),
    "sw": Figures(),
    "fr": Figures(" ", ",", True, {"XOF": "FCFA", "XAF": "FCFA", "RWF": "Frw", "BIF": "FBu"}),
    "rw": Figures(",", ".", True, {"RWF": "Frw"}),
    "id": Figures(".", ",", False, {"IDR": "Rp"}),
}


class Text(NamedTuple):
    """A message by its English wording and its parameters, not yet in any language.

    With `plural` it has a form for one and a form for many, and its parameter `n` is the count.
    """

    msgid: str
    params: Mapping[str, object] = MappingProxyType({})
    plural: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """As a parameter: the month of `day` and its year, "Oct 2026"."""

    day: date


@dataclass(frozen=True, slots=True)
class Catalog:
    """A language's messages: all forms of each msgid, and which form a count takes."""

    forms: Mapping[str, tuple[str, ...]]
    form_of: Callable[[int], int]


def _(msgid: str, /, **params: object) -> Text:
    """Name a text; Babel extracts `msgid`. Placeholders are `{name}`, filled in when it is said."""
    return Text(msgid, params)


def n_(one: str, many: str, /, *, n: int, **params: object) -> Text:
    """Name a text with a count: `n_("{n} month", "{n} months", n=3)`. The language knows which form it takes."""
    return Text(one, {"n": n, **params}, many)


@cache
def _catalog(language: str) -> Catalog:
    path = CATALOGS / language / "LC_MESSAGES" / "mita.po"
    if language == "en" or not path.exists():
        return Catalog({}, _english)
    with path.open("rb") as file:
        read = read_po(file, locale=language)
    forms = {_all(message.id)[0]: _all(message.string) for message in read if message.id and not message.fuzzy}
    return Catalog(
        {msgid: tuple(map(to_gsm7, said)) for msgid, said in forms.items() if all(said)}, c2py(read.plural_expr)
    )


@cache
def catalog(language: str) -> Mapping[str, str]:
    """Every translated msgid of `language`, in GSM-7, by its first form; English speaks for itself."""
    return {msgid: forms[0] for msgid, forms in _catalog(language).forms.items()}


def say(text: Text, language: str) -> str:
    """`text` in `language`, its parameters written as people there write them, in GSM-7 where they are ours."""
    spoken = _catalog(language)
    forms = spoken.forms.get(text.msgid)
    if text.plural:
        pattern = _counted(text, forms, spoken)
    else:
        pattern = forms[0] if forms else text.msgid
    if not text.params:
        return pattern
    return pattern.format(**{name: written(value, language) for name, value in text.params.items()})


def _counted(text: Text, forms: tuple[str, ...] | None, spoken: Catalog) -> str:
    """The form for the text's count; English where `forms` are none."""
    n = text.params["n"]
    assert isinstance(n, int)
    if forms is None:
        return (text.msgid, text.plural)[_english(abs(n))]
    return forms[spoken.form_of(abs(n))]


def _english(n: int) -> int:
    return int(n != 1)


def _all(string: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string or ("",))


def written(value: object, language: str) -> str:
    """One parameter as it stands on a phone's screen."""
    match value:
        case str():
            return value
        case Text():
            return say(value, language)
        case Money():
            return money(value, language)
        case datetime():
            raise TypeError("say which day: turn a moment into a date in the utility's zone first")
        case date():
            return day_of(value, language)
        case Month():
            return f"{month_name(value.day, language)} {value.day.year}"
        case Decimal():
            return quantity(value, language)
        case _:
            return str(value)


def day_of(day: date, language: str) -> str:
    """A day with its year: "5 Aug 2026". French counts the first of a month: "1er aout 2026"."""
    number = "1er" if language == "fr" and day.day == 1 else day.day
    return f"{number} {month_name(day, language)} {day.year}"


def month_name(day: date, language: str) -> str:
    return MONTHS.get(language, MONTHS["en"])[day.month - 1]


def money(value: Money, language: str) -> str:
    """An amount, cents only where there are any: "KES 1,250.50", "1 250,50 KES", "Rp 1.250"."""
    figures = FIGURES.get(language, FIGURES["en"])
    currency = figures.currencies.get(value.currency, value.currency)
    amount = _marked(value.number, figures)
    return f"{amount} {currency}" if figures.behind else f"{currency} {amount}"


def quantity(value: Decimal, language: str = "en") -> str:
    """A quantity without an exponent or idle zeros: 17, 1,234.5 (in French 1 234,5)."""
    plain = f"{value:,f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return _marked(plain, FIGURES.get(language, FIGURES["en"]))


def _marked(plain: str, figures: Figures) -> str:
    """A number as English writes it, with the marks of another language."""
    if figures.thousands == "," and figures.decimal == ".":
        return plain
    return figures.decimal.join(part.replace(",", figures.thousands) for part in plain.split("."))
