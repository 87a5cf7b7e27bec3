"""Safaricom's Daraja, product by product: what is asked, and in which fields. Knows no database.

Wire facts: Daraja 3.0, "M-Pesa Express", "Customer To Business", "Pull Transactions", "Transaction Status",
"Reversals", "Account Balance". What an answer means is in payments/daraja_answers.py.
"""

import base64
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.clock import now
from payments.daraja_answers import (
    FAILED,
    Registered,
    Taken,
    operation_answer,
    pull_answer,
    push_answer,
    query_answer,
    registration_answer,
    stale_token,
    token_call,
)
from payments.daraja_credential import Initiator
from payments.wallets.line import Line
from payments.wallets.protocol import Accepted, Busy, Failed, Paid, Processing, Refused, Unknown

__all__ = ["FAILED", "NAIROBI", "Daraja"]

NAIROBI = ZoneInfo("Africa/Nairobi")
LONGEST_ACCOUNT = 12
LONGEST_WHAT = 13
REMARKS = "Utility bill"
Asked = Accepted | Refused | Unknown
BY_SHORT_CODE = "4"
"""Kind of identifier: an organisation's short code. A reversal has a number of its own for the same thing."""


class Daraja:
    """One short code at Daraja. With a `till` it is paid by Buy Goods, else by PayBill. Safe for several threads."""

    def __init__(self, base_url: str, key: str, secret: str, shortcode: str, passkey: str, till: str = "") -> None:
        self._line = Line(base_url, token_call((key, secret)), stale=stale_token)
        self._shortcode, self._passkey, self._till = shortcode, passkey, till

    def stk_push(self, phone: str, amount: int, account: str, callback_url: str, what: str = "Bill payment") -> Asked:
        """Have `phone` (E.164) asked for its PIN to pay `amount` whole shillings to `account` (12 characters)."""
        msisdn = phone.lstrip("+")
        body = {
            **self._signed(),
            "TransactionType": "CustomerBuyGoodsOnline" if self._till else "CustomerPayBillOnline",
            "Amount": str(amount),
            "PartyA": msisdn,
            "PartyB": self._till or self._shortcode,
            "PhoneNumber": msisdn,
            "CallBackURL": callback_url,
            "AccountReference": account[:LONGEST_ACCOUNT],
            "TransactionDesc": what[:LONGEST_WHAT],
        }
        return push_answer(self._line.call("POST", "/mpesa/stkpush/v1/processrequest", json=body))

    def stk_query(self, checkout_request_id: str) -> Paid | Failed | Processing | Busy | Unknown:
        """What became of a push. "Still processing" has three shapes, none of which is a failure."""
        body = {**self._signed(), "CheckoutRequestID": checkout_request_id}
        return query_answer(self._line.call("POST", "/mpesa/stkpushquery/v1/query", json=body))

    def register_urls(self, validation: str, confirmation: str, *, completes: bool) -> Registered | Refused | Unknown:
        """Say where C2B payments are announced; `completes`: they go on where validation does not answer."""
        body = {
            "ShortCode": self._shortcode,
            "ResponseType": "Completed" if completes else "Cancelled",  # in sentence case, or it is refused
            "ConfirmationURL": confirmation,
            "ValidationURL": validation,
        }
        return registration_answer(self._line.call("POST", "/mpesa/c2b/v2/registerurl", json=body))

    def register_pull(self, number: str, callback_url: str) -> Registered | Refused | Unknown:
        """Switch on Pull Transactions for the short code, once; `number` is the nominated one, as 2547.."""
        body = {
            "ShortCode": self._shortcode,
            "RequestType": "Pull",
            "NominatedNumber": number.lstrip("+"),
            "CallBackURL": callback_url,
        }
        return registration_answer(self._line.call("POST", "/pulltransactions/v1/register", json=body))

    def pull(self, begins: datetime, ends: datetime, offset: int = 0) -> list[dict[str, Any]] | Busy | Unknown:
        """What the short code received between two moments (the last 48 h at most), from row `offset` on."""
        body = {
            "ShortCode": self._shortcode,
            "StartDate": begins.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S"),
            "EndDate": ends.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S"),
            "OffSetValue": str(offset),
        }
        return pull_answer(self._line.call("POST", "/pulltransactions/v1/query", json=body))

    def transaction_status(
        self, initiator: Initiator, receipt: str, result_url: str, timeout_url: str
    ) -> Taken | Asked:
        """Ask about a receipt; a CheckoutRequestID is not known to this product."""
        body = {
            "CommandID": "TransactionStatusQuery",
            "TransactionID": receipt,
            "PartyA": self._shortcode,
            "IdentifierType": BY_SHORT_CODE,
            "Occasion": "",
        }
        return self._operate("/mpesa/transactionstatus/v1/query", initiator, body, result_url, timeout_url)

    def reversal(
        self, initiator: Initiator, receipt: str, amount: int, result_url: str, timeout_url: str
    ) -> Taken | Asked:
        """Ask for `amount` whole shillings of a receipt to be given back."""
        body = {
            "CommandID": "TransactionReversal",
            "TransactionID": receipt,
            "Amount": str(amount),
            "ReceiverParty": self._shortcode,
            "RecieverIdentifierType": "11",  # misspelt as at Daraja
            "Occasion": "",
        }
        return self._operate("/mpesa/reversal/v1/request", initiator, body, result_url, timeout_url)

    def account_balance(self, initiator: Initiator, result_url: str, timeout_url: str) -> Taken | Asked:
        """Ask for the balances of the short code's accounts."""
        body = {"CommandID": "AccountBalance", "PartyA": self._shortcode, "IdentifierType": BY_SHORT_CODE}
        return self._operate("/mpesa/accountbalance/v1/query", initiator, body, result_url, timeout_url)

    def _operate(
        self, path: str, initiator: Initiator, body: dict[str, Any], result_url: str, timeout_url: str
    ) -> Taken | Asked:
        signed = {
            "Initiator": initiator.name,
            "SecurityCredential": initiator.credential(),
            "Remarks": REMARKS,
            "ResultURL": result_url,
            "QueueTimeOutURL": timeout_url,
        }
        return operation_answer(self._line.call("POST", path, json={**body, **signed}))

    def _signed(self) -> dict[str, Any]:
        """Short code, timestamp and password; the timestamp is computed once, for it is part of the password."""
        timestamp = now().astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")
        password = base64.b64encode(f"{self._shortcode}{self._passkey}{timestamp}".encode()).decode()
        return {"BusinessShortCode": self._shortcode, "Password": password, "Timestamp": timestamp}
