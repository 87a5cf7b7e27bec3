"""The journal as compact JSON, and values to and from it by their declared types."""

import json
from datetime import date
from decimal import Decimal

import cattrs

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


def write_result(result: object) -> object:
    """A call's result as plain JSON values."""
    return values.unstructure(result)


def read_result(call: Call, raw: object) -> object:
    """The result that `write_result` wrote, in the type that the action declares."""
    return values.structure(raw, call.returns)


def dumps(state: State) -> str:
    """Compact JSON."""
    rows = [
        [e.screen, e.text, e.position] if isinstance(e, Said) else {"n": e.name, "r": e.result, "w": e.wrote}
        for e in state.journal
    ]
    return json.dumps([rows, state.page, state.language], ensure_ascii=False, separators=(",", ":"))


def loads(raw: str) -> State:
    """The state that `dumps` wrote; ValueError for anything else."""
    try:
        rows, page, language = json.loads(raw)
        journal = tuple(Said(*row) if isinstance(row, list) else Done(row["n"], row["r"], row["w"]) for row in rows)
        return State(journal, int(page), str(language))
    except (TypeError, KeyError) as error:
        raise ValueError("not a conversation's state") from error
