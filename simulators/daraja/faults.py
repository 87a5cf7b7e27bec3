"""What may be made to go wrong, set over HTTP while the simulator runs."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Literal, get_args

PendingShape = Literal["500", "4999", "400"]


@dataclass(frozen=True, slots=True)
class Faults:
    """With these values Daraja behaves. They hold for every push until they are changed."""

    callback_copies: int = 1
    """How often each callback is delivered: 0 drops it."""
    callback_delay_s: float = 0.0
    """On top of the usual delay."""
    pending_shape: PendingShape = "500"
    """How a query says "still processing": all three have been seen in the wild."""
    confirm_pushes: bool = False
    """Send the paybill's confirmation for a push too, under the same receipt."""

    def changed(self, values: dict[str, object]) -> "Faults":
        """Raises ValueError naming the field that is unknown or has an unusable value."""
        known = {f.name: f for f in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown fault {name!r}; there are {', '.join(known)}")
            if not _usable(name, value):
                raise ValueError(f"{name} cannot be {value!r}")
        return replace(self, **values)  # type: ignore[arg-type]  # checked by _usable

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def _usable(name: str, value: object) -> bool:
    if name == "confirm_pushes":
        return isinstance(value, bool)
    if name == "pending_shape":
        return value in get_args(PendingShape)
    if isinstance(value, bool):
        return False
    if name == "callback_copies":
        return isinstance(value, int) and 0 <= value <= 100
    return isinstance(value, int | float) and 0 <= value <= 3600
