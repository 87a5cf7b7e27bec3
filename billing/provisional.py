"""The bill a reading would give if the month were billed with it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from billing.charging import ChargedLine
from billing.models import Connection
from billing.months import month_of
from billing.pricing import PriceBook
from billing.readings import judge
from billing.unbilled import unbilled_of
from core.money import Money
from core.statements import row

LAST = """
    SELECT value, taken_on FROM reading WHERE connection_id = $1 AND status = 'accepted'
    ORDER BY taken_on DESC, id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Provisional:
    """A bill that nobody owes yet. `usage` is in the meter's unit."""

    usage: Decimal
    lines: tuple[ChargedLine, ...]
    total: Money


def provisional_bill(session: Session, connection: Connection, value: Decimal, on: date) -> Provisional | None:
    """Rate what has been used since the last bill, with the meter at `value` on that day; writes nothing.

    The value may be in the books already. None where the meter cannot show it, or nothing can be billed.
    """
    return provisional_of(session, connection.id, value, on)


def provisional_of(session: Session, connection_id: int, value: Decimal, on: date) -> Provisional | None:
    """The same by the connection's id."""
    session.flush()
    since = unbilled_of(session, connection_id, on)
    if since is None or since.opening_id is None:
        return None
    usage = since.usage
    if row(session, LAST, connection_id) != (value, on):
        further = judge(session, connection_id, value, on=on).usage
        if further is None:
            return None
        usage += further
    priced = PriceBook(session).price(since, month_of(on), until=on, usage=usage)
    if isinstance(priced, str):
        return None
    return Provisional(usage, priced.charge.lines, priced.charge.total)
