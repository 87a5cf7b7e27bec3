"""A customer's account over some days: what it began with, each movement, what it came to."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.ledger import RECEIVABLE
from billing.models import LedgerEntry, Posting
from core.config import settings

MOST = 1000


@dataclass(frozen=True, slots=True)
class Movement:
    """An entry and the balance after it, in minor units; what lowers the debt is below zero."""

    at: datetime
    kind: str
    memo: str
    amount_minor: int
    balance_minor: int
    entry_id: int


@dataclass(frozen=True, slots=True)
class Statement:
    """`opening_minor` + the movements = `closing_minor`. `cut`: there were more movements than are listed."""

    first: date
    last: date
    opening_minor: int
    movements: tuple[Movement, ...]
    closing_minor: int
    cut: bool = False


def statement_of(session: Session, connection_id: int, first: date, last: date) -> Statement:
    """The account from the day `first` to the day `last`, both included, as days are where the utility is."""
    zone = ZoneInfo(settings().utility_zone)
    since = datetime.combine(first, time(), zone)
    until = datetime.combine(last + timedelta(days=1), time(), zone)
    own = (Posting.connection_id == connection_id, Posting.account == RECEIVABLE)
    joined = select(Posting).join(LedgerEntry, LedgerEntry.id == Posting.entry_id).where(*own)
    opening = session.scalar(
        joined.with_only_columns(func.coalesce(func.sum(Posting.amount_minor), 0)).where(LedgerEntry.created_at < since)
    )
    rows = session.execute(
        joined.with_only_columns(
            LedgerEntry.created_at, LedgerEntry.kind, LedgerEntry.memo, Posting.amount_minor, LedgerEntry.id
        )
        .where(LedgerEntry.created_at >= since, LedgerEntry.created_at < until)
        .order_by(LedgerEntry.created_at, Posting.id)
        .limit(MOST + 1)
    ).all()
    balance, movements = int(opening or 0), []
    for at, kind, memo, minor, entry_id in rows[:MOST]:
        balance += minor
        movements.append(Movement(at, kind, memo, minor, balance, entry_id))
    return Statement(first, last, int(opening or 0), tuple(movements), balance, len(rows) > MOST)
