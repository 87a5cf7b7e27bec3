"""The columns of a kind of file, and what the headers of an uploaded one mean by them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from billing.importing.values import Reader, Wrong

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its cells are read, what to say of it, an example for the template, other names it goes by."""

    name: str
    read: Reader
    about: str
    example: str = ""
    required: bool = False
    default: Any = None
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of a file mean.

    `places`: column -> position. `ignored`: headers that mean nothing here. `missing`: columns that must be there.
    `twice`: columns that two headers mean. `suggested`: header -> the missing column that it may be.
    """

    places: dict[str, int]
    ignored: list[str]
    missing: list[str]
    twice: list[str]
    suggested: dict[str, str] = field(default_factory=dict)


def understand(columns: Sequence[Column], headers: Sequence[str], renamed: Mapping[str, str]) -> Headers:
    """Lay the headers beside the columns. Case, blanks, dashes and underscores do not matter; `renamed` is believed."""
    known = {_bare(column.name): column.name for column in columns}
    places: dict[str, int] = {}
    ignored: list[str] = []
    twice: list[str] = []
    for position, header in enumerate(headers):
        name = renamed.get(header) or known.get(_bare(header))
        if name is None:
            ignored.append(header)
        elif name in places:
            twice.append(name)
        else:
            places[name] = position
    missing = [column.name for column in columns if column.required and column.name not in places]
    free = [column for column in columns if column.name not in places]
    return Headers(places, ignored, missing, twice, _suggested(free, ignored))


def row_values(columns: Sequence[Column], headers: Headers, cells: Sequence[str], days: str) -> tuple[Values, str]:
    """A row's values by column, and every reason why it will not do, as one text ("" where there is none)."""
    values: Values = {}
    wrong: list[str] = []
    for column in columns:
        place = headers.places.get(column.name)
        said = cells[place] if place is not None else ""
        if not said:
            values[column.name] = column.default
            if column.required:
                wrong.append(f"{column.name} is missing.")
            continue
        values[column.name] = read = column.read(said, days)
        if isinstance(read, Wrong):
            wrong.append(f"{column.name} {read.why}.")
    return values, " ".join(wrong)


def _suggested(free: Sequence[Column], ignored: Sequence[str]) -> dict[str, str]:
    """For each header that means nothing, the column without a header that it most likely is."""
    names = {_bare(word): column.name for column in free for word in (column.name, *column.alike)}
    suggested: dict[str, str] = {}
    for header in ignored:
        close = get_close_matches(_bare(header), names, n=1, cutoff=0.72)
        if close and names[close[0]] not in suggested.values():
            suggested[header] = names[close[0]]
    return suggested


def _bare(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.casefold())
