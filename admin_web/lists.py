"""A list of the office: its filters in the address, its columns as one wants them, its rows in pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from admin_web.access import office
from admin_web.paging import Keys, Listed, listed

Row = TypeVar("Row")
Cells = dict[str, Any]
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column: how its cells are written, and where they lead: (endpoint, its parameter, the cell that has it)."""

    name: str
    title: str
    kind: str = "text"
    shown: bool = True
    way: tuple[str, str, str] | None = None
    words: Mapping[str, tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow a list: its choices, and the condition of each."""

    name: str
    title: str
    choices: Callable[[Session], Mapping[str, str]]
    where: Callable[[str], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on: its name, its title and what it is set to."""

    name: str
    title: str
    words: str


@dataclass(frozen=True)
class ListPage(Generic[Row]):
    """One list as its page shows it."""

    found: Listed[Row]
    rows: list[Cells]
    columns: list[Column]
    chips: list[Chip]
    menus: list[tuple[Filter, Mapping[str, str]]]
    asked: dict[str, str]
    listing: "Listing[Row]"


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """What a list is made of.

    `searched(text)` narrows it to what the search field may mean. `cells(session, rows)` gives for each row of the
    database the cells of a page or of an exported file.
    """

    endpoint: str
    title: str
    base: Callable[[], Select[tuple[Row]]]
    keys: Keys
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    searched: Callable[[str], ColumnElement[bool] | None]
    cells: Callable[[Session, Sequence[Row]], list[Cells]]
    newest_first: bool = False
    extra: tuple[str, ...] = field(default=())

    def asked(self) -> dict[str, str]:
        """The filters, the search and the columns that the address asks for; unknown ones are no part of it."""
        names = [*(one.name for one in self.filters), "q", *self.extra]
        said = {name: request.args.get(name, "").strip() for name in names}
        columns = [name for name in request.args.getlist("cols") if name in {one.name for one in self.columns}]
        return {name: value for name, value in said.items() if value} | ({"cols": ",".join(columns)} if columns else {})

    def chosen(self, session: Session, asked: Mapping[str, str]) -> Select[tuple[Row]]:
        """The rows that are asked for, in no order."""
        query = self.base()
        for one in self.filters:
            value = asked.get(one.name)
            if value is not None and value in one.choices(session):
                query = query.where(one.where(value))
        condition = self.searched(asked["q"]) if asked.get("q") else None
        return query if condition is None else query.where(condition)

    def shown(self, asked: Mapping[str, str]) -> list[Column]:
        """The columns that are asked for, else those that are shown without being asked."""
        named = asked.get("cols", "").split(",")
        return [one for one in self.columns if (one.name in named if "cols" in asked else one.shown)]


def list_page(session: Session, listing: Listing[Row]) -> ListPage[Row]:
    """The page that the request asks for."""
    asked = listing.asked()
    found = listed(session, listing.chosen(session, asked), listing.keys, newest_first=listing.newest_first)
    menus = [(one, one.choices(session)) for one in listing.filters]
    chips = [
        Chip(one.name, one.title, choices[asked[one.name]]) for one, choices in menus if asked.get(one.name) in choices
    ]
    return ListPage(
        found, listing.cells(session, found.rows), listing.shown(asked), chips, menus, asked, listing
    )  # fmt: skip


def address(asked: Mapping[str, str], **changes: str | None) -> dict[str, Any]:
    """The parts of an address of the same list with some of what it asks for changed; None takes it out."""
    parts: dict[str, Any] = {name: value for name, value in {**asked, **changes}.items() if value}
    if "cols" in parts:
        parts["cols"] = parts["cols"].split(",")
    return parts


def how_many(session: Session, query: Select[Any], most: int = MOST_COUNTED) -> int:
    """How many rows there are, counted no further than one beyond `most`."""
    rows = query.order_by(None).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def fixed(choices: Mapping[str, str]) -> Callable[[Session], Mapping[str, str]]:
    """Choices that are the same for everybody."""
    return lambda _session: choices


office.add_app_template_global(address, "address")
