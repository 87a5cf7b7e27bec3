"""Lists in pages by key: a page costs the same on the first and on the ten thousandth."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

SIZE = 25
Row = TypeVar("Row")
Keys = Sequence[InstrumentedAttribute[Any]]


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """One page of a list; `following` is the link's `after` for the next one, or None at the end."""

    rows: Sequence[Row]
    following: str | None
    first: bool


def listed(
    session: Session, query: Select[tuple[Row]], keys: Keys, *, newest_first: bool = False, size: int = SIZE
) -> Listed[Row]:
    """The page of `query` that the request's `after` asks for, ordered by `keys` (unique together, strings or ints)."""
    after = _opened(request.args.get("after", ""), len(keys))
    rows = rows_after(session, query, keys, after, size + 1, newest_first=newest_first)
    following = _sealed(key_of(rows[size - 1], keys)) if len(rows) > size else None
    return Listed(rows[:size], following, after is None)


def rows_after(
    session: Session,
    query: Select[tuple[Row]],
    keys: Keys,
    after: Sequence[Any] | None,
    size: int,
    *,
    newest_first: bool = False,
) -> Sequence[Row]:
    """The `size` rows behind the one with the key `after`; the first ones where that is None."""
    if after is not None:
        here = tuple_(*keys)
        query = query.where(here < tuple_(*after) if newest_first else here > tuple_(*after))
    return session.scalars(query.order_by(*(key.desc() if newest_first else key for key in keys)).limit(size)).all()


def key_of(row: object, keys: Keys) -> list[object]:
    """What the row is ordered by."""
    return [getattr(row, key.key) for key in keys]


def _sealed(values: list[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _opened(cursor: str, length: int) -> list[Any] | None:
    """A cursor that somebody has bent leads to the first page."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        return None
    fine = isinstance(values, list) and len(values) == length and all(isinstance(v, str | int) for v in values)
    return values if fine else None
