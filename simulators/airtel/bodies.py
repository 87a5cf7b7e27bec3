"""What Airtel says: its envelope, the transaction of a status, and the callback with its hash."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime

from simulators.airtel.settings import AirtelSettings
from simulators.momo.provider import Callback, Provider, Wire
from simulators.momo.requests import Ending, Request

OK = ("200", "SUCCESS", "ESB000010", "1006", True)
CODES: dict[Ending, tuple[str, str]] = {
    "paid": ("1001", "Transaction Successful"),
    "wrong_pin": ("1002", "Incorrect Pin"),
    "over_limit": ("1003", "Exceeds withdrawal amount limit(s)"),
    "no_funds": ("1007", "Not enough balance"),
    "cancelled": ("1008", "Transaction refused by the subscriber"),
    "expired": ("1029", "Transaction expired"),
    "refused": ("1025", "Transaction not found"),
}
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def receipt(moment: datetime) -> str:
    """As in MP210603.1234.L06941: the day, the minute, then chance."""
    letter = LETTERS[secrets.randbelow(len(LETTERS))]
    return f"MP{moment:%y%m%d}.{moment:%H%M}.{letter}{secrets.randbelow(10**8):08d}"


def envelope(
    code: str, message: str, result: str, response: str, success: bool, transaction: dict[str, object] | None = None
) -> dict[str, object]:
    """An answer; `response` is the ending of the response code."""
    status = {
        "code": code,
        "message": message,
        "result_code": result,
        "response_code": f"DP0080000{response}",
        "success": success,
    }
    return {"data": {"transaction": transaction}, "status": status} if transaction else {"status": status}


def status_of(request: Request, *, vague: bool) -> dict[str, object]:
    """What became of a request; `vague` says ambiguous (TA) where in progress (TIP) is meant."""
    ask, ending = request.ask, request.ending
    transaction: dict[str, object] = {"id": ask.reference, "message": "In process"}
    if ending is None:
        transaction["status"] = "TA" if vague else "TIP"
        return envelope("200", "SUCCESS", "ESB000010", "1000" if vague else "1006", True, transaction)
    code, words = CODES[ending]
    transaction |= {"message": words, "status": {"paid": "TS", "expired": "TE"}.get(ending, "TF")}
    if request.payment:
        transaction["airtel_money_id"] = request.payment.receipt
    return envelope("200", "SUCCESS", "ESB000010", code, True, transaction)


def wire(settings: AirtelSettings) -> Wire:
    """Airtel's wire: callbacks to the one address of the portal, without an amount, signed where there is a key."""

    def notice(provider: Provider, request: Request, ending: Ending, _wrong_by: int) -> Callback | None:
        if not settings.callback_url:
            return None
        transaction: dict[str, object] = {"id": request.ask.reference, "message": CODES[ending][1]}
        transaction["status_code"] = "TS" if ending == "paid" else "TF"
        if ending == "paid" and request.payment:
            transaction["airtel_money_id"] = request.payment.receipt
        body: dict[str, object] = {"transaction": transaction}
        if settings.hash_key:
            key = "wrong" if provider.faults.strikes("wrong_hash", request.about) else settings.hash_key
            signed = hmac.digest(key.encode(), json.dumps(transaction).encode(), hashlib.sha256)
            body["hash"] = base64.b64encode(signed).decode()
        return Callback("POST", settings.callback_url, json.dumps(body))

    return Wire("Airtel", "Airtel Money", receipt, notice)
