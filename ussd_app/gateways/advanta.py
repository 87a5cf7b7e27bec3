"""Advanta (Kenya): a GET with the whole input so far, the service code included; answered by CON or END.

Source: the USSD guide of its API documentation (advantasms.com): SESSIONID, USSDCODE (`*415#`), MSISDN and INPUT
("keeps appending to the initial input", `*415*33*1#`). On a shared code the extension is the first input. Advanta
sends the same fields by POST where that is asked for, and has no notice of a session's end.
"""

from ussd_app.gateways.dialect import (
    CODE,
    IDENTIFIER,
    Dialect,
    Fields,
    Malformed,
    Reader,
    Wire,
    dialled_behind,
    our_code,
)
from ussd_app.turn import Answer, Turn

NAME = "advanta"


def read(fields: Fields) -> Turn | Malformed:
    """A step of a session."""
    given = Reader(fields)
    session_id, phone = given.matching("SESSIONID", IDENTIFIER), given.phone("MSISDN")
    code, text = given.matching("USSDCODE", CODE), given.typed("INPUT")
    if malformed := given.malformed():
        return malformed
    dialled = _dialled(code, text)
    inputs = dialled_behind(dialled)
    # A code that is not ours is a mistake in the gateway's settings; what was typed behind it still is.
    typed = inputs if inputs is not None else _after(code, dialled)
    return Turn(NAME, session_id, phone, our_code(dialled), "", typed)


def write(_session_id: str, answer: Answer) -> Wire:
    """CON keeps the session, END ends it. A GET must not be answered from a cache on the way."""
    return Wire(answer.line.encode(), headers=(("Cache-Control", "no-store"),))


def _dialled(code: str, text: str) -> str:
    """The whole input with the code in front. INPUT is written so, but is empty at some first steps."""
    stem = code.removesuffix("#")
    if text.removesuffix("#") == stem or text.startswith(stem + "*"):
        return text
    return f"{stem}*{text}#" if text else code


def _after(code: str, dialled: str) -> tuple[str, ...]:
    """What follows the gateway's own code in the whole input."""
    rest = dialled.removesuffix("#").removeprefix(code.removesuffix("#")).removeprefix("*")
    return tuple(rest.split("*")) if rest else ()


ADVANTA = Dialect(NAME, "query", read, write)
