"""Credit and debit notes, adjustments, write-offs: a reason for each, and a second person over the class's limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.issuing import due_after
from billing.ledger import RECEIVABLE, Leg, post
from billing.models import Adjustment, Connection, Invoice
from billing.moments import here
from billing.numbers import take_numbers
from billing.policies import policy_of
from billing.voids import make_void, void_obstacle
from core.clock import now

SERIES = {"credit_note": "CN", "debit_note": "DN", "adjustment": "ADJ", "write_off": "WO", "void": "VOID"}
ACCOUNTS = {
    "revenue:water": "Water", "revenue:fixed": "Fixed charges", "revenue:sewer": "Sewer", "revenue:levy": "Levies",
    "revenue:other": "Other charges", "expense:goodwill": "Goodwill", "expense:bad-debt": "Bad debts",
}  # fmt: skip
LOWERS, RAISES = ("credit_note", "write_off"), ("debit_note",)


@dataclass(frozen=True, slots=True)
class NoteRefusal:
    """Why not: 'reason', 'amount' (its sign does not fit the kind), 'account', 'state' (decided or not as it was),
    'same_person', 'later_bill' (a newer bill stands on it), 'not_issued', 'proposed' (one waits already)."""

    kind: str


def correct(
    session: Session, kind: str, connection_id: int, amount_minor: int, account: str, reason: str, by: str,
    *, invoice_id: int | None = None,
) -> Adjustment | NoteRefusal:  # fmt: skip
    """Change what a connection owes by `amount_minor` (below zero: less), against a revenue or expense account.

    Up to the class's limit it is in the books at once, above it waits for a second person.
    """
    wrong = (kind in LOWERS and amount_minor > 0) or (kind in RAISES and amount_minor < 0)
    if wrong or not amount_minor or kind not in SERIES or kind == "void":
        return NoteRefusal("amount")
    if account not in ACCOUNTS:
        return NoteRefusal("account")
    return _propose(session, kind, connection_id, amount_minor, account, reason, by, invoice_id)


def void(session: Session, invoice_id: int, reason: str, by: str) -> Adjustment | NoteRefusal:
    """Take an issued invoice back, the newest of its connection; what it billed can be billed anew."""
    invoice = session.get_one(Invoice, invoice_id)
    session.execute(select(Connection.id).where(Connection.id == invoice.connection_id).with_for_update())
    if (obstacle := void_obstacle(session, invoice_id)) is not None:
        return NoteRefusal(obstacle)
    return _propose(session, "void", invoice.connection_id, -invoice.amount_minor, "", reason, by, invoice_id)


def decide(session: Session, adjustment_id: int, by: str, *, approve: bool) -> Adjustment | NoteRefusal:
    """A second person's decision about what was proposed. Who proposed it may take it back, not approve it."""
    one = session.get_one(Adjustment, adjustment_id, with_for_update=True, populate_existing=True)
    if one.status != "proposed":
        return NoteRefusal("state")
    if approve and by == one.proposed_by:
        return NoteRefusal("same_person")
    if not approve:
        one.status, one.decided_by, one.decided_at = "rejected", by, now()
        session.flush()
        return one
    return _post(session, one, by)


def waiting(session: Session) -> Sequence[Adjustment]:
    """What waits for a second person, the oldest first."""
    return session.scalars(select(Adjustment).where(Adjustment.status == "proposed").order_by(Adjustment.id)).all()


def _propose(
    session: Session, kind: str, connection_id: int, amount_minor: int, account: str, reason: str, by: str,
    invoice_id: int | None,
) -> Adjustment | NoteRefusal:  # fmt: skip
    reason = " ".join(reason.split())
    if not reason:
        return NoteRefusal("reason")
    one = Adjustment(
        kind=kind, connection_id=connection_id, invoice_id=invoice_id, amount_minor=amount_minor, account=account,
        reason=reason, status="proposed", proposed_by=by, proposed_at=now(),
    )  # fmt: skip
    session.add(one)
    session.flush()
    if abs(amount_minor) > policy_of(session, connection_id).approval_minor:
        return one
    return _post(session, one, by)


def _post(session: Session, one: Adjustment, by: str) -> Adjustment | NoteRefusal:
    if one.kind == "void":
        assert one.invoice_id is not None
        session.execute(select(Connection.id).where(Connection.id == one.connection_id).with_for_update())
        obstacle = void_obstacle(session, one.invoice_id, proposed=one.id)
        if obstacle is not None:
            return NoteRefusal(obstacle)
    prefix = SERIES[one.kind]
    one.number = f"{prefix}-{take_numbers(session, one.kind):06d}"
    one.status, one.decided_by, one.decided_at = "posted", by, now()
    session.flush()
    if one.kind == "void":
        assert one.invoice_id is not None
        one.entry_id = make_void(session, one.invoice_id, f"{one.number}: {one.reason}")
    else:
        one.entry_id = _entry(session, one)
    session.flush()
    return one


def _entry(session: Session, one: Adjustment) -> int:
    entry = post(
        session, one.kind, f"adjustment:{one.id}",
        [Leg(RECEIVABLE, one.amount_minor, one.connection_id), Leg(one.account, -one.amount_minor)],
        f"{one.number}: {one.reason}", due_on=due_after(here()) if one.amount_minor > 0 else None,
    )  # fmt: skip
    assert entry is not None, "an adjustment is posted under its row's lock, once"
    return entry.id
