"""What nearly every conversation asks of the books, each in one statement to the driver.

The office reads the same through billing's own functions; a test holds that both say the same.
"""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.config import settings
from core.money import Money
from core.statements import row
from flows.values import BalanceView, BillSummary, MeterFace

BALANCE = """
    SELECT coalesce(owed.amount_minor, 0), -paid.amount_minor, paid.created_at
    FROM connection c
    LEFT JOIN balance owed ON owed.connection_id = c.id
    LEFT JOIN LATERAL (
        SELECT p.amount_minor, e.created_at
        FROM posting p JOIN ledger_entry e ON e.id = p.entry_id
        WHERE p.connection_id = c.id AND p.account = 'receivable' AND e.kind = 'payment'
        ORDER BY p.id DESC LIMIT 1
    ) paid ON true
    WHERE c.account_no = $1
"""
BILL = """
    SELECT i.number, i.amount_minor, coalesce(owed.amount_minor, 0), i.due_on, i.period_start, i.usage
    FROM connection c
    LEFT JOIN balance owed ON owed.connection_id = c.id
    LEFT JOIN LATERAL (
        SELECT * FROM invoice WHERE connection_id = c.id AND status = 'issued' ORDER BY period_start DESC LIMIT 1
    ) i ON true
    WHERE c.account_no = $1
"""
METER = """
    SELECT m.serial, m.digits, r.value, r.taken_on, r.meter_id = m.id
    FROM connection c
    JOIN meter_assignment a ON a.connection_id = c.id AND a.to_on IS NULL
    JOIN meter m ON m.id = a.meter_id
    LEFT JOIN LATERAL (
        SELECT value, taken_on, meter_id FROM reading
        WHERE connection_id = c.id AND status = 'accepted' ORDER BY taken_on DESC, id DESC LIMIT 1
    ) r ON true
    WHERE c.account_no = $1
"""


def balance_view(session: Session, account_no: str) -> BalanceView:
    """What is owed on an account that the conversation has named before, and the last payment."""
    found = row(session, BALANCE, account_no)
    assert found is not None, "a conversation named a connection that is not in the books"
    owed, paid, at = found
    return BalanceView(_money(owed), _money(paid) if paid is not None else None, _day(at) if at is not None else None)


def bill_summary(session: Session, account_no: str) -> BillSummary:
    """The newest bill of such an account, and what is owed in all."""
    found = row(session, BILL, account_no)
    assert found is not None, "a conversation named a connection that is not in the books"
    number, amount, owed, due_on, period, usage = found
    if number is None:
        return BillSummary(None, _money(0), _money(owed), None, None, Decimal(0))
    return BillSummary(number, _money(amount), _money(owed), due_on, period, usage)


def meter_face(session: Session, account_no: str) -> MeterFace | None:
    """The meter at such an account with its last accepted reading; None where there is no meter."""
    found = row(session, METER, account_no)
    if found is None:
        return None
    serial, digits, value, taken_on, is_its_own = found
    return MeterFace(serial, digits, value, taken_on) if is_its_own else MeterFace(serial, digits, None, None)


def _money(minor: int) -> Money:
    return Money(minor, settings().currency)


def _day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(settings().utility_zone)).date()
