"""USSD sessions: the gateway asks the service with the whole input so far, and believes only `CON ` and `END `."""

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

from simulators import gsm, journal
from simulators.journal import Exchange, Journal
from simulators.later import Later
from simulators.phone_network.settings import Network, NetworkSettings

FORM = "application/x-www-form-urlencoded"
NO_CONNECTION = "Connection problem or invalid MMI code."
TIMED_OUT = "The session timed out."
METADATA = "at-ussd-hop-metadata"

Status = Literal["Success", "Incomplete", "Failed"]


@dataclass(frozen=True, slots=True)
class Screen:
    """What the handset shows after a hop; `mistake` says what the service did wrong, for the developer."""

    session: str
    text: str
    ends: bool
    septets: int | None = None
    limit: int = 0
    ms: float = 0.0
    mistake: str = ""


@dataclass(slots=True)
class Session:
    """One dialogue between a phone and the service."""

    id: str
    phone: str
    network: Network
    inputs: list[str]
    begun: float = field(default_factory=time.monotonic)
    hops: int = 0
    metadata: list[str] = field(default_factory=list)
    last_reply: str = ""
    ended: bool = False
    busy: threading.Lock = field(default_factory=threading.Lock)

    @property
    def text(self) -> str:
        """All inputs so far; a `*` that the subscriber typed is not escaped, as on the real gateway."""
        return "*".join(self.inputs)


class Ussd:
    """The gateway. One hop of a session at a time; safe to use from any thread."""

    def __init__(self, settings: NetworkSettings, log: Journal, later: Later) -> None:
        self._settings, self._log, self._later = settings, log, later
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def dial(self, phone: str, network: Network, code: str) -> Screen:
        """Open a session. What follows the service code is input already: `*384*7*2*500#` says 2, then 500."""
        inputs = self._inputs_of(code)
        if inputs is None:
            return Screen("", NO_CONNECTION, ends=True, mistake=f"{code} is not {self._settings.service_code}")
        session = Session(f"ATUid_{secrets.token_hex(16)}", phone, network, inputs)
        with self._lock:
            self._sessions[session.id] = session
        self._later.do(self._settings.session_s, lambda: self.end(session.id))
        with session.busy:
            return self._hop(session)

    def answer(self, session_id: str, said: str) -> Screen | None:
        """Send what the subscriber typed; None where no such session is waiting for an answer."""
        with self._lock:
            session = self._sessions.get(session_id)
        if session is None or not session.busy.acquire(blocking=False):
            return None
        try:
            if session.ended:
                return None
            session.inputs.append(said)
            return self._hop(session)
        finally:
            session.busy.release()

    def end(self, session_id: str) -> None:
        """The subscriber hung up or ran out of time."""
        with self._lock:
            session = self._sessions.get(session_id)
        if session is not None:
            self._end(session, "Incomplete")

    def clear(self) -> None:
        with self._lock:
            self._sessions.clear()

    def _inputs_of(self, code: str) -> list[str] | None:
        stem = self._settings.service_code.removesuffix("#")
        if code == f"{stem}#":
            return []
        if code.startswith(f"{stem}*") and code.endswith("#"):
            return code.removeprefix(f"{stem}*").removesuffix("#").split("*")
        return None

    def _hop(self, session: Session) -> Screen:
        asked = self._ask(session)
        session.hops += 1
        if session.ended:  # hung up while the service was thinking
            return Screen(session.id, TIMED_OUT, ends=True, ms=asked.ms)
        if not _understood(asked):
            self._end(session, "Failed", asked.note)
            return Screen(session.id, NO_CONNECTION, ends=True, ms=asked.ms, mistake=asked.note)
        text, ends = asked.reply[4:], asked.reply.startswith("END ")
        session.last_reply = asked.reply
        if ends:
            self._end(session, "Success")
        shown = gsm.fitted(text, session.network.screen)
        limit = session.network.screen if asked.septets is not None else gsm.USSD_UCS2_LIMIT
        return Screen(session.id, shown, ends, asked.septets, limit, asked.ms, asked.note)

    def _ask(self, session: Session) -> Exchange:
        form = {
            "sessionId": session.id,
            "phoneNumber": session.phone,
            "networkCode": session.network.code,
            "serviceCode": self._settings.service_code,
            "text": session.text,
        }
        sent = {METADATA: session.metadata[-1]} if session.metadata else {}
        asked = journal.post(
            self._log,
            f"USSD {session.text or 'dial'}",
            session.phone,
            self._settings.ussd_url,
            urlencode(form),
            FORM,
            self._settings.answer_within_s,
            sent,
            lambda exchange: _judge(exchange, session.network),
        )
        label = asked.reply_headers.get(METADATA)
        if label:
            session.metadata.append(label[:99])
        return asked

    def _end(self, session: Session, status: Status, error: str = "") -> None:
        with self._lock:
            if session.ended:
                return
            session.ended = True
            self._sessions.pop(session.id, None)
        url = self._settings.ussd_events_url
        if url:
            event = _event(session, self._settings.service_code, status, error)
            what, body, timeout_s = f"USSD end: {status}", urlencode(event), self._settings.answer_within_s
            self._later.do(0.1, lambda: journal.post(self._log, what, session.phone, url, body, FORM, timeout_s))


def _understood(asked: Exchange) -> bool:
    return asked.status == 200 and asked.reply.startswith(("CON ", "END "))


def _judge(asked: Exchange, network: Network) -> None:
    """Note what is wrong with an answer: the first three end the session, the last spoils the screen."""
    if asked.status is None:
        return
    if asked.status != 200:
        asked.note = f"HTTP {asked.status} instead of 200"
    elif not _understood(asked):
        asked.note = "the answer starts with neither 'CON ' nor 'END '"
    else:
        text = asked.reply[4:]
        asked.septets = gsm.septets(text)
        if gsm.fitted(text, network.screen) != text:
            limit = network.screen if asked.septets is not None else gsm.USSD_UCS2_LIMIT
            asked.note = f"cut off: the screen holds {limit}"


def _event(session: Session, service_code: str, status: Status, error: str) -> dict[str, str]:
    """The end-of-session event: every value is a string."""
    event = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "sessionId": session.id,
        "serviceCode": service_code,
        "networkCode": session.network.code,
        "phoneNumber": session.phone,
        "status": status,
        "cost": "KES 0.10",
        "durationInMillis": str(int((time.monotonic() - session.begun) * 1000)),
        "hopsCount": str(session.hops),
        "hopsMetadata": "|".join(session.metadata),
        "input": session.text,
        "lastAppResponse": session.last_reply,
    }
    return {**event, "errorMessage": error} if error else event
