"""Gateways that send only what was typed last: the store knows what came before, and what is merely sent again."""

from dataclasses import dataclass
from time import time

from core.config import settings
from core.phone import Phone
from core.seal import digest
from ussd_app.session import First, SessionStore, Stored
from ussd_app.turn import Answer, Turn

AGAIN_S = 3.0  # the same answer so soon is the gateway's doing, unless it numbers its requests
OPENED_AGAIN_S = 30.0  # operators start a session more than once, and nobody wants it from the beginning so soon


@dataclass(frozen=True, slots=True)
class Step:
    """What such a gateway brings."""

    provider: str
    session_id: str
    phone: Phone
    network: str
    said: str
    new: bool
    request_id: str

    def mark(self) -> str:
        """What is stored to know this step again: its moment, what was said (as a digest), its number."""
        return f"{time():.3f} {self._said} {self.request_id}"

    def is_repeat(self, stored: Stored) -> bool:
        """Whether `stored` was left by this very step."""
        moment, said, request_id = (*stored.last.split(" ", 2), "", "", "")[:3]
        if self.request_id and request_id:
            return self.request_id == request_id and self._said == said
        window_s = OPENED_AGAIN_S if self.new and not stored.ended else AGAIN_S
        return bool(moment) and self._said == said and time() - float(moment) < window_s

    def is_late(self, stored: Stored) -> bool:
        """Whether the gateway has numbered this step no higher than the last one taken: an old one, sent late."""
        last = stored.last.rpartition(" ")[2]
        return self.request_id.isdecimal() and last.isdecimal() and int(self.request_id) <= int(last)

    @property
    def inputs(self) -> tuple[str, ...]:
        if self.new:
            return tuple(self.said.split("*")) if self.said else ()
        return (self.said,)

    @property
    def _said(self) -> str:
        return digest("latest", f"{'new' if self.new else 'on'} {self.said}")


@dataclass(frozen=True, slots=True)
class Placed:
    """A step as a turn at its place, with its session. `instead_of` is the revision of an old one of that name."""

    turn: Turn
    stored: Stored | None
    left: str = ""
    instead_of: str = ""


def place(store: SessionStore, step: Step) -> Placed | Answer | None:
    """Where the step belongs; the answer to one that has been answered; None for one whose session is gone.

    Raises redis.RedisError.
    """
    turn = Turn(step.provider, step.session_id, step.phone, settings().service_code, step.network, step.inputs)
    stored, left, _none = store.load_first(turn.key, step.phone) if step.new else First(store.load(turn.key, None), "")
    if stored is not None and stored.bound != turn.bound:
        return Placed(turn, stored)  # somebody else's; it is told apart by that
    if stored is not None and (step.is_repeat(stored) or step.is_late(stored)):
        return Answer.of(stored.reply, stored.screen)
    if step.new:
        run = stored.revision if stored is not None else store.opening(turn.key)
        return Placed(_following(turn, run), None, left if not step.inputs else "", run if stored is not None else "")
    if stored is None:
        return None
    return Placed(_following(turn, stored.run, stored.position, stored.digest), stored)


def _following(turn: Turn, run: str, earlier: int = 0, before: str = "") -> Turn:
    return Turn(
        turn.provider, turn.session_id, turn.phone, turn.service_code, turn.network, turn.inputs, earlier, before, run
    )
