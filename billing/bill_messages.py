"""The SMS that tells a customer of her bill, in her language and within one segment."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.ledger import money
from billing.models import Connection, Customer, CustomerPhone, Invoice
from core.config import settings
from core.i18n import Month, Text, _
from core.message_templates import template
from core.messages import queue_message


def announce(session: Session, invoice_ids: Sequence[int]) -> int:
    """Queue the SMS of each issued invoice to its customer's first phone, once; how many were queued."""
    rows = session.execute(
        select(Invoice, Connection.account_no, Customer.language, CustomerPhone.phone)
        .join(Connection, Connection.id == Invoice.connection_id)
        .join(Customer, Customer.id == Connection.customer_id)
        .join(CustomerPhone, CustomerPhone.customer_id == Customer.id)
        .where(Invoice.id.in_(invoice_ids))
        .distinct(Invoice.connection_id)
        .order_by(Invoice.connection_id, CustomerPhone.created_at, CustomerPhone.phone)
        .execution_options(populate_existing=True)
    ).all()
    queued = [
        queue_message(
            session,
            phone,
            bill_text(invoice, account_no),
            "bill",
            key=f"bill:{invoice.id}",
            connection_id=invoice.connection_id,
            language=language,
        )
        for invoice, account_no, language, phone in rows
    ]
    return sum(message is not None for message in queued)


def bill_text(invoice: Invoice, account_no: str) -> Text:
    """What the SMS says: the month's bill, what is owed with what was owed before, and how to pay."""
    assert invoice.due_on is not None
    amount, owed = money(invoice.amount_minor), money(invoice.amount_minor + invoice.arrears_minor)
    month = Month(invoice.period_start)
    if owed.minor <= 0:
        return _(
            "{utility}: bill for {month}, account {account}, is {amount}. Nothing to pay: your credit is {credit}.",
            utility=settings().utility_name, month=month, account=account_no, amount=amount, credit=-owed,
        )  # fmt: skip
    return _(
        "{utility}: bill for {month}, account {account}, is {amount}. Please pay {owed} by {due}. Dial {code}",
        utility=settings().utility_name, month=month, account=account_no, amount=amount, owed=owed,
        due=invoice.due_on, code=settings().service_code,
    )  # fmt: skip


def _widest(arrears_minor: int) -> Text:
    day = date(2026, 4, 30)  # a month whose name is as long as any, in every language
    return bill_text(
        Invoice(amount_minor=9999999, arrears_minor=arrears_minor, period_start=day, due_on=day), "1000015"
    )


template("bill", "Bill of the month", lambda: _widest(99999999))
template("bill_credit", "Bill of the month, paid out of credit", lambda: _widest(-99999999))
