"""What a USSD gateway's dialect is, and the reading of fields that all dialects share.

A dialect reads a gateway's fields into a step of a session, and writes the answer as the gateway wants it. It is
made of plain functions: no web framework, no database, and cheap enough for the hottest path of the service.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from core.config import settings
from core.phone import LONGEST, Phone, parse_phone
from ussd_app.turn import Answer, Turn

LONGEST_TEXT = 2000  # a whole session
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
IDENTIFIER = re.compile(r"\A[\x21-\x7e]{1,128}\Z")
CODE = re.compile(r"\A\*?[0-9*]{1,200}#?\Z")
NUMBER = re.compile(r"\A[0-9]{1,9}\Z", re.ASCII)
FIRST_OF_CODE = re.compile(r"[0-9]+")
LONG_NUMBER = re.compile(r"[0-9]{4,}")

Fields = Mapping[str, object]
"""What a gateway sent: the fields of its form or query (text), or the members of its JSON object (anything)."""


@dataclass(frozen=True, slots=True)
class Latest:
    """A step at a gateway that sends only what was typed last.

    `said` is what was dialled behind our code where the session is `new`. `request_id` is the gateway's own number
    of the step, the same when it sends the step again; "" where it has none.
    """

    provider: str
    session_id: str
    phone: Phone
    network: str
    said: str
    new: bool
    request_id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The gateway's word that a session is over. What was typed may stand in a notice too; it is never read."""

    session_id: str
    phone: Phone
    service_code: str
    network: str
    status: str
    error: str = ""
    duration_ms: int | None = None
    hops: int | None = None
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a lawful request: which fields are wrong or missing, never their values."""

    fields: tuple[str, ...]


class Wire(NamedTuple):
    """An answer as it goes back to the gateway, with status 200."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One gateway: where its fields stand, how to read them, and how to answer a session's step."""

    name: str
    fields_in: Literal["form", "json", "query"]
    read: Callable[[Fields], Turn | Latest | Ended | Malformed]
    write: Callable[[str, Answer], Wire]
    """Of the session's id and the answer."""
    read_end: Callable[[Fields], Ended | Malformed] | None = None
    """Where notices of a session's end go to an address of their own."""
    last_only: bool = False
    """Whether it sends what was typed last, and not all of a session."""


class Reader:
    """Reads fields one by one and remembers which were wrong, so that a refusal can name them all."""

    def __init__(self, given: Fields) -> None:
        self._given = given
        self._wrong: list[str] = []

    def matching(self, name: str, pattern: re.Pattern[str], default: str | None = None) -> str:
        """A field of a known form; `default` where it is missing, unless it must be there."""
        raw = self._text(name, default)
        if raw is None or (not pattern.match(raw) and raw != default):
            self._wrong.append(name)
            return ""
        return raw

    def phone(self, name: str) -> Phone:
        """Who calls. Gateways write numbers with the country in front, some without the plus."""
        raw = self._text(name, None)
        phone = caller(raw, settings().region) if raw is not None and len(raw) <= LONGEST else None
        if phone is None:
            self._wrong.append(name)
            return Phone("")
        return phone

    def typed(self, name: str, default: str | None = None) -> str:
        """What a person typed: any characters, but control characters, which no handset sends, become spaces."""
        raw = self._text(name, default)
        if raw is None or len(raw) > LONGEST_TEXT:
            self._wrong.append(name)
            return ""
        return CONTROL.sub(" ", raw)

    def number(self, name: str) -> int | None:
        """A whole number where there is a lawful one; a notice is not refused for want of it."""
        raw = self._text(name, None)
        return int(raw) if raw is not None and NUMBER.match(raw) else None

    def malformed(self) -> Malformed | None:
        """Whether anything was wrong so far."""
        return Malformed(tuple(self._wrong)) if self._wrong else None

    def _text(self, name: str, default: str | None) -> str | None:
        given = self._given.get(name)
        if isinstance(given, str):
            return given
        if isinstance(given, int) and not isinstance(given, bool):
            return str(given) if abs(given) < 10**30 else None
        return default if given is None else None


@lru_cache(maxsize=8192)
def caller(raw: str, region: str) -> Phone | None:
    """The number a gateway means. Kept for a while, since a session brings the same one at each step."""
    raw = raw.strip()
    abroad = None if raw.startswith(("+", "0")) else parse_phone("+" + raw, region)
    return abroad or parse_phone(raw, region)


def dialled_behind(code: str) -> tuple[str, ...] | None:
    """What was dialled behind our service code (*384*7*2*500# says 2, then 500). None where it is not our code."""
    return _behind(code, settings().service_code)


@lru_cache(maxsize=1024)
def _behind(code: str, own: str) -> tuple[str, ...] | None:
    stem, own = _stem(code), _stem(own)
    if stem == own:
        return ()
    return tuple(stem[len(own) + 1 :].split("*")) if stem.startswith(own + "*") else None


def our_code(code: str) -> str:
    """The service code to keep of one that was dialled: ours where it is ours.

    Of another only the first number is kept. What follows it may be anything that a person typed, a PIN included.
    """
    if dialled_behind(code) is not None:
        return settings().service_code
    first = FIRST_OF_CODE.search(code)
    return f"*{first.group()}#" if first else ""


def read_json(body: bytes) -> Fields:
    """The members of a JSON object; none where the body is anything else."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def without_numbers(text: str) -> str:
    """A gateway's remark without any longer number, for it may repeat what was typed."""
    return LONG_NUMBER.sub("****", text)


def _stem(code: str) -> str:
    """*384*7# and 384*7 are the same code."""
    return code.removesuffix("#").removeprefix("*")
