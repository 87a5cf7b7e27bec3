"""What Daraja's answers mean. By what is said, never by a code alone: 500.001.1001 has four meanings.

What is not understood is unknown, and unknown is never asked for again.
"""

from dataclasses import dataclass
from typing import Any

from payments.daraja_line import Lost, NotAsked, Said
from payments.mpesa_results import FAILED, LOCKED
from payments.wallets.protocol import Accepted, Busy, Failed, Paid, Processing, Refused, Unknown

__all__ = ["FAILED", "Registered", "Taken"]

Heard = Said | NotAsked | Lost
TOO_MANY = "429"
"""The code of what was refused for being asked too often."""
NOT_BEGUN = ("merchant does not exist", "wrong credentials", "system is busy")
LOCKED_WORDS = "unable to lock subscriber"
UNDECIDED = ("being processed", "under processing", "invalid checkoutrequestid")
"""Asked too early, a CheckoutRequestID is not known yet."""
REGISTERED = ("already registered", "already exists")


@dataclass(frozen=True, slots=True)
class Registered:
    """The addresses or the number are registered; `before`: they were already, and Daraja kept what it had."""

    before: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """An operation is queued; its result is sent to the result URL, under these names."""

    conversation_id: str
    originator_id: str


def push_answer(heard: Heard) -> Accepted | Refused | Unknown:
    """Accepted means that the prompt goes out, never that anything was paid."""
    if not isinstance(heard, Said):
        return _unheard(heard)
    body = heard.body
    if heard.status == 200 and str(body.get("ResponseCode")) == "0" and body.get("CheckoutRequestID"):
        return Accepted(str(body.get("MerchantRequestID", "")), str(body["CheckoutRequestID"]))
    return _refused(heard)


def query_answer(heard: Heard) -> Paid | Failed | Processing | Busy | Unknown:
    """ "Still processing" has three shapes: HTTP 500 with words, result 4999, HTTP 400 when asked too early."""
    if not isinstance(heard, Said):
        return Busy() if isinstance(heard, NotAsked) and heard.code == TOO_MANY else Unknown(heard.why)
    if heard.too_many:
        return Busy()
    code, words = str(heard.body.get("ResultCode", "")), str(heard.body.get("ResultDesc", ""))
    message = heard.message.lower()
    if code == "4999" or any(sign in message for sign in UNDECIDED):
        return Processing()
    if heard.status == 200 and code == "0":
        return Paid(words)
    if heard.status == 200 and code in FAILED:
        return Failed(code, words)
    return Unknown(_in_short(heard) if heard.code else f"HTTP {heard.status} {code}".strip())


def registration_answer(heard: Heard) -> Registered | Refused | Unknown:
    """To be registered already is as good."""
    if not isinstance(heard, Said):
        return _unheard(heard)
    code = str(heard.body.get("ResponseCode", heard.body.get("ResponseStatus", "")))
    words = f"{heard.message} {heard.body.get('ResponseDescription', '')}".lower()
    if code == "1001" or any(sign in words for sign in REGISTERED):
        return Registered(before=True)
    if heard.status == 200 and code in ("0", "00000000", "1000"):
        return Registered(before=False)
    return _refused(heard)


def pull_answer(heard: Heard) -> list[dict[str, Any]] | Busy | Unknown:
    """Code 1000 is success, 1001 is none; the list of rows may be nested."""
    if not isinstance(heard, Said):
        return Busy() if isinstance(heard, NotAsked) and heard.code == TOO_MANY else Unknown(heard.why)
    if heard.too_many:
        return Busy()
    if heard.status != 200 or str(heard.body.get("ResponseCode")) not in ("1000", "1001"):
        return Unknown(f"HTTP {heard.status} {heard.code or heard.body.get('ResponseCode', '')}".strip())
    return _rows(heard.body.get("Response"))


def operation_answer(heard: Heard) -> Taken | Refused | Unknown:
    """Taken means queued: what became of it is told later."""
    if not isinstance(heard, Said):
        return _unheard(heard)
    if heard.status == 200 and str(heard.body.get("ResponseCode")) == "0" and heard.body.get("ConversationID"):
        return Taken(str(heard.body["ConversationID"]), str(heard.body.get("OriginatorConversationID", "")))
    return _refused(heard)


def _unheard(heard: NotAsked | Lost) -> Refused | Unknown:
    return Refused(heard.code, heard.why) if isinstance(heard, NotAsked) else Unknown(heard.why)


def _refused(said: Said) -> Refused | Unknown:
    """Refused where it is sure that nothing was begun."""
    if said.too_many:
        return Refused(TOO_MANY, said.message or "too many requests")
    if LOCKED_WORDS in said.message.lower():
        return Refused(LOCKED, said.message)  # the code that a callback gives for the same
    is_ours = said.status in (400, 401, 403, 404, 405) and said.code
    if is_ours or any(sign in said.message.lower() for sign in NOT_BEGUN):
        return Refused(said.code, said.message)
    return Unknown(_in_short(said))


def _in_short(said: Said) -> str:
    return f"HTTP {said.status} {said.code}".strip()


def _rows(said: Any) -> list[dict[str, Any]]:
    """The rows of a list that may be nested in another."""
    if isinstance(said, dict):
        return [said]
    return [row for part in said for row in _rows(part)] if isinstance(said, list) else []
