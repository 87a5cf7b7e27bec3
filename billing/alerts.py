"""A warning to a customer whose usage of a month has gone above the limit that she set."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from billing.contact_texts import usage_above
from billing.customers import find_customer, phones_of
from billing.history import Month, by_month, used_between
from billing.models import Customer, Reading
from billing.months import month_of
from core.messages import Message, queue_message
from core.phone import Phone
from core.statements import row

WANTED = """
    SELECT c.id, n.account_no FROM connection n JOIN customer c ON c.id = n.customer_id
    WHERE n.id = $1 AND c.alert_above IS NOT NULL
"""


def set_alert(session: Session, phone: Phone, above: Decimal | None) -> bool:
    """Warn the phone's customer of a month's usage above this, in the meter's unit; None: never. Whether she exists."""
    customer = find_customer(session, phone)
    if customer is None:
        return False
    customer.alert_above = above
    session.flush()
    return True


def warn_of_usage(session: Session, reading: Reading) -> Message | None:
    """Queue the warning where an accepted reading takes a month above the limit: once for a connection and month."""
    found = row(session, WANTED, reading.connection_id)
    if found is None:  # as for nearly everybody
        return None
    customer_id, account_no = found
    customer = session.get_one(Customer, customer_id)
    assert customer.alert_above is not None
    month, phones = _month_above(session, reading, customer.alert_above), phones_of(session, customer.id)
    if month is None or not phones:
        return None
    return queue_message(
        session,
        phones[0],
        usage_above(account_no, month.first, month.usage, customer.alert_above),
        "alert",
        key=f"alert:{reading.connection_id}:{month.first:%Y-%m}",
        connection_id=reading.connection_id,
        language=customer.language,
    )


def _month_above(session: Session, reading: Reading, limit: Decimal) -> Month | None:
    """The newest month above the limit of those in which this reading's days lie.

    Whoever reads her meter on the first days of a month would otherwise never hear of the month before.
    """
    used = used_between(session, reading.connection_id)
    if not used:
        return None
    since = month_of(min(used[-1].since + timedelta(days=1), reading.taken_on))
    return next((month for month in reversed(by_month(used)) if month.first >= since and month.usage > limit), None)
