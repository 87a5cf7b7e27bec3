"""Texts are said in the reader's language, with counts, amounts, days and quantities as people write them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel import Locale

from core.i18n import FIGURES, LANGUAGES, MONTHS, Month, Text, _, n_, quantity, say, written
from core.money import Money
from core.text import is_gsm7

OWED = _("You owe {owed}.", owed=Money.of("1250.50"))
FIFTH = date(2026, 8, 5)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "You owe KES 1,250.50."),
        ("sw", "Unadaiwa KES 1,250.50."),
        ("fr", "Vous devez 1 250,50 KES."),
        ("rw", "Ufite umwenda wa 1,250.50 KES."),
        ("id", "Tagihan Anda KES 1.250,50."),
        ("xx", "You owe KES 1,250.50."),
    ],
)
def test_each_language_and_english_for_an_unknown_one(language: str, said: str) -> None:
    assert say(OWED, language) == said


def test_a_text_inside_a_text_is_said_in_the_same_language() -> None:
    text = _("Connection {account}\n{state}", account="1000017", state=OWED)
    assert say(text, "sw").endswith("Unadaiwa KES 1,250.50.")


def test_what_a_customer_wrote_is_said_as_it_is() -> None:
    assert say(Text("{name}", {"name": "{owed} {"}), "fr") == "{owed} {"
    assert say(Text("{owed} {"), "fr") == "{owed} {"


@pytest.mark.parametrize(
    ("value", "language", "expected"),
    [
        (FIFTH, "en", "5 Aug 2026"),
        (FIFTH, "sw", "5 Ago 2026"),
        (FIFTH, "fr", "5 aout 2026"),
        (date(2026, 2, 1), "fr", "1er févr 2026"),
        (FIFTH, "rw", "5 Kan 2026"),
        (FIFTH, "id", "5 Agu 2026"),
        (Month(FIFTH), "id", "Agu 2026"),
        (Month(FIFTH), "xx", "Aug 2026"),
        (Decimal("1234.500"), "en", "1,234.5"),
        (Decimal("1234567.500"), "fr", "1 234 567,5"),
        (Decimal("1234567.500"), "id", "1.234.567,5"),
        (Decimal("-1234.5"), "rw", "-1,234.5"),
        (Decimal("1E+3"), "en", "1,000"),
        (Decimal("1E+3"), "id", "1.000"),
        (Decimal("0.000"), "fr", "0"),
        (Money(-125_050), "fr", "-1 250,50 KES"),
        (Money(125_000), "fr", "1 250 KES"),
        (Money(1_250, "XOF"), "fr", "1 250 FCFA"),
        (Money(1_250, "XOF"), "en", "XOF 1,250"),
        (Money(1_250, "RWF"), "rw", "1,250 Frw"),
        (Money.of(1_250, "IDR"), "id", "Rp 1.250"),
        (Money.of("1250.50", "IDR"), "id", "Rp 1.250,50"),
        (17, "fr", "17"),
    ],
)
def test_values(value: object, language: str, expected: str) -> None:
    assert say(Text("{value}", {"value": value}), language) == expected
    assert is_gsm7(expected)


def test_a_quantity_alone_is_english() -> None:
    assert quantity(Decimal("1234.50")) == "1,234.5"


def test_a_moment_is_no_day() -> None:
    with pytest.raises(TypeError, match="which day"):
        say(Text("{at}", {"at": datetime.now(UTC)}), "en")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", {0: "0 tries left", 1: "1 try left", 2: "2 tries left"}),
        ("sw", {0: "majaribio 0", 1: "jaribio 1", 2: "majaribio 2"}),
        ("fr", {0: "0 essai restant.", 1: "1 essai restant.", 2: "2 essais restants."}),
        ("id", {0: "0 percobaan", 1: "1 percobaan", 2: "2 percobaan"}),
        ("xx", {0: "0 tries left", 1: "1 try left", 2: "2 tries left"}),
    ],
)
def test_a_count_takes_the_form_of_its_language(language: str, said: dict[int, str]) -> None:
    for n, words in said.items():
        text = n_("Wrong PIN. {n} try left. Your PIN:", "Wrong PIN. {n} tries left. Your PIN:", n=n)
        assert words in say(text, language)


def test_a_count_without_a_translation_is_english() -> None:
    assert [say(n_("{n} elephant", "{n} elephants", n=n), "fr") for n in (1, 0)] == ["1 elephant", "0 elephants"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_written_surprises_a_phone(language: str) -> None:
    assert is_gsm7(LANGUAGES[language])
    assert len(set(MONTHS[language])) == 12
    assert set(FIGURES) == set(MONTHS) == set(LANGUAGES)
    for month in range(1, 13):
        assert is_gsm7(written(date(2026, month, 28), language))
        assert len(written(date(2026, month, 28), language)) <= len("28 avril 2026")
    assert is_gsm7(written(Money(-123_456_789_012), language) + written(Decimal("1234567.891"), language))


@pytest.mark.parametrize("language", ["en", "sw", "fr", "id"])
def test_the_marks_are_those_of_cldr_without_its_no_break_spaces(language: str) -> None:
    marks = Locale(language).number_symbols["latn"]
    plain = FIGURES[language]
    assert (plain.thousands, plain.decimal) == (marks["group"].replace("\u202f", " "), marks["decimal"])
