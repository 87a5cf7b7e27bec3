"""What every SMS gateway can do, and what may be known of a message after it was handed over.

Sending has no idempotency key at any of them: what may have been sent must not be sent again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import requests
from urllib3.exceptions import NewConnectionError

from core.phone import Phone

TIMEOUT_S = (3.05, 12)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has it, under `gateway_id`."""

    gateway_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent and will not be: the number, the sender or the text is at fault."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It was surely not sent, and may be another time. `fault` tells what stands in the way: this message's route,
    the gateway for all messages, or our account there."""

    reason: str
    fault: Literal["message", "gateway", "account"] = "message"


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been sent; nobody can say yet. `gateway_id` where the id was ours to give."""

    reason: str
    gateway_id: str = ""


Outcome = Accepted | Refused | NotSent | Unclear


class SmsGateway(Protocol):
    """Carries one text to many phones in one call. Knows no database."""

    name: str
    most: int
    """Recipients in one call at most."""
    takes_references: bool
    """Whether a message may have an id of ours, under which it is reported even where the answer was lost."""

    def send(self, recipients: Mapping[Phone, str], body: str) -> dict[Phone, Outcome]:
        """Hand `body` over for each phone; the values are our references.

        Every phone has an outcome. Never raises for what the gateway or the network does.
        """
        ...


class HttpRefusal(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}: {body[:200]}")
        self.status = status


def outcome_of(error: HttpRefusal | requests.RequestException) -> NotSent | Refused | Unclear:
    """What a call that failed says of every message in it.

    A client error was not acted on; a wrong key or pace can be put right. A server error may follow a sending, and so
    may an answer that was lost.
    """
    if not isinstance(error, HttpRefusal):
        if isinstance(error, requests.ConnectionError) and _never_left(error):
            return NotSent("unreachable", "gateway")
        return Unclear("lost")
    if error.status in (401, 402, 403):
        return NotSent(str(error), "account")
    if error.status == 429:
        return NotSent(str(error), "gateway")
    return Refused(str(error)) if error.status < 500 else Unclear(str(error))


def _never_left(error: requests.ConnectionError) -> bool:
    """True where there was no connection to send the request on."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def all_of(phones: Sequence[Phone] | Mapping[Phone, str], outcome: Outcome) -> dict[Phone, Outcome]:
    """The same outcome for every phone."""
    return dict.fromkeys(phones, outcome)
