"""The journal as compact JSON, and values to and from it by their declared types."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import cattrs
import orjson

from core.money import Money
from flows.journal import Done, Said, State
from flows.talk import Call

values = cattrs.Converter()
values.register_unstructure_hook(Decimal, str)
values.register_structure_hook(Decimal, lambda raw, _: Decimal(raw))
values.register_unstructure_hook(date, date.isoformat)
values.register_structure_hook(date, lambda raw, _: date.fromisoformat(raw))
values.register_unstructure_hook(Money, lambda money: [money.minor, money.currency])
values.register_structure_hook(Money, lambda raw, _: Money(*raw))


def write_result(result: object) -> str:
    """A call's result as compact JSON."""
    return orjson.dumps(values.unstructure(result)).decode()


def read_result(call: Call, written: str) -> Any:
    """The result that `write_result` wrote, in the type that the action declares."""
    return _read(call.returns, written)


@lru_cache(maxsize=4096)
def _read(returns: Any, written: str) -> Any:
    """Results are frozen, so that a conversation that is played again at each turn may be given the same ones."""
    return values.structure(orjson.loads(written), returns)


def dumps(state: State) -> str:
    """Compact JSON."""
    rows = [
        [e.screen, e.text, e.position] if isinstance(e, Said) else {"n": e.name, "r": e.result, "w": e.wrote}
        for e in state.journal
    ]
    return orjson.dumps([rows, state.page, state.language]).decode()


def loads(raw: str) -> State:
    """The state that `dumps` wrote; ValueError for anything else."""
    try:
        rows, page, language = orjson.loads(raw)
        journal = tuple(Said(*row) if isinstance(row, list) else Done(row["n"], row["r"], row["w"]) for row in rows)
        if not all(isinstance(entry.result if isinstance(entry, Done) else entry.text, str) for entry in journal):
            raise TypeError("another form")
        return State(journal, int(page), str(language))
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError("not a conversation's state") from error
