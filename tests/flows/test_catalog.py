"""Every text that a customer can be shown is translated, with its placeholders, in letters that her phone has."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from core.i18n import LANGUAGES, catalog
from core.text import is_gsm7

ROOT = Path(__file__).parents[2]
SPOKEN = ("core", "flows", "billing", "payments", "ussd_app")
PLACES = re.compile(r"\{(\w+)\}")


def named() -> set[str]:
    """Every msgid in the code."""
    found = set()
    for package in SPOKEN:
        for _file, _line, msgid, _comments, _context in extract_from_dir(ROOT / package, keywords={"_": None}):
            found.add(msgid if isinstance(msgid, str) else msgid[0])
    return found


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_the_catalog_is_whole(language: str) -> None:
    said = catalog(language)
    assert named() - said.keys() == set()
    assert said.keys() - named() == set(), "nobody says these any more"


def test_there_is_something_to_translate() -> None:
    assert "Nothing was paid." in named()
    assert len(named()) > 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_fit_a_plain_phone(language: str) -> None:
    pairs = catalog(language).items() or {msgid: msgid for msgid in named()}.items()
    for msgid, said in pairs:
        assert is_gsm7(said), said
        assert sorted(PLACES.findall(said)) == sorted(PLACES.findall(msgid)), msgid
