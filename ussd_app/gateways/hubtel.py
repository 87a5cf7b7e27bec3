"""Hubtel (Ghana): JSON with only what was typed last; answered in JSON. A session's end is one more such request.

Source: the API reference of its Programmable Services (developers.hubtel.com): SessionId, Mobile, ServiceCode, Type
(Initiation, Response, Release, Timeout, in either case), Message, Operator, Sequence and ClientState. The Message of
an Initiation is what was dialled, such as `*714*5*3*100#`. Sequence is the place of the request in its session,
so a request that is sent again has the same.
"""

import json
import re

from ussd_app.gateways.dialect import (
    CODE,
    IDENTIFIER,
    Dialect,
    Ended,
    Fields,
    Latest,
    Malformed,
    Reader,
    Wire,
    dialled_behind,
    our_code,
)
from ussd_app.turn import Answer

NAME = "hubtel"
TYPE = re.compile(r"\A(initiation|response|release|timeout)\Z", re.IGNORECASE)
OPERATOR = re.compile(r"\A[A-Za-z0-9 ._-]{0,20}\Z")
SEQUENCE = re.compile(r"\A[0-9]{0,9}\Z", re.ASCII)


def read(fields: Fields) -> Latest | Ended | Malformed:
    """A step of a session, or the notice of its end. What was typed may stand in a notice's Message: it is not read."""
    given = Reader(fields)
    kind = given.matching("Type", TYPE).lower()
    session_id, phone = given.matching("SessionId", IDENTIFIER), given.phone("Mobile")
    network = given.matching("Operator", OPERATOR, "").lower()
    code = given.matching("ServiceCode", CODE, "")
    if kind in ("release", "timeout"):
        return given.malformed() or Ended(session_id, phone, our_code(code), network, kind.capitalize())
    message, sequence = given.typed("Message"), given.matching("Sequence", SEQUENCE, "")
    new = kind == "initiation"
    said = _dialled(message, code) if new else message
    return given.malformed() or Latest(NAME, session_id, phone, network, said, new, sequence)


def write(session_id: str, answer: Answer) -> Wire:
    """Response keeps the session, Release ends it. Label, DataType and FieldType are for Hubtel's app and web shop."""
    told = {
        "SessionId": session_id,
        "Type": "Release" if answer.ends else "Response",
        "Message": answer.text,
        "Label": "",
        "ClientState": "",
        "DataType": "display" if answer.ends else "input",
        "FieldType": "text",
    }
    return Wire(json.dumps(told, ensure_ascii=False).encode(), "application/json; charset=utf-8")


def _dialled(message: str, code: str) -> str:
    """The inputs dialled behind our code, joined by `*`; "" where only the code was dialled, or another."""
    behind = dialled_behind(message)
    return "*".join(behind if behind is not None else dialled_behind(code) or ())


HUBTEL = Dialect(NAME, "json", read, write, last_only=True)
