"""MTN MoMo Collections: asks for a payment under an id of ours, and for what became of it. Knows no database.

Wire facts: MTN's developer portal ("Collection", "Callback") and its community's best practices; what was measured
at its sandbox and production and is not documented is marked so. Callbacks come once, unsigned, by PUT or POST.
"""

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from core.config import Settings
from core.money import Money
from core.phone import Phone
from payments.forms import Unreadable, exact, read_object
from payments.wallets.line import Heard, Line, Lost, NotAsked, Said, TokenCall
from payments.wallets.numbers import is_mobile_of, receipt_number
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

NAME = "mtn"
PAY = "/collection/v1_0/requesttopay"
FACTS = Facts(
    resend_is_safe=True,  # X-Reference-Id; the second time is answered with 409
    callback_has_amount=True,
    callback_has_token=True,
    needs_confirmation=True,
    status_is_final=True,
    refunds=False,  # Collections has none: they are made from the disbursement account
    most=5_000_000,
    patience_s=60,
    pace_s=0.1,  # the status may be asked for ten times a second
)
TOKEN_EARLY_S = 600  # as the portal advises
UNDECIDED = ("PENDING", "CREATED", "ONGOING")  # CREATED was seen live and is not documented
ENDED = ("FAILED", "REJECTED", "TIMEOUT")
NOT_BEGUN = frozenset({
    "PAYER_NOT_FOUND", "PAYEE_NOT_FOUND", "PAYEE_NOT_ALLOWED_TO_RECEIVE", "NOT_ALLOWED",
    "NOT_ALLOWED_TARGET_ENVIRONMENT", "INVALID_CURRENCY",
})  # fmt: skip
"""Reasons that say at once, even with HTTP 500, that nothing was begun."""
WRONG_HOST = "INVALID_CALLBACK_URL_HOST"
CAUSES: dict[str, Cause] = {
    "INTERNAL_PROCESSING_ERROR": "funds",  # measured: mostly too little money
    "NOT_ENOUGH_FUNDS": "funds",
    "LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED": "funds",
    "APPROVAL_REJECTED": "cancelled",
    "REJECTED": "cancelled",
    "EXPIRED": "silent",
    "TIMEOUT": "silent",
    "COULD_NOT_PERFORM_TRANSACTION": "silent",  # not approved within five minutes
    "PAYER_DELAYED": "silent",
    "PAYER_LIMIT_REACHED": "limit",
    "PAYER_NOT_FOUND": "no_wallet",
    "ONGOING": "busy",
}


class Mtn:
    """One API user of the Collections product, in one country ("target environment")."""

    name, label, facts = NAME, "MTN MoMo", FACTS

    def __init__(self, line: Line, subscription_key: str, environment: str, currency: str, region: str) -> None:
        self._line, self._currency, self._region = line, currency, region
        self.shortcode = environment
        self._headers = {"X-Target-Environment": environment, "Ocp-Apim-Subscription-Key": subscription_key}

    def takes(self, phone: Phone) -> bool:
        return is_mobile_of(phone, self._region)

    def request(self, attempt: Attempt) -> Answer:
        """Sent again with the same reference it is carried out once; `externalId` brings that back in the callback."""
        headers = {**self._headers, "X-Reference-Id": attempt.reference}
        body = {
            "amount": _plain(attempt.amount),
            "currency": self._currency,
            "externalId": attempt.reference,
            "payer": {"partyIdType": "MSISDN", "partyId": attempt.phone.lstrip("+")},
            "payerMessage": f"Account {attempt.account_no}",
            "payeeNote": f"Account {attempt.account_no}",
        }
        heard = self._line.call("POST", PAY, json=body, headers={**headers, "X-Callback-Url": attempt.callback_url})
        if isinstance(heard, Said) and _code(heard.body) == WRONG_HOST:
            # Nothing was begun. Without a callback it is accepted, and the status tells us what the callback would.
            heard = self._line.call("POST", PAY, json=body, headers=headers)
        return _answer(heard)

    def status(self, attempt: Attempt) -> Outcome:
        return self._outcome(self._line.call("GET", f"{PAY}/{attempt.reference}", headers=self._headers))

    def _outcome(self, heard: Heard) -> Outcome:
        if isinstance(heard, NotAsked | Lost):
            return Busy() if isinstance(heard, NotAsked) and heard.code == "429" else Unknown(heard.why)
        if heard.status == 429:
            return Busy()
        if heard.status == 404 and _code(heard.body) == "RESOURCE_NOT_FOUND":
            return Missing()
        state = str(heard.body.get("status", "")).upper()
        if heard.status == 200 and state == "SUCCESSFUL":
            return self._paid(heard.body)
        if heard.status == 200 and state in ENDED:
            reason = _reason(heard.body)
            return Failed(reason or state, reason or state)
        if heard.status == 200 and state in UNDECIDED:
            return Processing()
        return Unknown(f"HTTP {heard.status} {_code(heard.body) or state}".strip())

    def _paid(self, body: dict[str, Any]) -> Outcome:
        """The amount comes back in its shortest form: "12.50" as "12.5"."""
        if str(body.get("currency", "")) != self._currency:
            return Unknown("paid in another currency")
        try:
            amount = exact(str(body.get("amount")))
        except ValidationError:
            return Unknown("paid, without an amount")
        return Paid("", receipt_number(body.get("financialTransactionId")), amount)

    def refund(self, refund: Refund) -> Answer:
        return Refused("refund", "MTN gives nothing back through Collections")

    def cause(self, code: str) -> Cause:
        return CAUSES.get(code, "other")

    def read_callback(self, body: bytes) -> Claim:
        """The body is that of a status."""
        said = read_object(body)
        state, reference = str(said.get("status", "")).upper(), said.get("externalId")
        if not isinstance(reference, str) or not 1 <= len(reference) <= 100 or not reference.isprintable():
            raise Unreadable("wrong or missing: externalId")
        if state not in ("SUCCESSFUL", *ENDED, *UNDECIDED):
            raise Unreadable("wrong or missing: status")
        receipt = receipt_number(said.get("financialTransactionId"))
        return Claim(reference, state == "SUCCESSFUL", receipt, _amount(said.get("amount")))


def configured(ours: Settings) -> Mtn | None:
    """Switched on by its API user."""
    if not ours.mtn_api_user:
        return None
    subscription = {"Ocp-Apim-Subscription-Key": ours.mtn_subscription_key}
    token = TokenCall("/collection/token/", TOKEN_EARLY_S, (ours.mtn_api_user, ours.mtn_api_key), headers=subscription)
    line = Line(ours.mtn_base_url, token)
    currency = ours.mtn_currency or ours.currency
    return Mtn(line, ours.mtn_subscription_key, ours.mtn_target_environment, currency, ours.region)


def _answer(heard: Heard) -> Answer:
    if isinstance(heard, NotAsked):
        return Refused(heard.code, heard.why)
    if isinstance(heard, Lost):
        return Unknown(heard.why)
    code = _code(heard.body)
    if heard.status in (202, 409):
        return Accepted()
    if heard.status in (400, 401, 403, 404) or code in NOT_BEGUN:
        return Refused(code or f"HTTP {heard.status}", str(heard.body.get("message", "")))
    return Unknown(f"HTTP {heard.status} {code}".strip())


def _reason(body: dict[str, Any]) -> str:
    """A word, or an object with a code."""
    reason = body.get("reason")
    return str(reason.get("code", "")) if isinstance(reason, dict) else str(reason or "")


def _code(body: dict[str, Any]) -> str:
    return str(body.get("code", ""))


def _amount(said: object) -> Decimal | None:
    try:
        return exact(str(said)) if said is not None else None
    except ValidationError:
        raise Unreadable("wrong or missing: amount") from None


def _plain(amount: Money) -> str:
    """ "500" and "12.5": whole where it is whole, and never with an exponent."""
    whole = amount.major.to_integral_value()
    return str(whole) if whole == amount.major else f"{amount.major.normalize():f}"
