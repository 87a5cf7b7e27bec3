"""Texts are said in the reader's language, with amounts, days and quantities as people write them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core.i18n import Text, _, say
from core.money import Money
from core.text import is_gsm7

OWED = _("You owe {owed}.", owed=Money.of("1250.50"))


def test_each_language() -> None:
    assert say(OWED, "en") == "You owe KES 1,250.50."
    assert say(OWED, "sw") == "Unadaiwa KES 1,250.50."


def test_a_text_inside_a_text_is_said_in_the_same_language() -> None:
    assert say(_("Connection {account}\n{state}", account="1000017", state=OWED), "sw").endswith(
        "Unadaiwa KES 1,250.50."
    )


@pytest.mark.parametrize(
    ("value", "language", "written"),
    [
        (date(2026, 8, 5), "en", "5 Aug 2026"),
        (date(2026, 8, 5), "sw", "5 Ago 2026"),
        (Decimal("1234.500"), "en", "1,234.5"),
        (Decimal("1E+3"), "en", "1,000"),
        (Decimal("0.000"), "en", "0"),
        (17, "en", "17"),
    ],
)
def test_values(value: object, language: str, written: str) -> None:
    assert say(Text("{value}", {"value": value}), language) == written
    assert is_gsm7(written)


def test_a_moment_is_no_day() -> None:
    with pytest.raises(TypeError, match="which day"):
        say(Text("{at}", {"at": datetime.now(UTC)}), "en")


def test_an_unknown_language_falls_back_to_english() -> None:
    assert say(OWED, "xx") == "You owe KES 1,250.50."
