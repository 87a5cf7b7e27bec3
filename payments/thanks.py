"""The SMS that goes with a receipt: once for each, and said again when its customer asks for it."""

import re

from sqlalchemy.orm import Session

from billing.customers import phones_of
from billing.ledger import balance_of
from billing.models import Connection, Customer
from core.config import settings
from core.i18n import Text
from core.messages import queue_message
from core.money import Money
from core.phone import Phone, parse_phone
from payments.models import PaymentIntent, Receipt
from payments.move_models import MoneyMove
from payments.texts import OFFICE, receipt_text


def thank(session: Session, receipt: Receipt, connection: Connection, part: MoneyMove | None = None) -> None:
    """The receipt's SMS, to the phone that paid or else to the customer's own. One for each receipt.

    Where only a `part` of it went to the connection, or went there later from another, one for that.
    """
    phone = paying_phone(session, receipt) or own_phone(session, connection)
    whole = part is None or (part.kind == "allocation" and part.amount_minor == receipt.amount_minor)
    if part is not None and part.kind == "transfer":
        phone = own_phone(session, connection)
    if phone is None:
        return
    queue_message(
        session,
        phone,
        words_of(session, receipt, connection, None if part is None else part.amount_minor),
        "receipt",
        key=f"receipt:{receipt.id}" if whole or part is None else f"move:{part.id}",
        connection_id=connection.id,
        language=language_of(session, connection),
    )


def words_of(session: Session, receipt: Receipt, connection: Connection, minor: int | None = None) -> Text:
    """What the receipt's SMS says, of all or of `minor`, with the balance as it is now."""
    amount = Money(receipt.amount_minor if minor is None else minor, receipt.currency)
    label = OFFICE if receipt.provider in ("cash", "cheque", "bank") else receipt.provider
    return receipt_text(amount, connection.account_no, receipt.receipt, balance_of(session, connection.id), label)


def paying_phone(session: Session, receipt: Receipt) -> Phone | None:
    """The phone of the attempt of ours. What a PayBill payment says of its phone may be another's, or masked."""
    intent = session.get(PaymentIntent, receipt.intent_id) if receipt.intent_id is not None else None
    return intent.phone if intent else None


def payers_phone(session: Session, receipt: Receipt) -> Phone | None:
    """Who paid, where that is known in full: neither masked nor as a digest only."""
    if (phone := paying_phone(session, receipt)) is not None:
        return phone
    whole = re.fullmatch(r"\+?\d{9,15}", receipt.phone.replace(" ", ""))
    return parse_phone(receipt.phone, settings().region) if whole else None


def own_phone(session: Session, connection: Connection) -> Phone | None:
    """The first phone of the connection's customer."""
    phones = phones_of(session, connection.customer_id) if connection.customer_id else []
    return phones[0] if phones else None


def language_of(session: Session, connection: Connection) -> str:
    """The language of the connection's customer, or the utility's own."""
    customer = session.get(Customer, connection.customer_id) if connection.customer_id else None
    return customer.language if customer else settings().default_language


def send_again(session: Session, receipt: Receipt, to: Phone | None = None, key: str | None = None) -> bool:
    """The receipt's SMS once more, to its customer or whoever asked; whether there was a connection and a phone."""
    connection = session.get(Connection, receipt.connection_id) if receipt.connection_id is not None else None
    phone = to or paying_phone(session, receipt) or (own_phone(session, connection) if connection else None)
    if connection is None or phone is None:
        return False
    language = language_of(session, connection)
    said = words_of(session, receipt, connection)
    queue_message(session, phone, said, "receipt", key=key, connection_id=connection.id, language=language)
    return True
