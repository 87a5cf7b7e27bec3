"""Double entry: the one way money is written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.ledger_models import Balance, LedgerEntry, Posting
from core.clock import now
from core.config import settings
from core.money import Money
from core.statements import row, written

RECEIVABLE = "receivable"
SUSPENSE = "suspense"


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an entry in minor units: debit positive, credit negative. `receivable` needs its connection."""

    account: str
    amount_minor: int
    connection_id: int | None = None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What one entry did to a connection's debt (negative: it paid), and the day's moment."""

    entry_id: int
    kind: str
    memo: str
    amount: Money
    at: datetime


# One statement for all: legs that come together are balanced, so the guard need not look again at commit.
POST = """
    WITH entry AS (
        INSERT INTO ledger_entry (kind, source, memo, created_at, due_on, reverses_id)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source) DO NOTHING RETURNING id
    ),
    legs AS (
        INSERT INTO posting (entry_id, account, connection_id, amount_minor)
        SELECT entry.id, leg.account, leg.connection_id, leg.amount_minor
        FROM entry, unnest($7::text[], $8::bigint[], $9::bigint[]) WITH ORDINALITY
            AS leg (account, connection_id, amount_minor, place)
        ORDER BY leg.place
    )
    SELECT id FROM entry
"""


def money(minor: int) -> Money:
    """`minor` units of the utility's currency."""
    return Money(minor, settings().currency)


def post(
    session: Session,
    kind: str,
    source: str,
    legs: Sequence[Leg],
    memo: str = "",
    *,
    at: datetime | None = None,
    due_on: date | None = None,
    reverses: int | None = None,
) -> LedgerEntry | None:
    """Write one entry. None where an entry from this `source` ("receipt:mpesa:600100:ABC") exists already.

    What it charges is due on `due_on`, or at once; `reverses` is the entry that it takes back whole.
    ValueError where the legs do not sum to zero; the database would refuse that too, at commit.
    """
    if not legs or sum(leg.amount_minor for leg in legs) != 0:
        raise ValueError(f"the legs of {source} do not sum to zero")
    moment, order = at or now(), sorted(legs, key=lambda leg: leg.connection_id or 0)
    made = row(
        session, POST, kind, source, memo, moment, due_on, reverses, [leg.account for leg in order],
        [leg.connection_id for leg in order], [leg.amount_minor for leg in order],
    )  # fmt: skip
    if made is None:
        return None
    entry = LedgerEntry(
        id=made[0], kind=kind, source=source, memo=memo, created_at=moment, due_on=due_on, reverses_id=reverses
    )
    return written(session, entry)


def reverse(session: Session, entry_id: int, kind: str, source: str, memo: str = "") -> LedgerEntry | None:
    """Take an entry back whole, once: the same legs the other way. None where that was done before."""
    legs = session.scalars(select(Posting).where(Posting.entry_id == entry_id).order_by(Posting.id)).all()
    back = [Leg(leg.account, -leg.amount_minor, leg.connection_id) for leg in legs]
    return post(session, kind, source, back, memo, reverses=entry_id)


def balance_of(session: Session, connection_id: int) -> Money:
    """What the connection owes; negative is its credit."""
    minor = session.execute(select(Balance.amount_minor).where(Balance.connection_id == connection_id)).scalar()
    return money(minor or 0)


def statement(
    session: Session, connection_id: int, *, before: int | None = None, limit: int = 50
) -> list[StatementLine]:
    """The entries that moved the connection's balance, newest first; `before` is the last entry_id seen."""
    query = (
        select(LedgerEntry.id, LedgerEntry.kind, LedgerEntry.memo, Posting.amount_minor, LedgerEntry.created_at)
        .join(Posting, Posting.entry_id == LedgerEntry.id)
        .where(Posting.connection_id == connection_id, Posting.account == RECEIVABLE)
        .order_by(Posting.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(LedgerEntry.id < before)
    return [
        StatementLine(entry_id, kind, memo, money(minor), at)
        for entry_id, kind, memo, minor, at in session.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class LastPaid:
    """The newest payment that a connection was credited with; `source` is its entry's ("receipt:mpesa:600100:ABC")."""

    amount: Money
    at: datetime
    source: str

    def on(self, zone: str) -> date:
        """The day of it where the utility is."""
        return self.at.astimezone(ZoneInfo(zone)).date()


def last_payment(session: Session, connection_id: int) -> LastPaid | None:
    """The newest entry that lowered the connection's debt by money received (kind "payment")."""
    row = session.execute(
        select(Posting.amount_minor, LedgerEntry.created_at, LedgerEntry.source)
        .join(LedgerEntry, LedgerEntry.id == Posting.entry_id)
        .where(
            Posting.connection_id == connection_id,
            Posting.account == RECEIVABLE,
            LedgerEntry.kind == "payment",
        )
        .order_by(Posting.id.desc())
        .limit(1)
    ).first()
    return LastPaid(money(-row[0]), row[1], row[2]) if row else None
