"""Receipts: money that M-Pesa says it received, credited once for its number whichever road it came by."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.customers import phones_of
from billing.ledger import RECEIVABLE, SUSPENSE, Leg, balance_of, post
from billing.models import Connection, Customer
from core.clock import now
from core.config import settings
from core.messages import queue_message
from core.money import Money
from core.phone import Phone
from payments.models import Receipt
from payments.texts import receipt_text

CASH = "cash:mpesa"


@dataclass(frozen=True, slots=True)
class MoneyIn:
    """What the provider says it received, and for whom; `intent_id` where a push's own callback says so."""

    receipt: str
    amount: Money
    phone: str
    account_said: str
    paid_at: datetime
    connection: Connection | None
    intent_id: int | None = None


class Credit(Enum):
    """FRESH: credited now. KNOWN: credited before. CONTRADICTED: known, but as other money; nothing has changed."""

    FRESH = auto()
    KNOWN = auto()
    CONTRADICTED = auto()


def credit(session: Session, paid: MoneyIn) -> Credit:
    """Credit a receipt, once for its number: to its connection, or to suspense where that is unknown."""
    minor = paid.amount.minor
    connection_id = paid.connection.id if paid.connection else None
    account = RECEIVABLE if paid.connection else SUSPENSE
    entry = post(
        session,
        "payment",
        _source("receipt", paid),
        [Leg(CASH, minor), Leg(account, -minor, connection_id)],
        memo=_memo(paid),
    )
    if entry is None:
        return _again(session, paid)
    receipt = session.scalars(
        insert(Receipt)
        .values(
            provider="mpesa",
            shortcode=settings().mpesa_shortcode,
            receipt=paid.receipt.upper(),
            amount_minor=minor,
            currency=paid.amount.currency,
            phone=paid.phone,
            account_said=paid.account_said,
            paid_at=paid.paid_at,
            intent_id=paid.intent_id,
            connection_id=connection_id,
            entry_id=entry.id,
            created_at=now(),
        )
        .returning(Receipt)
    ).one()
    if paid.connection is not None:
        _thank(session, receipt, paid, paid.connection)
    return Credit.FRESH


def find_receipt(session: Session, number: str) -> Receipt | None:
    """The receipt of that number at the utility's own short code, as it is now, and locked."""
    return session.scalar(
        select(Receipt)
        .where(
            Receipt.provider == "mpesa",
            Receipt.shortcode == settings().mpesa_shortcode,
            Receipt.receipt == number.upper(),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _again(session: Session, paid: MoneyIn) -> Credit:
    """The number is known. A push knows whose money it is, so it takes its receipt out of suspense."""
    earlier = find_receipt(session, paid.receipt)
    if earlier is None or _contradicts(earlier, paid):
        return Credit.CONTRADICTED
    if paid.intent_id is not None and paid.connection is not None:
        earlier.intent_id = paid.intent_id
        if earlier.connection_id is None:
            _leave_suspense(session, earlier, paid, paid.connection)
    return Credit.KNOWN


def _contradicts(earlier: Receipt, paid: MoneyIn) -> bool:
    """Another amount, account or attempt than the receipt has. What one side does not say, it cannot contradict."""
    accounts = {earlier.connection_id, paid.connection.id if paid.connection else None} - {None}
    attempts = {earlier.intent_id, paid.intent_id} - {None}
    return earlier.amount_minor != paid.amount.minor or len(accounts) > 1 or len(attempts) > 1


def _leave_suspense(session: Session, receipt: Receipt, paid: MoneyIn, connection: Connection) -> None:
    minor = receipt.amount_minor
    legs = [Leg(SUSPENSE, minor), Leg(RECEIVABLE, -minor, connection.id)]
    if post(session, "payment", _source("suspense", paid), legs, memo=_memo(paid)) is not None:
        receipt.connection_id = connection.id
        _thank(session, receipt, paid, connection)


def _source(what: str, paid: MoneyIn) -> str:
    return f"{what}:mpesa:{settings().mpesa_shortcode}:{paid.receipt.upper()}"


def _memo(paid: MoneyIn) -> str:
    return f"M-Pesa {paid.receipt.upper()}"


def _thank(session: Session, receipt: Receipt, paid: MoneyIn, connection: Connection) -> None:
    """The receipt's SMS, to the phone that paid or else to the customer's own."""
    phone = Phone(paid.phone) if paid.intent_id else _own_phone(session, connection)
    if phone is None:
        return
    language = language_of(session, connection)
    said = receipt_text(paid.amount, connection.account_no, receipt.receipt, balance_of(session, connection.id))
    queue_message(
        session,
        phone,
        said,
        "receipt",
        key=f"receipt:{receipt.id}",
        connection_id=connection.id,
        language=language,
    )


def _own_phone(session: Session, connection: Connection) -> Phone | None:
    phones = phones_of(session, connection.customer_id) if connection.customer_id else []
    return phones[0] if phones else None


def language_of(session: Session, connection: Connection) -> str:
    """The language of the connection's customer, or the utility's own."""
    customer = session.get(Customer, connection.customer_id) if connection.customer_id else None
    return customer.language if customer else settings().default_language
