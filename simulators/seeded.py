"""What may be made to go wrong at any provider, set over HTTP while its simulator runs.

Chances are from 0 to 1. Each is drawn from the seed, the fault's name and what it is about ("the third push to this
phone"), so the same seed gives the same faults to the same customers, in whatever order threads get to run.
"""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

MOST_COPIES = 100
LONGEST_S = 3600


def fault(default: Any, what: str, most: float = 1.0, choices: tuple[str, ...] = ()) -> Any:
    """A field of a class of faults: its value where all is well, what it does, and what it may be."""
    return field(default=default, metadata={"what": what, "most": most, "choices": choices})


@dataclass(frozen=True, slots=True)
class SeededFaults:
    """With these values a provider behaves. They hold for every payment until they are changed."""

    seed: int = fault(1, "Which faults: the same seed gives the same ones", 10**9)

    callback_copies: int = fault(1, "How often each callback is delivered; 0 drops it", MOST_COPIES)
    callback_copies_most: int = fault(0, "Up to so many copies instead, by chance", MOST_COPIES)
    callback_delay_s: float = fault(0.0, "Seconds on top of the usual delay", LONGEST_S)
    callback_jitter_s: float = fault(
        0.0, "Up to so many seconds more, each its own: they overtake one another", LONGEST_S
    )
    drop: float = fault(0.0, "A callback or confirmation is never sent")

    answer_lost: float = fault(0.0, "A push is carried out, but its answer never arrives")
    answer_after_callback: float = fault(0.0, "A push is answered only after its callback was delivered")
    failure_first: float = fault(0.0, "A push that is paid is first reported as failed")
    wrong_amount: float = fault(0.0, "A callback names another amount than was paid")
    too_many: float = fault(0.0, "A request is refused with HTTP 429; nothing is carried out")
    broken: float = fault(0.0, "A push gets HTTP 500 without a clear word; nothing is carried out")

    by_itself: bool = fault(False, "Subscribers answer their prompts without anybody at a handset")
    thinks_s: float = fault(0.2, "How long such a subscriber takes", LONGEST_S)
    cancels: float = fault(0.0, "Such a subscriber cancels")
    mistypes: float = fault(0.0, "Such a subscriber types a wrong PIN")
    ignores: float = fault(0.0, "Such a subscriber does nothing at all")

    def changed(self, values: Mapping[str, object]) -> Self:
        """Raises ValueError naming the field that is unknown or has an unusable value."""
        known = {f.name: f for f in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown fault {name!r}; there are {', '.join(known)}")
            if not _usable(known[name].default, value, known[name].metadata):
                raise ValueError(f"{name} cannot be {value!r}")
        return replace(self, **values)  # type: ignore[arg-type]  # checked by _usable

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    def known(self) -> list[dict[str, object]]:
        """Each fault in words, with its value and its most, for a form."""
        now = asdict(self)
        return [{"name": f.name, "value": now[f.name], "default": f.default, **f.metadata} for f in fields(self)]

    def strikes(self, name: str, about: str) -> bool:
        """Whether the fault `name` (a chance) befalls this."""
        chance: float = getattr(self, name)
        return self.drawn(name, about).random() < chance

    def drawn(self, name: str, about: str) -> random.Random:
        """The chance of one thing, the same for the same seed."""
        return random.Random(f"{self.seed}:{name}:{about}")  # to be repeatable is the point

    def deliveries(self, about: str) -> list[float]:
        """The delays, in seconds, of each copy of a callback; none where it is dropped."""
        if self.strikes("drop", about):
            return []
        chance = self.drawn("deliveries", about)
        copies = chance.randint(1, self.callback_copies_most) if self.callback_copies_most else self.callback_copies
        return [self.callback_delay_s + chance.uniform(0, self.callback_jitter_s) for _ in range(copies)]


def _usable(default: object, value: object, allowed: Mapping[str, Any]) -> bool:
    if allowed["choices"]:
        return value in allowed["choices"]
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    number = int if isinstance(default, int) else int | float
    return isinstance(value, number) and 0 <= value <= allowed["most"]
