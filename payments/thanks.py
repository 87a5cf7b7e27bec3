"""The SMS that goes with a receipt: once for each, and said again when its customer asks for it."""

from sqlalchemy.orm import Session

from billing.customers import phones_of
from billing.ledger import balance_of
from billing.models import Connection, Customer
from core.config import settings
from core.i18n import Text
from core.messages import queue_message
from core.money import Money
from core.phone import Phone, parse_phone
from payments.models import Receipt
from payments.texts import OFFICE, receipt_text


def thank(session: Session, receipt: Receipt, connection: Connection) -> None:
    """The receipt's SMS, to the phone that paid or else to the customer's own. One for each receipt."""
    phone = paying_phone(receipt) or own_phone(session, connection)
    if phone is None:
        return
    queue_message(
        session,
        phone,
        words_of(session, receipt, connection),
        "receipt",
        key=f"receipt:{receipt.id}",
        connection_id=connection.id,
        language=language_of(session, connection),
    )


def words_of(session: Session, receipt: Receipt, connection: Connection) -> Text:
    """What the receipt's SMS says, with the balance as it is now."""
    amount = Money(receipt.amount_minor, receipt.currency)
    label = OFFICE if receipt.provider in ("cash", "cheque", "bank") else receipt.provider
    return receipt_text(amount, connection.account_no, receipt.receipt, balance_of(session, connection.id), label)


def paying_phone(receipt: Receipt) -> Phone | None:
    """The phone of an attempt of ours; what a PayBill payment says of its phone is masked, or another's."""
    return parse_phone(receipt.phone, settings().region) if receipt.intent_id else None


def own_phone(session: Session, connection: Connection) -> Phone | None:
    """The first phone of the connection's customer."""
    phones = phones_of(session, connection.customer_id) if connection.customer_id else []
    return phones[0] if phones else None


def language_of(session: Session, connection: Connection) -> str:
    """The language of the connection's customer, or the utility's own."""
    customer = session.get(Customer, connection.customer_id) if connection.customer_id else None
    return customer.language if customer else settings().default_language
