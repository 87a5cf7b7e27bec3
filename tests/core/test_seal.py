"""What Redis may hold of what was typed: nothing that can be read, guessed or changed there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import seal
from core.config import Settings


@given(st.text(max_size=300))
def test_what_was_shut_opens_again(settings: Settings, text: str) -> None:
    sealed = seal.shut("test", text)
    assert seal.opened("test", sealed) == text
    assert seal.shut("test", text) != sealed, "the same text twice cannot be seen to be the same"


@pytest.mark.parametrize("place", [0, 20, 40])
def test_a_changed_note_is_refused(settings: Settings, place: int) -> None:
    sealed = bytearray(seal.shut("test", "Pay KES 500"))
    sealed[place] ^= 1
    with pytest.raises(ValueError, match="not sealed"):
        seal.opened("test", bytes(sealed))


def test_another_purpose_or_key_opens_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal.shut("test", "1234")
    with pytest.raises(ValueError, match="not sealed"):
        seal.opened("other", sealed)
    digest = seal.digest("test", "1234")
    assert digest != seal.digest("other", "1234")
    monkeypatch.setattr(seal, "settings", lambda: replace(settings, secret_key="another-secret-key-of-32-characters"))
    assert digest != seal.digest("test", "1234"), "whoever has no SECRET_KEY cannot try all PINs"
    with pytest.raises(ValueError, match="not sealed"):
        seal.opened("test", sealed)
