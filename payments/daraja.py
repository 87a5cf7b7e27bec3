"""Safaricom's Daraja: ask for a PIN prompt, and ask what became of it. Knows no database.

Wire facts: Daraja 3.0, "M-Pesa Express Simulate" and "M-Pesa Express Query". An answer of the first only says that
the request was taken; what was paid is said later, in the callback.
"""

import base64
import threading
from datetime import datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import requests

from core.clock import now
from payments.wallets.protocol import Accepted, Failed, Paid, Processing, Refused, Unknown

NAIROBI = ZoneInfo("Africa/Nairobi")
TIMEOUT_S = (3.05, 20)
EARLY_S = 60
"""A token is renewed this long before it ends."""
NOT_SENT = (
    "unable to lock subscriber",
    "merchant does not exist",
    "wrong credentials",
    "spike arrest",
    "system is busy",
    "quota",
)
"""What errorMessage says when nothing was begun; the codes alone have several meanings (500.001.1001 has four)."""
FAILED = frozenset(
    {"1", "2", "3", "4", "8", "17", "26", "1001", "1019", "1025", "1032", "1037", "2001", "2028", "8006"}
)
"""Result codes that say for sure that this request moved no money; any other code is not an answer."""


class Daraja:
    """One PayBill's app at Daraja. Safe to use from several threads."""

    def __init__(self, base_url: str, key: str, secret: str, shortcode: str, passkey: str) -> None:
        self._base, self._shortcode, self._passkey = base_url.rstrip("/"), shortcode, passkey
        self._credentials = (key, secret)
        self._http = requests.Session()
        self._lock = threading.Lock()
        self._token, self._token_ends = "", 0.0

    def stk_push(
        self, phone: str, amount: int, account: str, callback_url: str, what: str = "Bill payment"
    ) -> Accepted | Refused | Unknown:
        """Have `phone` (E.164) asked for its PIN to pay `amount` whole shillings to `account` (12 characters)."""
        msisdn = phone.lstrip("+")
        body = {
            **self._signed(),
            "TransactionType": "CustomerPayBillOnline",
            "Amount": str(amount),
            "PartyA": msisdn,
            "PartyB": self._shortcode,
            "PhoneNumber": msisdn,
            "CallBackURL": callback_url,
            "AccountReference": account[:12],
            "TransactionDesc": what[:13],
        }
        try:
            answer = self._post("/mpesa/stkpush/v1/processrequest", body)
        except _NoToken as error:
            return Refused("token", str(error))
        except requests.ConnectionError as error:
            # Only where no connection was made is it sure that nothing was sent.
            refused = "Connection refused" in str(error) or "Failed to establish" in str(error)
            return Refused("unreachable", "no connection") if refused else Unknown(type(error).__name__)
        except requests.RequestException as error:
            return Unknown(type(error).__name__)
        return _push_answer(answer.status_code, _json(answer))

    def stk_query(self, checkout_request_id: str) -> Paid | Failed | Processing | Unknown:
        """What became of a push. "Still processing" has three shapes, none of which is a failure."""
        body = {**self._signed(), "CheckoutRequestID": checkout_request_id}
        try:
            answer = self._post("/mpesa/stkpushquery/v1/query", body)
        except (_NoToken, requests.RequestException) as error:
            return Unknown(type(error).__name__)
        said = _json(answer)
        code = str(said.get("ResultCode", ""))
        if answer.status_code == 200 and code == "0":
            return Paid(str(said.get("ResultDesc", "")))
        if answer.status_code == 200 and code in FAILED:
            return Failed(code, str(said.get("ResultDesc", "")))
        message = str(said.get("errorMessage", "")).lower()
        if code == "4999" or "being processed" in message or "invalid checkoutrequestid" in message:
            return Processing()
        return Unknown(f"HTTP {answer.status_code} {said.get('errorCode', code)}")

    def pull(self, begins: datetime, ends: datetime, offset: int = 0) -> list[dict[str, Any]] | Unknown:
        """What the PayBill received between two moments (the last 48 h at most), from row `offset` on.

        Daraja 3.0, "Pull Transactions": code 1000 is success, 1001 is none; the list of rows may be nested.
        """
        body = {
            "ShortCode": self._shortcode,
            "StartDate": begins.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S"),
            "EndDate": ends.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S"),
            "OffSetValue": str(offset),
        }
        try:
            answer = self._post("/pulltransactions/v1/query", body)
        except (_NoToken, requests.RequestException) as error:
            return Unknown(type(error).__name__)
        said = _json(answer)
        if answer.status_code != 200 or str(said.get("ResponseCode")) not in ("1000", "1001"):
            return Unknown(f"HTTP {answer.status_code} {said.get('errorCode', said.get('ResponseCode', ''))}")
        return _rows(said.get("Response"))

    def _signed(self) -> dict[str, Any]:
        """Short code, timestamp and password; the timestamp is computed once, for it is part of the password."""
        timestamp = now().astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")
        password = base64.b64encode(f"{self._shortcode}{self._passkey}{timestamp}".encode()).decode()
        return {"BusinessShortCode": self._shortcode, "Password": password, "Timestamp": timestamp}

    def _post(self, path: str, body: dict[str, Any]) -> requests.Response:
        """Post with a token; with a fresh one once more where Daraja says that the token was not valid."""
        for fresh in (False, True):
            headers = {"Authorization": f"Bearer {self._bearer(fresh)}"}
            # A redirect is not followed: it would post the same push twice, or its password to somebody else.
            answer = self._http.post(
                self._base + path, json=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
            if _json(answer).get("errorCode") != "404.001.03":
                break
        return answer

    def _bearer(self, fresh: bool) -> str:
        with self._lock:
            if fresh or monotonic() > self._token_ends - EARLY_S:
                self._token, self._token_ends = self._new_token()
            return self._token

    def _new_token(self) -> tuple[str, float]:
        try:
            answer = self._http.get(
                f"{self._base}/oauth/v1/generate",
                params={"grant_type": "client_credentials"},
                auth=self._credentials,
                timeout=TIMEOUT_S,
            )
        except requests.RequestException as error:
            raise _NoToken(f"no token: {type(error).__name__}") from None
        said = _json(answer)
        if answer.status_code != 200 or "access_token" not in said:
            raise _NoToken(f"no token: HTTP {answer.status_code} {said.get('errorCode', '')}")
        return str(said["access_token"]), monotonic() + float(str(said.get("expires_in", "3599")))


class _NoToken(Exception):
    """Daraja gave no token, so nothing was asked of it."""


def _push_answer(status: int, said: dict[str, Any]) -> Accepted | Refused | Unknown:
    """Classify by what is said, not by the code alone; what is not understood is unknown."""
    if status == 200 and str(said.get("ResponseCode")) == "0" and said.get("CheckoutRequestID"):
        return Accepted(str(said.get("MerchantRequestID", "")), str(said["CheckoutRequestID"]))
    code, message = str(said.get("errorCode", "")), str(said.get("errorMessage", ""))
    if (status in (400, 401, 403, 404, 405) and code) or any(words in message.lower() for words in NOT_SENT):
        return Refused(code, message)
    if status == 429:
        return Refused("429", "too many requests")
    return Unknown(f"HTTP {status} {code}".strip())


def _rows(said: Any) -> list[dict[str, Any]]:
    """The rows of a list that may be nested in another."""
    if isinstance(said, dict):
        return [said]
    return [row for part in said for row in _rows(part)] if isinstance(said, list) else []


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
