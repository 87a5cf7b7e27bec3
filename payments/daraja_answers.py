"""What Daraja's answers mean. By what is said, never by a code alone: 500.001.1001 has four meanings.

What is not understood is unknown, and unknown is never asked for again.
"""

from dataclasses import dataclass
from typing import Any

from payments.mpesa_results import FAILED, LOCKED
from payments.wallets.line import Heard, Lost, NotAsked, Said, TokenCall
from payments.wallets.protocol import Accepted, Busy, Failed, Paid, Processing, Refused, Unknown

__all__ = ["FAILED", "Registered", "Taken"]

TOO_MANY = "429"
"""The code of what was refused for being asked too often."""
STALE = "404.001.03"
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
    if _too_many(heard):
        return Busy()
    code, words = str(heard.body.get("ResultCode", "")), str(heard.body.get("ResultDesc", ""))
    message = _message(heard).lower()
    if code == "4999" or any(sign in message for sign in UNDECIDED):
        return Processing()
    if heard.status == 200 and code == "0":
        return Paid(words)
    if heard.status == 200 and code in FAILED:
        return Failed(code, words)
    return Unknown(_in_short(heard) if _code(heard) else f"HTTP {heard.status} {code}".strip())


def registration_answer(heard: Heard) -> Registered | Refused | Unknown:
    """To be registered already is as good."""
    if not isinstance(heard, Said):
        return _unheard(heard)
    code = str(heard.body.get("ResponseCode", heard.body.get("ResponseStatus", "")))
    words = f"{_message(heard)} {heard.body.get('ResponseDescription', '')}".lower()
    if code == "1001" or any(sign in words for sign in REGISTERED):
        return Registered(before=True)
    if heard.status == 200 and code in ("0", "00000000", "1000"):
        return Registered(before=False)
    return _refused(heard)


def pull_answer(heard: Heard) -> list[dict[str, Any]] | Busy | Unknown:
    """Code 1000 is success, 1001 is none; the list of rows may be nested."""
    if not isinstance(heard, Said):
        return Busy() if isinstance(heard, NotAsked) and heard.code == TOO_MANY else Unknown(heard.why)
    if _too_many(heard):
        return Busy()
    if heard.status != 200 or str(heard.body.get("ResponseCode")) not in ("1000", "1001"):
        return Unknown(f"HTTP {heard.status} {_code(heard) or heard.body.get('ResponseCode', '')}".strip())
    return _rows(heard.body.get("Response"))


def operation_answer(heard: Heard) -> Taken | Refused | Unknown:
    """Taken means queued: what became of it is told later."""
    if not isinstance(heard, Said):
        return _unheard(heard)
    if heard.status == 200 and str(heard.body.get("ResponseCode")) == "0" and heard.body.get("ConversationID"):
        return Taken(str(heard.body["ConversationID"]), str(heard.body.get("OriginatorConversationID", "")))
    return _refused(heard)


def token_call(credentials: tuple[str, str]) -> TokenCall:
    """How Daraja gives out tokens ("Authorization"): for an hour; `expires_in` is a string in the wild."""
    return TokenCall(
        "/oauth/v1/generate", early_s=60, auth=credentials, method="GET", params={"grant_type": "client_credentials"},
        lives_s=3599,
    )  # fmt: skip


def stale_token(said: Said) -> bool:
    """An invalid token is answered with HTTP 404 and this code, and nothing was carried out then."""
    return _code(said) == STALE


def _code(said: Said) -> str:
    return str(said.body.get("errorCode", ""))


def _message(said: Said) -> str:
    return str(said.body.get("errorMessage", ""))


def _too_many(said: Said) -> bool:
    """Asked too often: refused at the gate, so nothing was carried out."""
    words = _message(said).lower()
    return said.status == 429 or "spike arrest" in words or "quota" in words


def _unheard(heard: NotAsked | Lost) -> Refused | Unknown:
    return Refused(heard.code, heard.why) if isinstance(heard, NotAsked) else Unknown(heard.why)


def _refused(said: Said) -> Refused | Unknown:
    """Refused where it is sure that nothing was begun."""
    if _too_many(said):
        return Refused(TOO_MANY, _message(said) or "too many requests")
    if LOCKED_WORDS in _message(said).lower():
        return Refused(LOCKED, _message(said))  # the code that a callback gives for the same
    is_ours = said.status in (400, 401, 403, 404, 405) and _code(said)
    if is_ours or any(sign in _message(said).lower() for sign in NOT_BEGUN):
        return Refused(_code(said), _message(said))
    return Unknown(_in_short(said))


def _in_short(said: Said) -> str:
    return f"HTTP {said.status} {_code(said)}".strip()


def _rows(said: Any) -> list[dict[str, Any]]:
    """The rows of a list that may be nested in another."""
    if isinstance(said, dict):
        return [said]
    return [row for part in said for row in _rows(part)] if isinstance(said, list) else []
