"""Receipts: money that was received, credited once for its number whichever road it came by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from billing.ledger import RECEIVABLE, SUSPENSE, Leg, post
from billing.models import Connection
from core.clock import now
from core.config import settings
from core.money import Money
from core.outbox import after_commit
from payments.models import Receipt
from payments.thanks import language_of, thank

__all__ = ["Credit", "MoneyIn", "credit", "find_receipt", "language_of", "source_of"]

LABELS = {"mpesa": "M-Pesa", "mtn": "MTN MoMo", "airtel": "Airtel Money", "bank": "Bank", "cash": "Cash",
          "cheque": "Cheque"}  # fmt: skip
"""How people call where money came from; what is not here by its name in capitals."""


@dataclass(frozen=True, slots=True)
class MoneyIn:
    """What was received, and for whom; `intent_id` where an attempt's own callback or status says so.

    `shortcode` is the utility's account there ("" for the PayBill's), `cash` the ledger's account for it ("" for the
    provider's own, "cash:mpesa"), `payer` the name that came with it.
    """

    receipt: str
    amount: Money
    phone: str
    account_said: str
    paid_at: datetime
    connection: Connection | None
    intent_id: int | None = None
    provider: str = "mpesa"
    shortcode: str = ""
    cash: str = ""
    payer: str = ""

    @property
    def place(self) -> str:
        """The short code, or the office, that took it."""
        return self.shortcode or settings().mpesa_shortcode

    @property
    def number(self) -> str:
        return self.receipt.upper()


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
    legs = [Leg(paid.cash or f"cash:{paid.provider}", minor), Leg(account, -minor, connection_id)]
    entry = post(session, "payment", source_of("receipt", paid.provider, paid.place, paid.number), legs, _memo(paid))
    if entry is None:
        return _again(session, paid)
    receipt = session.scalars(
        insert(Receipt)
        .values(
            provider=paid.provider,
            shortcode=paid.place,
            receipt=paid.number,
            amount_minor=minor,
            currency=paid.amount.currency,
            phone=paid.phone,
            account_said=paid.account_said,
            paid_at=paid.paid_at,
            intent_id=paid.intent_id,
            connection_id=connection_id,
            entry_id=entry.id,
            created_at=now(),
            payer=paid.payer,
            held_minor=0 if paid.connection else minor,
        )
        .returning(Receipt)
    ).one()
    if paid.connection is not None:
        thank(session, receipt, paid.connection)
    else:
        after_commit(session, "payments.match", receipt.id)
    return Credit.FRESH


def find_receipt(session: Session, number: str, provider: str = "mpesa", shortcode: str = "") -> Receipt | None:
    """The receipt of that number at one of the utility's own accounts, as it is now, and locked."""
    return session.scalar(
        select(Receipt)
        .where(
            Receipt.provider == provider,
            Receipt.shortcode == (shortcode or settings().mpesa_shortcode),
            Receipt.receipt == number.upper(),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def latest_receipts(session: Session, connection_id: int, limit: int = 5) -> Sequence[Receipt]:
    """What was paid for a connection, the newest first."""
    mine = select(Receipt).where(Receipt.connection_id == connection_id).order_by(Receipt.id.desc()).limit(limit)
    return session.scalars(mine).all()


def receipt_of(session: Session, connection_id: int, number: str) -> Receipt | None:
    """The receipt of that number, where it was for this connection."""
    mine = select(Receipt).where(Receipt.receipt == number.upper(), Receipt.connection_id == connection_id)
    return session.scalar(mine.order_by(Receipt.id.desc()).limit(1))


def source_of(what: str, provider: str, shortcode: str, number: str) -> str:
    """How the ledger names the cause of an entry: "receipt:mpesa:600100:SKL4XYZ123"."""
    return f"{what}:{provider}:{shortcode}:{number}"


def label_of(provider: str) -> str:
    """ "M-Pesa"."""
    return LABELS.get(provider, provider.upper())


def _again(session: Session, paid: MoneyIn) -> Credit:
    """The number is known. A push knows whose money it is, so it takes its receipt out of suspense."""
    earlier = find_receipt(session, paid.receipt, paid.provider, paid.place)
    if earlier is None or _contradicts(earlier, paid):
        return Credit.CONTRADICTED
    if not earlier.payer:
        earlier.payer = paid.payer
    if paid.intent_id is not None and paid.connection is not None:
        earlier.intent_id = paid.intent_id
        if earlier.connection_id is None and earlier.held_minor == earlier.amount_minor:
            _leave_suspense(session, earlier, paid, paid.connection)
    return Credit.KNOWN


def _contradicts(earlier: Receipt, paid: MoneyIn) -> bool:
    """Another amount, account or attempt than the receipt has. What one side does not say, it cannot contradict."""
    accounts = {earlier.connection_id, paid.connection.id if paid.connection else None} - {None}
    attempts = {earlier.intent_id, paid.intent_id} - {None}
    return earlier.amount_minor != paid.amount.minor or len(accounts) > 1 or len(attempts) > 1


def _leave_suspense(session: Session, receipt: Receipt, paid: MoneyIn, connection: Connection) -> None:
    legs = [Leg(SUSPENSE, receipt.amount_minor), Leg(RECEIVABLE, -receipt.amount_minor, connection.id)]
    source = source_of("suspense", paid.provider, paid.place, paid.number)
    if post(session, "payment", source, legs, memo=_memo(paid)) is not None:
        receipt.connection_id, receipt.held_minor = connection.id, 0
        thank(session, receipt, connection)


def _memo(paid: MoneyIn) -> str:
    return f"{label_of(paid.provider)} {paid.number}"
