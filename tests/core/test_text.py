"""Septets and parts are counted as carriers count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import BASIC, EXTENSION, is_gsm7, septets, sms_parts, to_gsm7


def test_the_alphabet_is_whole() -> None:
    assert len(BASIC) == 127  # 128 positions, of which one is the escape
    assert len(EXTENSION) == 10


@pytest.mark.parametrize(("text", "count"), [("", 0), ("abc", 3), ("€5", 3), ("[x]", 5), ("ç", None), ("Ç", 1)])
def test_septets(text: str, count: int | None) -> None:
    assert septets(text) == count


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),  # the pair is not split, so each part loses a septet
        ("ą" * 70, "UCS-2", 1),
        ("ą" * 71, "UCS-2", 2),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("ą" * 66 + "😀" + "ą" * 66, "UCS-2", 3),
    ],
)
def test_parts(text: str, encoding: str, parts: int) -> None:
    assert (sms_parts(text).encoding, sms_parts(text).parts) == (encoding, parts)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Ksh\u00a01,250” – naïve façade 😀", '"Ksh 1,250" - naive facade ?'),
        ("âêîôûëïçœŒÂÊÔÀÈÉÇ", "aeiouei" + "coeOEAEOAEÉÇ"),
        ("éèàùÉ", "éèàùÉ"),
        ("e\u0301 c\u0327 q\u0301", "é c q"),  # letter and accent apart, as some phones and files have them
        ("l’eau «chère» 1\u202f250", 'l\'eau "chère" 1 250'),
        ("ɗan ƙasa ɓera ƴar", "dan kasa bera yar"),
    ],
)
def test_transliteration(text: str, plain: str) -> None:
    assert to_gsm7(text) == plain


@given(st.text())
def test_everything_becomes_gsm7(text: str) -> None:
    assert is_gsm7(to_gsm7(text))
    assert to_gsm7(to_gsm7(text)) == to_gsm7(text)
