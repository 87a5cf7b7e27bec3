"""The end of a cashier's day: her cash is counted, held against the ledger, and handed over."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.ledger import Leg, post
from core.clock import now
from core.config import settings
from core.money import CURRENCY_DIGITS, Money
from payments.cashier import DeskRefusal, drawer, in_account
from payments.desk_models import DeskDay, DeskPayment
from payments.models import Receipt

OVER_SHORT, SAFE = "over-short", "cash:office"
FACES = {
    "KES": (1000, 500, 200, 100, 50, 40, 20, 10, 5, 1), "TZS": (10000, 5000, 2000, 1000, 500, 200, 100, 50),
    "UGX": (50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50),
    "RWF": (5000, 2000, 1000, 500, 100, 50, 20, 10, 5, 1),
    "XOF": (10000, 5000, 2000, 1000, 500, 250, 200, 100, 50, 25, 10, 5),
    "IDR": (100000, 50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100),
}  # fmt: skip
"""Notes and coins in use, in major units (the central banks' lists)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a day took by one method."""

    method: str
    count: int
    amount: Money


def faces(currency: str) -> tuple[int, ...]:
    """The notes and coins to be counted, the largest first; for a currency that is not listed, powers of ten."""
    return FACES.get(currency, (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1))


def counted(count: Mapping[int, int], cents: int, currency: str) -> Money:
    """The cash that so many of each note and coin make, and the small change in minor units."""
    unit: int = 10 ** CURRENCY_DIGITS[currency]
    return Money(sum(face * unit * many for face, many in count.items()) + cents, currency)


def takings(session: Session, day: DeskDay) -> list[Taken]:
    """What was taken, by method."""
    rows = session.execute(
        select(DeskPayment.method, func.count(), func.sum(Receipt.amount_minor))
        .join(Receipt, Receipt.id == DeskPayment.receipt_id)
        .where(DeskPayment.day_id == day.id)
        .group_by(DeskPayment.method)
        .order_by(DeskPayment.method)
    )
    return [Taken(method, int(count), Money(int(minor), settings().currency)) for method, count, minor in rows]


def expected(session: Session, day: DeskDay) -> Money:
    """What the ledger says is in the drawer."""
    return in_account(session, drawer(day.cashier))


def close(
    session: Session, day_id: int, count: Mapping[int, int], cents: int, kept: Money, reason: str, by: str
) -> DeskDay | DeskRefusal:
    """Close a day on what was counted. A difference needs its reason; what is not kept as change goes to the safe."""
    day = session.get_one(DeskDay, day_id, with_for_update=True, populate_existing=True)
    if day.status == "closed":
        return DeskRefusal("closed")
    cash, books = counted(count, cents, settings().currency), expected(session, day)
    reason = " ".join(reason.split())
    if cash.minor < 0 or not 0 <= kept.minor <= cash.minor:
        return DeskRefusal("kept")
    if cash != books and not reason:
        return DeskRefusal("reason")
    day.entry_id = _enter(session, day, cash - books, cash - kept, reason)
    day.status, day.closed_at, day.closed_by, day.reason = "closed", now(), by, reason
    day.counted = {str(face): many for face, many in count.items() if many} | ({"cents": cents} if cents else {})
    day.counted_minor, day.ledger_minor, day.kept_minor = cash.minor, books.minor, kept.minor
    session.flush()
    return day


def _enter(session: Session, day: DeskDay, difference: Money, handed: Money, reason: str) -> int | None:
    """One entry: the difference to over/short, the rest of the drawer to the safe. None where both are nothing."""
    here = difference.minor - handed.minor
    legs = [Leg(drawer(day.cashier), here), Leg(OVER_SHORT, -difference.minor), Leg(SAFE, handed.minor)]
    legs = [leg for leg in legs if leg.amount_minor]
    if not legs:
        return None
    entry = post(
        session, "closing", f"closing:{day.id}", legs, f"Closing of {day.cashier}, {day.day}. {reason}".strip()
    )
    assert entry is not None, "a day is closed under its row's lock, once"
    return entry.id
