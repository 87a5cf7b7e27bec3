"""The books as an accountant reads them: trial balance, general ledger, journal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from billing.models import Connection, LedgerEntry, Posting
from core.config import settings

AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account's debits and credits in minor units, both positive."""

    account: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        return self.debit_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One leg as exports have it; `at` in UTC, `amount_minor` debit positive."""

    entry_id: int
    at: datetime
    kind: str
    memo: str
    source: str
    account: str
    account_no: str | None
    amount_minor: int


def trial_balance(session: Session, until: date | None = None) -> list[AccountBalance]:
    """Every account up to and with a day (all). Reads all postings: for the hour or an export."""
    debit = func.coalesce(func.sum(Posting.amount_minor).filter(Posting.amount_minor > 0), 0)
    credit = func.coalesce(func.sum(-Posting.amount_minor).filter(Posting.amount_minor < 0), 0)
    query = select(Posting.account, debit, credit).group_by(Posting.account).order_by(Posting.account)
    if until is not None:
        query = query.join(LedgerEntry, LedgerEntry.id == Posting.entry_id).where(LedgerEntry.created_at < _end(until))
    return [AccountBalance(account, int(debits), int(credits)) for account, debits, credits in session.execute(query)]


def general_ledger(session: Session, account: str, *, before: int | None = None, limit: int = 50) -> list[JournalLine]:
    """The legs of an account, the newest first; `before` is the last entry_id seen."""
    query = _lines().where(Posting.account == account).order_by(Posting.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Posting.entry_id < before)
    return [JournalLine(*row) for row in session.execute(query)]


def journal(session: Session, first: date, last: date) -> Iterator[JournalLine]:
    """All legs of the days `first` to `last`, entry by entry; read as they are asked for, so memory stays small."""
    query = (
        _lines()
        .where(LedgerEntry.created_at >= _begin(first), LedgerEntry.created_at < _end(last))
        .order_by(LedgerEntry.created_at, LedgerEntry.id, Posting.id)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in session.execute(query):
        yield JournalLine(*row)


def entries(lines: Iterator[JournalLine]) -> Iterator[Sequence[JournalLine]]:
    """The legs of a journal, together by entry."""
    held: list[JournalLine] = []
    for line in lines:
        if held and held[0].entry_id != line.entry_id:
            yield held
            held = []
        held.append(line)
    if held:
        yield held


def _lines() -> "Select[tuple[int, datetime, str, str, str, str, str, int]]":
    return (
        select(
            LedgerEntry.id, LedgerEntry.created_at, LedgerEntry.kind, LedgerEntry.memo, LedgerEntry.source,
            Posting.account, Connection.account_no, Posting.amount_minor,
        )
        .join(LedgerEntry, LedgerEntry.id == Posting.entry_id)
        .outerjoin(Connection, Connection.id == Posting.connection_id)
    )  # fmt: skip


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings().utility_zone))


def _end(day: date) -> datetime:
    return _begin(day + timedelta(days=1))
