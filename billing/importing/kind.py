"""What every kind of file is: its columns, and how a row is held against the books, taken in and taken back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from billing.importing.columns import Column, Values

Made = dict[str, object]
"""What a row made, by what it is: {"customer": 12}. Kept as JSON."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row comes from: its file, its number there, and who imports it."""

    file_id: int
    number: int
    by: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    `key` is the column without which a file is surely another kind. `names(values)` is what a row calls things by;
    `check(session, rows)` gives for each row why the books refuse it, or "". `make` takes a row in and returns what it
    made, or why not; it may leave things half done then, for the caller takes them back. `undo` returns why it cannot
    be taken back, or "". All of them write into the caller's transaction.
    """

    name: str
    title: str
    about: str
    key: str
    columns: tuple[Column, ...]
    names: Callable[[Values], list[str]]
    check: Callable[[Session, Sequence[Values]], list[str]]
    make: Callable[[Session, Values, Origin], Made | str]
    undo: Callable[[Session, Made, Origin], str]
