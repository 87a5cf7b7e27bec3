"""Texts that wait for their language: `_()` names a text, `say()` speaks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "sw": "Kiswahili"}
CATALOGS = Path(__file__).resolve().parent.parent / "locale"

# As people write them on a phone: short and without the points that CLDR puts in.
MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "sw": "Jan Feb Mac Apr Mei Jun Jul Ago Sep Okt Nov Des".split(),
}


@dataclass(frozen=True)
class Text:
    """A message by its English wording and its parameters, not yet in any language."""

    msgid: str
    params: Mapping[str, object] = field(default_factory=dict)


def _(msgid: str, /, **params: object) -> Text:
    """Name a text; Babel extracts `msgid`. Placeholders are `{name}`, filled in when it is said."""
    return Text(msgid, params)


@cache
def catalog(language: str) -> Mapping[str, str]:
    """Every translated msgid of `language`; English speaks for itself."""
    path = CATALOGS / language / "LC_MESSAGES" / "mita.po"
    if language == "en" or not path.exists():
        return {}
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id and m.string and not m.fuzzy}


def say(text: Text, language: str) -> str:
    """`text` in `language`, its parameters written as people there write them, in GSM-7 where they are ours."""
    pattern = catalog(language).get(text.msgid, text.msgid)
    return pattern.format(**{name: written(value, language) for name, value in text.params.items()})


def written(value: object, language: str) -> str:
    """One parameter as it stands on a phone's screen."""
    match value:
        case Text():
            return say(value, language)
        case datetime():
            raise TypeError("say which day: turn a moment into a date in the utility's zone first")
        case date():
            return f"{value.day} {month_name(value, language)} {value.year}"
        case Decimal():
            return quantity(value)
        case _:
            return str(value)


def month_name(day: date, language: str) -> str:
    return MONTHS.get(language, MONTHS["en"])[day.month - 1]


def quantity(value: Decimal) -> str:
    """A quantity without an exponent or idle zeros: 17, 1,234.5."""
    plain = f"{value:,f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
