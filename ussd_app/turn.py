"""A turn of a session as every gateway brings it, and how it stands to what is stored."""

from enum import Enum
from typing import NamedTuple

from core.phone import Phone
from ussd_app.session import Stored, digest_of, key_of


class Turn(NamedTuple):
    """Who, in which session, and what she has typed in it: all of it, or what came after `earlier` inputs.

    Most gateways send the whole input each time. For one that sends only what was typed last, `earlier` and `before`
    (the digest of those inputs) come from the store, as does `run`, which tells sessions of one name apart.
    """

    provider: str
    session_id: str
    phone: Phone
    service_code: str
    network: str
    inputs: tuple[str, ...]
    earlier: int = 0
    before: str = ""
    run: str = ""

    @property
    def key(self) -> str:
        """Where its session is stored."""
        return key_of(self.provider, self.session_id)

    @property
    def name(self) -> str:
        """The session's name in the archive."""
        return f"{self.session_id}~{self.run}" if self.run else self.session_id

    @property
    def position(self) -> int:
        return self.earlier + len(self.inputs)

    @property
    def digest(self) -> str:
        return digest_of(self.inputs, self.before)

    @property
    def bound(self) -> str:
        """What must stay the same for the whole session."""
        return f"{self.phone} {self.service_code}"

    @property
    def conversation(self) -> str:
        """Names the conversation in the books. The phone is part of it: nobody inherits another's session."""
        return f"{self.provider}:{self.name}:{self.phone}"


class Answer(NamedTuple):
    """The next screen, whether it is the last, and its name where it is known."""

    text: str
    ends: bool
    screen: str = ""

    @property
    def line(self) -> str:
        """As it is stored, and as Africa's Talking wants it."""
        return ("END " if self.ends else "CON ") + self.text

    @classmethod
    def of(cls, line: str, screen: str = "") -> "Answer":
        return cls(line[4:], line.startswith("END "), screen)


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
        return Kind.REPEAT if stored.receipt.digest == turn.digest else Kind.CONFLICT
    if turn.position < stored.position:
        return Kind.STALE
    if not turn.earlier and digest_of(turn.inputs[: stored.position]) != stored.digest:
        return Kind.CONFLICT
    if stored.ended:
        return Kind.STALE
    return Kind.NEXT if turn.position == stored.position + 1 else Kind.GAP
