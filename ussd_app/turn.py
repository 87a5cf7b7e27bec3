"""A turn of a session as every gateway brings it, and how it stands to what is stored."""

from dataclasses import dataclass
from enum import Enum

from core.phone import Phone
from ussd_app.session import Stored, digest_of, key_of


@dataclass(frozen=True, slots=True)
class Turn:
    """Who, in which session, and all she has typed in it so far."""

    provider: str
    session_id: str
    phone: Phone
    service_code: str
    network: str
    inputs: tuple[str, ...]

    @property
    def key(self) -> str:
        """Where its session is stored."""
        return key_of(self.provider, self.session_id)

    @property
    def position(self) -> int:
        return len(self.inputs)

    @property
    def digest(self) -> str:
        return digest_of(self.inputs)

    @property
    def bound(self) -> str:
        """What must stay the same for the whole session."""
        return f"{self.phone} {self.service_code}"

    @property
    def conversation(self) -> str:
        """Names the conversation in the books. The phone is part of it: nobody inherits another's session."""
        return f"{self.provider}:{self.session_id}:{self.phone}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The next screen, and whether it is the last."""

    text: str
    ends: bool

    @property
    def line(self) -> str:
        """As it is stored, and as Africa's Talking wants it."""
        return ("END " if self.ends else "CON ") + self.text

    @classmethod
    def of(cls, line: str) -> "Answer":
        return cls(line[4:], line.startswith("END "))


class Kind(Enum):
    """How a turn stands to what is stored."""

    FIRST = "first"
    NEXT = "next"
    GAP = "gap"  # turns in between were answered without the store, or never came
    REPEAT = "repeat"
    STALE = "stale"  # an earlier turn that was passed over, or one after the end
    CONFLICT = "conflict"  # other inputs, another caller or another service code than before


def tell(turn: Turn, stored: Stored | None) -> Kind:
    """Tell a turn apart by its position (how many inputs) and its digest."""
    if stored is None:
        return Kind.FIRST
    if stored.bound != turn.bound:
        return Kind.CONFLICT
    if stored.receipt is not None:
        return Kind.REPEAT if stored.receipt[0] == turn.digest else Kind.CONFLICT
    if turn.position < stored.position:
        return Kind.STALE
    if digest_of(turn.inputs[: stored.position]) != stored.digest:
        return Kind.CONFLICT
    if stored.ended:
        return Kind.STALE
    return Kind.NEXT if turn.position == stored.position + 1 else Kind.GAP
