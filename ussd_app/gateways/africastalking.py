"""Africa's Talking: a form with the whole input so far; answered by CON or END. Notices of the end come separately.

Sources: its documentation of USSD sessions and notifications, and captures of its sandbox (ATUid_ sessions): the five
fields sessionId, phoneNumber, networkCode, serviceCode and text, where text is empty at first and then all inputs
joined by `*`. The answer may carry a label of the step, of at most 99 characters and without `|`.
"""

import re
from functools import lru_cache

from ussd_app.gateways.dialect import (
    IDENTIFIER,
    Dialect,
    Ended,
    Fields,
    Malformed,
    Reader,
    Wire,
    dialled_behind,
    our_code,
    without_numbers,
)
from ussd_app.turn import Answer, Turn

NAME = "africastalking"
SERVICE_CODE = re.compile(r"\A\*[0-9*]{1,200}#\Z")
ANY_CODE = re.compile(r"\A[0-9*#]{0,200}\Z")
NETWORK = re.compile(r"\A[0-9]{0,10}\Z")
STATUS = re.compile(r"\A(Success|Incomplete|Failed)\Z")
LABEL_HEADER = "at-ussd-hop-metadata"
LONGEST_LABEL = 99
NAMES_OF_OURS = re.compile(r"\A[a-z]+(:[a-z_,]+)?\Z")


def read(fields: Fields) -> Turn | Malformed:
    """A step of a session."""
    given = Reader(fields)
    session_id, phone = given.matching("sessionId", IDENTIFIER), given.phone("phoneNumber")
    network, code = given.matching("networkCode", NETWORK, ""), given.matching("serviceCode", SERVICE_CODE)
    text = given.typed("text")
    return given.malformed() or Turn(NAME, session_id, phone, our_code(code), network, inputs_of(text, code))


def inputs_of(text: str, service_code: str) -> tuple[str, ...]:
    """What she typed, step by step. Digits dialled behind our code (*384*7*2*500#) are steps as well.

    Africa's Talking puts those into `text`; where they are left in the service code they are put in front.
    """
    typed = tuple(text.split("*")) if text else ()
    dialled = dialled_behind(service_code)
    return typed if not dialled or typed[: len(dialled)] == dialled else dialled + typed


def write(_session_id: str, answer: Answer) -> Wire:
    """CON keeps the session, END ends it. The label is the screen's name, for the gateway's own reports."""
    label = label_of(answer.screen)
    return Wire(answer.line.encode(), headers=((LABEL_HEADER, label),) if label else ())


@lru_cache(maxsize=1024)
def label_of(screen: str) -> str:
    """The name of a screen as a label ("choose:read,pay"), or "" where it is not surely our own words."""
    name = screen.replace("|", ",")[:LONGEST_LABEL].rstrip(",")
    return name if NAMES_OF_OURS.match(name) else ""


def read_end(fields: Fields) -> Ended | Malformed:
    """A notice of a session's end. `input` and `lastAppResponse` stand in it too and are left behind here."""
    given = Reader(fields)
    ended = Ended(
        session_id=given.matching("sessionId", IDENTIFIER),
        phone=given.phone("phoneNumber"),
        service_code=our_code(given.matching("serviceCode", ANY_CODE, "")),
        network=given.matching("networkCode", NETWORK, ""),
        status=given.matching("status", STATUS),
        error=without_numbers(given.typed("errorMessage", ""))[:300],
        duration_ms=given.number("durationInMillis"),
        hops=given.number("hopsCount"),
        cost=given.typed("cost", "")[:40],
    )
    return given.malformed() or ended


AFRICASTALKING = Dialect(NAME, "form", read, write, read_end)
