"""The journal of a conversation: what was said and what the world answered, enough to live it again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, the structure of the screen it answered, and its place among all inputs (from 1)."""

    screen: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Done:
    """A call's result, as the JSON text of its declared type."""

    name: str
    result: str
    wrote: bool


Entry = Said | Done


@dataclass(frozen=True, slots=True)
class State:
    """All that a session holds: the journal, the page shown of the present screen, the language."""

    journal: tuple[Entry, ...] = ()
    page: int = 0
    language: str = "en"
