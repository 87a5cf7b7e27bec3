"""What MTN says of a request, in a status and in its callback: the two are the same."""

import json
import secrets
import threading
from datetime import datetime
from decimal import Decimal

from simulators.momo.provider import Callback, Provider, Wire
from simulators.momo.requests import Ending, Request

REASONS: dict[Ending, str] = {
    "cancelled": "APPROVAL_REJECTED",
    "wrong_pin": "INTERNAL_PROCESSING_ERROR",
    "no_funds": "NOT_ENOUGH_FUNDS",
    "expired": "COULD_NOT_PERFORM_TRANSACTION",
    "over_limit": "PAYER_LIMIT_REACHED",
    "refused": "PAYER_NOT_FOUND",
}
_numbers = threading.Lock()
_given: set[str] = set()


def receipt(_moment: datetime) -> str:
    """Ten digits, never given before."""
    with _numbers:
        while True:
            number = str(secrets.randbelow(9 * 10**9) + 10**9)
            if number not in _given:
                _given.add(number)
                return number


def told(
    provider: Provider, request: Request, ending: Ending | None, vague: bool = False, wrong_by: int = 0
) -> dict[str, object]:
    """The body; `vague` says CREATED where PENDING is meant. The amount comes in its shortest form, "12.5"."""
    ask = request.ask
    body: dict[str, object] = {
        "amount": f"{_shortest(ask.amount + wrong_by):f}",
        "currency": provider.settings.currency,
        "externalId": ask.label,
        "payer": {"partyIdType": "MSISDN", "partyId": ask.phone},
        "payerMessage": ask.account,
        "payeeNote": ask.account,
    }
    if ending is None:
        return {**body, "status": "CREATED" if vague else "PENDING"}
    if ending == "paid" and request.payment:
        return {**body, "financialTransactionId": request.payment.receipt, "status": "SUCCESSFUL"}
    return {**body, "status": "FAILED", "reason": REASONS.get(ending, "INTERNAL_PROCESSING_ERROR")}


def callback(method: str) -> Wire:
    """MTN's wire; callbacks are sent by `method`."""

    def notice(provider: Provider, request: Request, ending: Ending, wrong_by: int) -> Callback | None:
        if not request.ask.callback_url:
            return None
        body = json.dumps(told(provider, request, ending, wrong_by=wrong_by))
        return Callback(method, request.ask.callback_url, body)

    return Wire("MTN", "MTN MoMo", receipt, notice)


def _shortest(amount: Decimal) -> Decimal:
    return amount.normalize()
