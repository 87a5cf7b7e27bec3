"""May this payment be made? What M-Pesa asks before a customer's own payment to the PayBill goes on.

Daraja 3.0, "Customer To Business": answered within 8 seconds, or what was chosen when the addresses were registered
decides. Ours takes one indexed look-up. While the books cannot be asked the money is let in: it is never lost, for
what has no account lies in suspense.
"""

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.config import settings
from core.database import transaction
from core.money import Money
from payments.forms import Unreadable, read_object
from payments.typed import find_typed

ACCOUNT, AMOUNT, SHORTCODE, OTHER = "C2B00012", "C2B00013", "C2B00015", "C2B00016"
"""Daraja's codes for a refusal."""
MOST = 250_000
"""Whole shillings that M-Pesa moves at once."""

log = structlog.get_logger("payments")


def objection(body: bytes) -> str | None:
    """Daraja's code for why not, or None where the payment is welcome."""
    try:
        said = read_object(body)
    except Unreadable:
        return OTHER
    shortcode = str(said.get("BusinessShortCode", "")).strip()
    if not is_ours(shortcode):
        return SHORTCODE
    if not _is_amount(str(said.get("TransAmount", "")).strip()):
        return AMOUNT
    account = str(said.get("BillRefNumber") or "")
    if shortcode == settings().mpesa_till:
        return None  # a till asks for no account; the office finds it by the payer
    return None if _is_known(account) else ACCOUNT


def is_ours(shortcode: str) -> bool:
    """The utility's PayBill, or its till."""
    return shortcode != "" and shortcode in (settings().mpesa_shortcode, settings().mpesa_till)


def _is_amount(raw: str) -> bool:
    try:
        amount = Money.of(raw, settings().currency)
    except ValueError:
        return False
    return Money.of(1, settings().currency) <= amount <= Money.of(MOST, settings().currency)


def _is_known(account: str) -> bool:
    """By the number as she typed it: words, blanks and hyphens do no harm, a wrong check digit does."""
    try:
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = '3s'"))
            return find_typed(session, account) is not None
    except SQLAlchemyError as error:
        log.warning("validation.blind", error=type(error).__name__)
        return True
