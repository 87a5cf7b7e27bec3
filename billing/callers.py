"""Who a phone speaks for, in one query: it is asked at the beginning of every conversation."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from core.phone import Phone
from core.statements import rows

# The sub-selects do not depend on the rows, so each is made once however many connections there are.
KNOWN = """
    SELECT c.id, c.name, c.language, c.pin_hash IS NOT NULL AS has_pin, c.alert_above,
           n.account_no, n.address, n.status, n.building, n.department, n.prepaid,
           ARRAY(
               SELECT w.account_no FROM link_request l JOIN connection w ON w.id = l.connection_id
               WHERE l.phone = $1 AND l.status = 'pending' ORDER BY l.id
           ) AS waiting,
           EXISTS (SELECT FROM opt_out o WHERE o.phone = $1) AS stopped
    FROM (SELECT 1) one
    LEFT JOIN (customer_phone p JOIN customer c ON c.id = p.customer_id AND c.status = 'active') ON p.phone = $1
    LEFT JOIN connection n ON n.customer_id = c.id AND n.status <> 'closed'
    ORDER BY n.building, n.department, n.id
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A connection that is not closed, as its customer knows it."""

    account_no: str
    address: str
    status: str
    building: str
    department: str
    prepaid: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the books know of a phone. Without `customer_id` it speaks for nobody.

    `waiting` are the account numbers that the office has still to link to it; `stopped`: it wants no messages but
    those it asks for.
    """

    customer_id: int | None
    name: str
    language: str
    has_pin: bool
    alert_above: Decimal | None
    places: tuple[Place, ...]
    waiting: tuple[str, ...]
    stopped: bool


def who_calls(session: Session, phone: Phone) -> Known:
    """The customer of `phone` with her connections, by building and department and then the oldest first."""
    found = rows(session, KNOWN, phone)
    customer_id, name, language, has_pin, alert_above = found[0][:5]
    waiting, stopped = found[0][11:]
    return Known(
        customer_id=customer_id,
        name=name or "",
        language=language or "",
        has_pin=bool(has_pin),
        alert_above=alert_above,
        places=tuple(Place(*each[5:11]) for each in found if each[5] is not None),
        waiting=tuple(waiting),
        stopped=stopped,
    )
