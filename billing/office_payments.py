"""Money that the utility takes itself, at the desk or by its bank: credited once for its reference."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.ledger import RECEIVABLE, Leg, post
from billing.models import LedgerEntry
from billing.moments import moment_of

METHODS = {"bank": "Bank", "cash": "Cash at the office", "cheque": "Cheque"}
ACCOUNTS = {"bank": "cash:bank", "cash": "cash:office", "cheque": "cash:bank"}


def source_of(method: str, reference: str) -> str:
    """What makes a payment one: its method and reference, however the latter is written."""
    return f"office:{method}:{''.join(reference.split()).upper()}"


def credit_office_payment(
    session: Session, connection_id: int, amount_minor: int, *, method: str, reference: str, on: date
) -> LedgerEntry | None:
    """Credit what came in on a day. None where money with this method and reference stands in the books already."""
    source = free_source(session, source_of(method, reference))
    if source is None:
        return None
    legs = [Leg(ACCOUNTS[method], amount_minor), Leg(RECEIVABLE, -amount_minor, connection_id)]
    return post(session, "payment", source, legs, f"{METHODS[method]} {reference}", at=moment_of(on))


def free_source(session: Session, source: str) -> str | None:
    """The source to post under: an entry that was taken back keeps its own in the books. None where one stands."""
    times, name = 1, source
    while True:
        entry = session.scalar(select(LedgerEntry.id).where(LedgerEntry.source == name))
        if entry is None:
            return name
        if session.scalar(select(LedgerEntry.id).where(LedgerEntry.reverses_id == entry)) is None:
            return None
        times += 1
        name = f"{source}:{times}"
