"""How often one number may begin, and all numbers together. Without Redis nobody is counted or refused.

A count runs from the first session of a window to the window's end, so whoever is refused need only wait.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from redis import RedisError

from core.config import settings
from core.i18n import Text, _, n_
from core.phone import Phone, mask
from ussd_app.stores import Command, exchange, quick

EVERYONE_S = 60
EVERYONE = "mita:limit:everyone"

Kind = Literal["sessions", "messages"]

log = structlog.get_logger("limits")


@dataclass(frozen=True, slots=True)
class TooMany:
    """Refused: `sentence` says when to try again. `first` marks a number's first refusal within its window."""

    sentence: Text
    first: bool


def too_many(phone: Phone, kind: Kind = "sessions") -> TooMany | None:
    """Count a new session or message of `phone`; the refusal where it is one too many. One round trip to let her in.

    Call it for new sessions only: the later steps of a session that was let in are never refused.
    """
    try:
        return judged(phone, kind, exchange(quick(), counting(phone, kind)))
    except RedisError as error:
        log.warning("limits.without_store", error=type(error).__name__)
        return None


def counting(phone: Phone, kind: Kind = "sessions") -> list[Command]:
    """What counts a new session or message, for whoever has something else to ask of Redis; nothing without limits."""
    ours = settings()
    if ours.demo or not (_most(kind) or ours.limit_everyone):
        return []
    own = _own(phone, kind)
    return [
        ("INCR", own), ("EXPIRE", own, ours.limit_minutes * 60, "NX"),
        ("INCR", EVERYONE), ("EXPIRE", EVERYONE, EVERYONE_S, "NX"),
    ]  # fmt: skip


def judged(phone: Phone, kind: Kind, counted: Sequence[Any]) -> TooMany | None:
    """The refusal, where `counted` (the replies to `counting`) says that it was one too many."""
    if not counted:
        return None
    mine, _begins, all_of_us, _ends = counted
    most, most_of_all = _most(kind), settings().limit_everyone
    if most and mine > most:
        if mine == most + 1:
            log.warning("limits.number", phone=mask(phone), kind=kind)
        return TooMany(_once_more_in(_left_s(phone, kind)), first=mine == most + 1)
    if most_of_all and all_of_us > most_of_all:
        if all_of_us == most_of_all + 1:
            log.error("limits.everyone", kind=kind)
        return TooMany(_("Very many people are calling right now. Please try again in a minute."), first=mine == 1)
    return None


def uncount(phone: Phone, kind: Kind = "sessions") -> None:
    """Take back what was counted of something that turned out not to be new."""
    with suppress(RedisError):
        exchange(quick(), (("DECR", _own(phone, kind)), ("DECR", EVERYONE)))


def _left_s(phone: Phone, kind: Kind) -> int:
    """Until one who is refused may try again. She is taken out of everyone's count, or she could use it up alone."""
    try:
        left_s, _all = exchange(quick(), (("TTL", _own(phone, kind)), ("DECR", EVERYONE)))
    except RedisError as error:
        log.warning("limits.without_store", error=type(error).__name__)
        return settings().limit_minutes * 60
    return int(left_s)


def _most(kind: Kind) -> int:
    return settings().limit_sessions if kind == "sessions" else settings().limit_messages


def _own(phone: Phone, kind: Kind) -> str:
    return f"mita:limit:{kind}:{{{phone}}}"


def _once_more_in(seconds: int) -> Text:
    minutes = max(1, -(-seconds // 60))
    return n_(
        "This phone has called too often. Please try again in {n} minute.",
        "This phone has called too often. Please try again in {n} minutes.",
        n=minutes,
    )
