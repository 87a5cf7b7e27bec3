"""Airtel Money Collections: asks for a payment under an id of ours, and for what became of it. Knows no database.

Wire facts: the portal of Airtel Africa ("Collection", "Encryption", "Callback"), in the copies of several countries.
An ambiguous answer is enquired about, never sent under a new id. The callback carries no amount; its hash, where the
portal switches it on, is over the transaction as it was sent, and nobody says how that is written: so it is checked
over the raw bytes, a mismatch is noted, and the status decides in any case.
"""

import base64
import hashlib
import hmac
import json
import re
from typing import Any

import structlog

from core.config import Settings
from core.phone import Phone
from payments.forms import Unreadable, read_object
from payments.wallets.line import Heard, Line, Lost, NotAsked, TokenCall
from payments.wallets.numbers import is_mobile_of, receipt_number, without_country
from payments.wallets.protocol import (
    Accepted,
    Answer,
    Attempt,
    Busy,
    Cause,
    Claim,
    Facts,
    Failed,
    Missing,
    Outcome,
    Paid,
    Processing,
    Refund,
    Refused,
    Unknown,
)  # fmt: skip

log = structlog.get_logger("payments")
NAME = "airtel"
PAY, STATUS, REFUND = "/merchant/v1/payments/", "/standard/v1/payments/", "/standard/v1/payments/refund"
FACTS = Facts(
    resend_is_safe=True,  # transaction.id; the second time is answered with ESB000041
    callback_has_amount=False,
    callback_has_token=False,  # one address is registered in the portal
    needs_confirmation=True,
    status_is_final=True,
    refunds=True,
    most=150_000,
    patience_s=180,  # "at least three minutes after"
)
TOKEN_EARLY_S = 30  # of its 180
EXISTS = "ESB000041"
AMBIGUOUS = frozenset({"ROUTER117", "ESB000001", "ESB000004"})
UNDECIDED = frozenset({"1000", "1001", "1006"})
"""Endings of a response code: ambiguous, a success that is not one yet, in process."""
NOT_FOUND = "1025"
CAUSES: dict[str, Cause] = {
    "1002": "pin",
    "1003": "limit",
    "1005": "no_wallet",
    "1007": "funds",
    "1008": "cancelled",
    "1024": "silent",
    "1029": "silent",
    "TE": "silent",
}
"""Endings of a response code, DP0080000..., as most sources have them; two disagree, so they choose words only."""
CODE = re.compile(r"DP0080000(\d{4})\Z")


class Airtel:
    """One application of the Collections product, in one country."""

    name, label, facts = NAME, "Airtel Money", FACTS

    def __init__(self, line: Line, country: str, currency: str, hash_key: str) -> None:
        self._line, self._country, self._currency, self._hash_key = line, country, currency, hash_key
        self.shortcode = country
        self._headers = {"X-Country": country, "X-Currency": currency}

    def takes(self, phone: Phone) -> bool:
        return is_mobile_of(phone, self._country)

    def request(self, attempt: Attempt) -> Answer:
        """Sent again with the same id it is carried out once. The amount is a number, of whole units as all of ours."""
        place = {"country": self._country, "currency": self._currency}
        body = {
            "reference": f"Account {attempt.account_no}",
            "subscriber": {**place, "msisdn": without_country(attempt.phone)},
            "transaction": {**place, "amount": int(attempt.amount.major), "id": attempt.reference},
        }
        return _answer(self._line.call("POST", PAY, json=body, headers=self._headers))

    def status(self, attempt: Attempt) -> Outcome:
        return _outcome(self._line.call("GET", f"{STATUS}{attempt.reference}", headers=self._headers))

    def refund(self, refund: Refund) -> Answer:
        """The whole payment; Airtel knows it by its own id, so that a second request is refused there."""
        body = {"transaction": {"airtel_money_id": refund.receipt}}
        return _answer(self._line.call("POST", REFUND, json=body, headers=self._headers))

    def cause(self, code: str) -> Cause:
        return CAUSES.get(code, "other")

    def read_callback(self, body: bytes) -> Claim:
        said = read_object(body)
        transaction = said.get("transaction")
        if not isinstance(transaction, dict):
            raise Unreadable("wrong or missing: transaction")
        reference, state, receipt = (transaction.get(name) for name in ("id", "status_code", "airtel_money_id"))
        if not isinstance(reference, str) or not 1 <= len(reference) <= 100 or not reference.isprintable():
            raise Unreadable("wrong or missing: id")
        if state not in ("TS", "TF", "TE"):
            raise Unreadable("wrong or missing: status_code")
        if self._hash_key:
            self._check(body, said.get("hash"))
        return Claim(reference, state == "TS", receipt_number(receipt))

    def _check(self, body: bytes, given: object) -> None:
        """Note a hash that is not ours. It is no reason to refuse: how Airtel writes the transaction is not known."""
        expected = base64.b64encode(hmac.digest(self._hash_key.encode(), raw_transaction(body), hashlib.sha256))
        if not hmac.compare_digest(str(given or "").encode(), expected):
            log.warning("airtel.hash_differs", given=bool(given))


def configured(ours: Settings) -> Airtel | None:
    """Switched on by its client id."""
    if not ours.airtel_client_id:
        return None
    asked = {
        "client_id": ours.airtel_client_id,
        "client_secret": ours.airtel_client_secret,
        "grant_type": "client_credentials",
    }
    line = Line(ours.airtel_base_url, TokenCall("/auth/oauth2/token", TOKEN_EARLY_S, json=asked))
    return Airtel(line, ours.airtel_country or ours.region, ours.airtel_currency or ours.currency, ours.airtel_hash_key)


def raw_transaction(body: bytes) -> bytes:
    """The object `transaction` as it is written in the body, byte for byte; none where it cannot be made out."""
    text = body.decode("utf-8", "replace")
    begins = re.search(r'"transaction"\s*:\s*(?=\{)', text)
    if begins is None:
        return b""
    try:
        _read, ends = json.JSONDecoder().raw_decode(text, begins.end())
    except ValueError:
        return b""
    return text[begins.end() : ends].encode()


def _answer(heard: Heard) -> Answer:
    if isinstance(heard, NotAsked):
        return Refused(heard.code, heard.why)
    if isinstance(heard, Lost):
        return Unknown(heard.why)
    said = _status_of(heard.body)
    result, response = str(said.get("result_code", "")), _ending(said.get("response_code"))
    taken = heard.status == 200 and said.get("success") is True
    if taken or result == EXISTS:
        return Accepted()
    unclear = heard.status in (408, 429) or heard.status >= 500 or result in AMBIGUOUS or response in UNDECIDED
    if unclear or not (result or response):
        return Unknown(f"HTTP {heard.status} {result or response}".strip())
    return Refused(response or result, str(said.get("message", "")))


def _outcome(heard: Heard) -> Outcome:
    if isinstance(heard, NotAsked | Lost):
        return Busy() if isinstance(heard, NotAsked) and heard.code == "429" else Unknown(heard.why)
    if heard.status == 429:
        return Busy()
    said, transaction = _status_of(heard.body), _transaction(heard.body)
    state, message = str(transaction.get("status", "")), str(transaction.get("message", ""))
    response = _ending(said.get("response_code"))
    match state:
        case "TS":
            return Paid(message, receipt_number(transaction.get("airtel_money_id")))
        case "TF":
            return Failed(response or "TF", message)
        case "TE":
            return Failed("TE", message)
        case "TIP":
            return Processing()
        case "" if response == NOT_FOUND:
            return Missing()
    return Unknown(f"HTTP {heard.status} {state or said.get('result_code', '')}".strip())


def _status_of(body: dict[str, Any]) -> dict[str, Any]:
    said = body.get("status")
    return said if isinstance(said, dict) else {}


def _transaction(body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    transaction = data.get("transaction") if isinstance(data, dict) else None
    return transaction if isinstance(transaction, dict) else {}


def _ending(code: object) -> str:
    """ "1007" of "DP00800001007"; "" for anything else."""
    found = CODE.match(str(code or ""))
    return found[1] if found else ""
