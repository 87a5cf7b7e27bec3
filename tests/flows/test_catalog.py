"""Every text that a customer can be shown is translated, with its placeholders, in letters that her phone has."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from core.i18n import CATALOGS, LANGUAGES, catalog
from core.text import is_gsm7, septets, to_gsm7
from flows.account import STOPPED
from flows.words import KEYWORDS as SMS_KEYWORDS

ROOT = Path(__file__).parents[2]
SPOKEN = ("core", "flows", "billing", "payments", "ussd_app")
NAMING = {"_": None, "n_": (1, 2)}
PLACES = re.compile(r"\{(\w+)\}")
TRANSLATED = [language for language in LANGUAGES if language != "en"]

Forms = tuple[str, ...]


@cache
def named() -> dict[str, str]:
    """Every msgid in the code, with the form for many of those with a count ("" without)."""
    found = {}
    for package in SPOKEN:
        for _file, _line, msgid, _comments, _context in extract_from_dir(ROOT / package, keywords=NAMING):
            one, many = (msgid, "") if isinstance(msgid, str) else (msgid[0], msgid[-1])
            found[one] = many
    return found


def read(language: str) -> Catalog:
    with (CATALOGS / language / "LC_MESSAGES" / "mita.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def messages(language: str) -> list[tuple[Forms, Forms]]:
    """Each msgid's forms with their translations, as the file has them."""
    return [(forms(message.id), forms(message.string)) for message in read(language) if message.id]


def forms(said: str | list[str] | tuple[str, ...] | None) -> Forms:
    return (said,) if isinstance(said, str) else tuple(said or ())


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalog_is_whole(language: str) -> None:
    said = catalog(language)
    assert named().keys() - said.keys() == set()
    assert said.keys() - named().keys() == set(), "nobody says these any more"
    assert not [message.id for message in read(language) if message.id and message.fuzzy]


def test_there_is_something_to_translate() -> None:
    assert "Nothing was paid." in named()
    assert len(named()) > 150
    assert any(named().values()), "no text with a count"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_text_with_a_count_has_each_form(language: str) -> None:
    rule = read(language)
    for msgid, said in messages(language):
        assert named()[msgid[0]] == (msgid[1] if len(msgid) > 1 else "")
        assert len(said) == (rule.num_plurals if len(msgid) > 1 else 1), msgid


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_the_same(language: str) -> None:
    for msgid, said in messages(language):
        for form in said:
            assert sorted(PLACES.findall(form)) == sorted(PLACES.findall(msgid[-1])), form
            assert form.format(**dict.fromkeys(PLACES.findall(form), "")), "a stray brace"


@pytest.mark.parametrize("language", TRANSLATED)
def test_texts_fit_a_plain_phone(language: str) -> None:
    """In its letters, with nothing lost; as many lines as the English; and within an SMS before its values."""
    for msgid, said in messages(language):
        for form in said:
            shown = to_gsm7(form)
            assert shown.count("?") == form.count("?"), f"letters are lost: {shown}"
            assert form.count("\n") == msgid[0].count("\n"), form
            assert form == form.strip(), form
            assert (septets(shown) or 0) <= 160, form


def test_english_fits_a_plain_phone() -> None:
    for one, many in named().items():
        assert is_gsm7(one + many)
        assert "{{" not in one + many, "a text without parameters is said as it stands"


def test_yes_is_never_no() -> None:
    yes, no = ({catalog(language).get(word, word).casefold() for language in LANGUAGES} for word in ("Yes", "No"))
    assert yes & no == set()
    assert len(yes) == len(no) == len(LANGUAGES)


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_a_text_tells_her_to_do_is_there(language: str) -> None:
    """The option by the name that the menu has for it, the keyword that SMS knows."""
    said = catalog(language)
    for msgid in [msgid for msgid in named() if "choose Pay in the menu" in msgid]:
        assert f" {said['Pay']} " in said[msgid]
    start = next(keyword for keyword in SMS_KEYWORDS if keyword.task == "start")
    assert f" {start.word(language)} " in said[STOPPED.msgid]
