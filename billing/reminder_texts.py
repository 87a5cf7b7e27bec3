"""What a customer who owes is told, in her language and within one SMS."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.customers import phones_of
from billing.ledger import money
from billing.models import Connection, Customer
from billing.policies import policy_of
from core.config import settings
from core.i18n import Text, _
from core.message_templates import template
from core.messages import queue_message


def tell(session: Session, connection_id: int, step: str, overdue_minor: int, key: str, on: date) -> bool:
    """Queue the SMS of a step, once for its key; False where the customer has no phone."""
    connection = session.get_one(Connection, connection_id)
    phones = phones_of(session, connection.customer_id) if connection.customer_id else []
    if not phones:
        return False
    policy = policy_of(session, connection_id)
    last = on + timedelta(days=policy.order_days - policy.notice_days)
    said = step_text(step, connection.account_no, overdue_minor, last, policy.reconnection_minor)
    language = session.scalar(select(Customer.language).where(Customer.id == connection.customer_id))
    queue_message(
        session, phones[0], said, "bill", key=key, connection_id=connection_id,
        language=language or settings().default_language,
    )  # fmt: skip
    return True


def step_text(step: str, account_no: str, overdue_minor: int, last: date, fee_minor: int) -> Text:
    """The step's text. Each says what to do about it."""
    owed, code = money(overdue_minor), settings().service_code
    match step:
        case "reminder":
            return _("Account {account}: {owed} is overdue. Please pay, or ask us for a payment plan. Dial {code}",
                     account=account_no, owed=owed, code=code)  # fmt: skip
        case "notice":
            return _("NOTICE: account {account}, {owed} is overdue. Pay by {day} or your supply is cut off. "
                     "Dial {code}", account=account_no, owed=owed, day=last, code=code)  # fmt: skip
        case "disconnection":
            return _("Account {account}: your supply is being cut off, {owed} is overdue. Reconnection costs {fee}. "
                     "Dial {code} to pay.", account=account_no, owed=owed, fee=money(fee_minor), code=code)  # fmt: skip
        case _:
            return _("Account {account}: thank you. Your supply will be reconnected. A fee of {fee} was added to your "
                     "account.", account=account_no, fee=money(fee_minor))  # fmt: skip


def _widest(step: str) -> Text:
    return step_text(step, "1000015", 99999999, date(2026, 4, 30), 9999999)


template("reminder", "Reminder of an overdue bill", lambda: _widest("reminder"))
template("notice", "Notice before the supply is cut off", lambda: _widest("notice"))
template("disconnection", "The supply is cut off", lambda: _widest("disconnection"))
template("reconnection", "The supply comes back", lambda: _widest("reconnection"))
