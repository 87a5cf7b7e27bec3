"""M-Pesa as a test holds it in its hand: wallets with a book of their own, and every letter it sends held back.

It answers over real HTTP and does nothing by itself: who pays, what is said and what is lost, the test decides.
"""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from core.clock import now

NAIROBI = ZoneInfo("Africa/Nairobi")
LOST = object()
"""An answer that never arrives, although what was asked is done."""
FORGED = "ZZZ"
"""How receipts begin that no M-Pesa has given out."""
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Payment:
    """Money that really moved: whole shillings from `phone` (2547..) to `account`, as the payer typed it."""

    receipt: str
    phone: str
    amount: int
    account: str
    at: datetime
    checkout: str | None = None


@dataclass
class Prompt:
    """A push that was taken. `said` is the result code of what the callback said last."""

    checkout: str
    phone: str
    amount: int
    account: str
    url: str
    said: int | None = None
    payment: Payment | None = None


@dataclass(frozen=True)
class Letter:
    """A callback that is ready to be delivered: where to, and its bytes."""

    path: str
    body: dict[str, Any]

    @property
    def raw(self) -> bytes:
        return json.dumps(self.body).encode()


@dataclass
class Safaricom:
    """`how` is what the next push meets: taken, lost, busy, unclear. `shape` is how a query says "not yet"."""

    shortcode: str
    prompts: list[Prompt] = field(default_factory=list)
    book: list[Payment] = field(default_factory=list)
    how: str = "taken"
    shape: str = "500"
    lies: bool = False
    numbers: count = field(default_factory=lambda: count(1))  # type: ignore[type-arg]

    def stk_push(self, body: dict[str, Any]) -> Answer | object:
        if self.how == "busy":
            return _error(500, "500.001.1001", "Unable to lock subscriber, a transaction is already in process")
        if self.how == "unclear":
            return _error(500, "500.003.1001", "Internal Server Error")
        checkout = f"ws_CO_{next(self.numbers):010}"
        self.prompts.append(
            Prompt(checkout, body["PhoneNumber"], int(body["Amount"]), body["AccountReference"], body["CallBackURL"])
        )
        if self.how == "lost":
            return LOST
        return 200, {"MerchantRequestID": f"m-{checkout}", "CheckoutRequestID": checkout, "ResponseCode": "0"}

    def stk_query(self, body: dict[str, Any]) -> Answer:
        prompt = next(one for one in self.prompts if one.checkout == body["CheckoutRequestID"])
        said = 1032 if self.lies else 0 if prompt.payment else prompt.said
        if said is None and self.shape == "500":
            return _error(500, "500.001.1001", "The transaction is being processed")
        if said is None and self.shape == "400":
            return _error(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")
        return 200, {"ResponseCode": "0", "ResultCode": "4999" if said is None else str(said), "ResultDesc": "-"}

    def pull(self, body: dict[str, Any]) -> Answer:
        begins, ends = (_moment(body[name]) for name in ("StartDate", "EndDate"))
        skipped = int(body["OffSetValue"])
        rows = [
            {
                "transactionId": paid.receipt, "trxDate": f"{paid.at.astimezone(NAIROBI):%Y-%m-%dT%H:%M:%SZ}",
                "msisdn": paid.phone, "sender": "MPESA", "transactiontype": "c2b-pay-bill-debit",
                "billreference": paid.account, "amount": f"{paid.amount}.0", "organizationname": "-",
            }
            for paid in self.book
            if begins <= paid.at.replace(microsecond=0) <= ends
        ]  # fmt: skip
        page = rows[skipped : skipped + 100]
        return 200, {"ResponseRefID": "1", "ResponseCode": "1000" if page else "1001", "Response": [page]}

    def pays(self, prompt: Prompt) -> Letter:
        """The customer types her PIN; the money moves."""
        prompt.said, prompt.payment = 0, self._moved(prompt.phone, prompt.amount, prompt.account, prompt.checkout)
        return self.outcome(prompt)

    def fails(self, prompt: Prompt, code: int) -> Letter:
        """The prompt ends without money, or so M-Pesa says."""
        prompt.said = code
        return self.outcome(prompt)

    def outcome(self, prompt: Prompt, **changed: Any) -> Letter:
        """The callback of a prompt as it stands. `changed` are items that it names otherwise than they are."""
        said: dict[str, Any] = {
            "MerchantRequestID": f"m-{prompt.checkout}", "CheckoutRequestID": prompt.checkout,
            "ResultCode": prompt.said, "ResultDesc": "-",
        }  # fmt: skip
        if prompt.payment and prompt.said == 0:
            items = {
                "Amount": float(prompt.amount), "MpesaReceiptNumber": prompt.payment.receipt,
                "TransactionDate": int(_stamp(prompt.payment.at)), "PhoneNumber": int(prompt.phone), **changed,
            }  # fmt: skip
            said["CallbackMetadata"] = {
                "Item": [{"Name": "Balance"}, *({"Name": name, "Value": value} for name, value in items.items())]
            }
        return Letter(urlsplit(prompt.url).path, {"Body": {"stkCallback": said}})

    def pays_bill(self, phone: str, amount: int, account: str) -> Payment:
        """She pays the PayBill from the phone's own menu."""
        return self._moved(phone, amount, account, None)

    def confirmation(self, paid: Payment, path: str, shortcode: str = "") -> Letter:
        """The PayBill's confirmation of a payment, which a push's money may have as well."""
        return Letter(
            path,
            {
                "TransactionType": "Pay Bill", "TransID": paid.receipt, "TransTime": _stamp(paid.at),
                "TransAmount": f"{paid.amount}.00", "BusinessShortCode": shortcode or self.shortcode,
                "BillRefNumber": paid.account, "InvoiceNumber": "", "OrgAccountBalance": "25.00",
                "ThirdPartyTransID": "", "MSISDN": f"{paid.phone[:4]} ***** {paid.phone[-3:]}",
                "FirstName": "AMINA", "MiddleName": "", "LastName": "",
            },
        )  # fmt: skip

    def _moved(self, phone: str, amount: int, account: str, checkout: str | None) -> Payment:
        made = Payment(f"TKL{next(self.numbers):07}", phone, amount, account, now(), checkout)
        self.book.append(made)
        return made


def _moment(said: str) -> datetime:
    return datetime.strptime(said, "%Y-%m-%d %H:%M:%S").replace(tzinfo=NAIROBI)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(NAIROBI):%Y%m%d%H%M%S}"


def _error(status: int, code: str, message: str) -> Answer:
    return status, {"requestId": "1-1-1", "errorCode": code, "errorMessage": message}


class Line:
    """The HTTP line to whichever M-Pesa is in its hand now; a lost answer ends the connection without a word."""

    def __init__(self) -> None:
        self.safaricom = Safaricom("600100")
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._say((200, {"access_token": "c9SQ", "expires_in": "3599"}))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._say(line.asked(self.path, body))

            def _say(self, answer: Answer | object) -> None:
                if not isinstance(answer, tuple):
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, said = answer
                body = json.dumps(said).encode()
                head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body)

            def log_message(self, *_words: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def asked(self, path: str, body: dict[str, Any]) -> Answer | object:
        asked: dict[str, Callable[[dict[str, Any]], Answer | object]] = {
            "/mpesa/stkpush/v1/processrequest": self.safaricom.stk_push,
            "/mpesa/stkpushquery/v1/query": self.safaricom.stk_query,
            "/pulltransactions/v1/query": self.safaricom.pull,
        }
        return asked[path](body)

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
