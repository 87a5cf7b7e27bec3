"""How often one number may begin, and all numbers together. Without Redis nobody is counted or refused.

A count runs from the first session of a window to the window's end, so whoever is refused need only wait.
"""

from dataclasses import dataclass
from typing import Literal

import structlog
from redis import RedisError

from core.config import settings
from core.i18n import Text, _, n_
from core.phone import Phone, mask
from ussd_app.stores import Command, exchange, quick

EVERYONE_S = 60
EVERYONE = "mita:limit:everyone"

log = structlog.get_logger("limits")


@dataclass(frozen=True, slots=True)
class TooMany:
    """Refused: `sentence` says when to try again. `first` marks a number's first refusal within its window."""

    sentence: Text
    first: bool


def too_many(phone: Phone, kind: Literal["sessions", "messages"] = "sessions") -> TooMany | None:
    """Count a new session or message of `phone`; the refusal where it is one too many. One round trip to let her in.

    Call it for new sessions only: the later steps of a session that was let in are never refused.
    """
    ours = settings()
    most = ours.limit_sessions if kind == "sessions" else ours.limit_messages
    if ours.demo or not (most or ours.limit_everyone):
        return None
    own = f"mita:limit:{kind}:{{{phone}}}"
    try:
        counting: list[Command] = []
        for key, seconds in ((own, ours.limit_minutes * 60), (EVERYONE, EVERYONE_S)):
            counting += [("INCR", key), ("EXPIRE", key, seconds, "NX"), ("TTL", key)]
        mine, _begins, wait_s, all_of_us, _begins, _ends = exchange(quick(), counting)
        if most and mine > most:
            quick().decr(EVERYONE)  # or one number alone could use up what is for everyone
    except RedisError as error:
        log.warning("limits.without_store", error=type(error).__name__)
        return None
    if most and mine > most:
        if mine == most + 1:
            log.warning("limits.number", phone=mask(phone), kind=kind)
        return TooMany(_once_more_in(wait_s), first=mine == most + 1)
    if ours.limit_everyone and all_of_us > ours.limit_everyone:
        if all_of_us == ours.limit_everyone + 1:
            log.error("limits.everyone", kind=kind)
        return TooMany(_("Very many people are calling right now. Please try again in a minute."), first=mine == 1)
    return None


def _once_more_in(seconds: int) -> Text:
    minutes = max(1, -(-seconds // 60))
    return n_(
        "This phone has called too often. Please try again in {n} minute.",
        "This phone has called too often. Please try again in {n} minutes.",
        n=minutes,
    )
