"""The journal of a conversation: what was said and what the world answered, enough to live it again."""

from typing import NamedTuple


class Said(NamedTuple):
    """An answer, the structure of the screen it answered, and its place among all inputs (from 1)."""

    screen: str
    text: str
    position: int


class Done(NamedTuple):
    """A call's result, as the JSON text of its declared type."""

    name: str
    result: str
    wrote: bool


Entry = Said | Done


class State(NamedTuple):
    """All that a session holds: the journal, the page shown of the present screen, the language."""

    journal: tuple[Entry, ...] = ()
    page: int = 0
    language: str = "en"
