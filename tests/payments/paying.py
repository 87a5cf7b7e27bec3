"""Payments for tests: an estate, attempts at every stage, and the bodies that Daraja sends."""

import json
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.books import Invariant
from billing.customers import create_connection, create_customer
from billing.models import Connection, Customer
from core.clock import now
from core.config import settings
from core.database import transaction
from core.messages import Message
from core.money import Money
from core.phone import Phone
from payments import books
from payments.intents import Requested, move, request_payment
from payments.models import Notice, PaymentIntent, Receipt
from payments.notices import store_notice
from payments.settlement import settle
from tests.billing.estate import Estate

PHONE = Phone("+254700000001")


def house(phone: str = PHONE) -> Connection:
    """A connection whose customer pays from `phone`; committed."""
    with transaction() as session:
        return Estate(session).metered(phone)


def next_door(home: Connection, phone: str) -> Connection:
    """Another customer's connection in the same zone, on the same tariff; committed."""
    with transaction() as session:
        owner = create_customer(session, "Amina Otieno", language="sw", by="test", phone=Phone(phone))
        assert isinstance(owner, Customer)
        return create_connection(
            session, zone_id=home.zone_id, tariff_id=home.tariff_id, address="Plot 8", opened_on=home.opened_on,
            customer_id=owner.id,
        )  # fmt: skip


def sent(connection: Connection, amount: int = 500, *, key: str = "one", checkout: str = "ws_CO_1") -> PaymentIntent:
    """An attempt whose prompt is out; committed."""
    with transaction() as session:
        asked = request_payment(session, connection.id, Money.of(amount), PHONE, key)
        assert isinstance(asked, Requested), asked
        move(session, asked.intent.id, "sending", ["created"])
        move(session, asked.intent.id, "sent", ["sending"], checkout_request_id=checkout, next_poll_at=now())
        return asked.intent


def callback(
    *, checkout: str = "ws_CO_1", code: object = 0, amount: object = 500.0, receipt: str = "NLJ7RT61SV"
) -> bytes:
    """The body of a push's callback, as captured: a number here, a float there, Balance without a value."""
    inner: dict[str, Any] = {
        "MerchantRequestID": "29115-34620561-1",
        "CheckoutRequestID": checkout,
        "ResultCode": code,
        "ResultDesc": "The service request is processed successfully.",
    }
    if str(code) == "0":
        items = [
            {"Name": "Amount", "Value": amount},
            {"Name": "MpesaReceiptNumber", "Value": receipt},
            {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": 20261121102115},
            {"Name": "PhoneNumber", "Value": 254700000001},
        ]
        inner["CallbackMetadata"] = {"Item": items}
    return json.dumps({"Body": {"stkCallback": inner}}).encode()


def paybill(account: str, *, amount: str = "500.00", receipt: str = "NLJ7RT61SV", shortcode: str = "") -> bytes:
    """The body of a C2B confirmation."""
    return json.dumps(
        {
            "TransactionType": "Pay Bill", "TransID": receipt, "TransTime": "20261121102115", "TransAmount": amount,
            "BusinessShortCode": shortcode or settings().mpesa_shortcode, "BillRefNumber": account,
            "InvoiceNumber": "", "OrgAccountBalance": "25.00", "ThirdPartyTransID": "",
            "MSISDN": "2547 ***** 126", "FirstName": "NICHOLAS", "MiddleName": "", "LastName": "",
        }
    ).encode()  # fmt: skip


def arrives(kind: str, body: bytes, token: str | None = None) -> Notice:
    """A notice comes in and is worked on."""
    with transaction() as session:
        notice = store_notice(session, kind, body, token=token, headers={}, remote_addr="127.0.0.1")
    settle(notice.id)
    with transaction() as session:
        return session.get_one(Notice, notice.id)


def state_of(intent: PaymentIntent) -> str:
    with transaction() as session:
        return session.get_one(PaymentIntent, intent.id).state


def receipts(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Receipt)) or 0


def texts(session: Session, kind: str) -> list[str]:
    return list(session.scalars(select(Message.body).where(Message.kind == kind).order_by(Message.id)))


def broken(session: Session) -> list[Invariant]:
    return [row for row in books.check(session) if row.violations]
