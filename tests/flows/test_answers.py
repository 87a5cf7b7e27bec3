"""Answers are read as people write them."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from core.money import Money
from flows import keywords
from flows.answers import account_number, amount, meter_value, person_name
from flows.talk import Refused
from flows.words import split


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("500", 500),
        ("1,500", 1500),
        ("Ksh 500/=", 500),
        ("KES500", 500),
        ("kes. 1 000", 1000),
        ("500.00", 500),
        ("250000", 250_000),
        ("1.500", 1500),
        ("1 500,00", 1500),
        ("10.000.-", 10_000),
        ("500,00", 500),
        ("2.000 Frw", 2000),
        ("Rp 10.000", 10_000),
        ("1000 FCFA", 1000),
        ("1\u202f250", 1250),
        ("500/-", 500),
    ],
)
def test_amounts(said: str, meant: int) -> None:
    assert amount(said) == Money.of(meant)


@pytest.mark.parametrize(("said", "meant"), [("1 234", "1234"), ("01234", "1234"), ("12.5", "12.5"), ("12,5", "12.5")])
def test_meter_values(said: str, meant: str) -> None:
    assert meter_value(said) == Decimal(meant)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (amount, said)
        for said in (
            "0",
            "-5",
            "0.5",
            "12.50",
            "250001",
            "abc",
            "",
            "٣",
            "5 0 0 0 0 0 0 0",
            "1e3",
            "½",
            "1 250,50",
            "1,50",
            "12.34.567",
            "ksh",
            "9" * 30,
        )
    ]
    + [
        (meter_value, said)
        for said in ("-1", "abc", "", "1.2345", "1234567890", "١٢", "1.2.3", "1,234", "10.000", "1.500,5")
    ]
    + [(account_number, said) for said in ("", "12", "abc", "1" * 13, "12a4")]
    + [(person_name, said) for said in ("", "x", "12", "a1", "x" * 41, "<script>", "😀😀")],
)
def test_refused(read: Callable[[str], object], said: str) -> None:
    with pytest.raises(Refused):
        read(said)


@pytest.mark.parametrize("name", ["Neema Wekesa", "Achieng' Otieno", "Nyirahabimana-Uwase", "José Muñoz"])
def test_names(name: str) -> None:
    assert person_name(f"  {name} ") == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BAL", ("BAL", "")),
        ("pay500", ("PAY", "500")),
        ("READ  1 234", ("READ", "1 234")),
        ("lipa 500/=", ("LIPA", "500/=")),
        ("Pay: 500", ("PAY", "500")),
        ("", ("", "")),
        ("123", ("", "123")),
    ],
)
def test_keywords_are_split(text: str, words: tuple[str, str]) -> None:
    assert split(text) == words
    assert keywords.known(text) == bool(words[0])
