"""A round over all debtors, part by part: whoever is due is told or charged, in transactions that stay short."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.arrears import debtors
from billing.late_fees import charge_late_fees
from billing.models import DunningRound
from billing.moments import here
from billing.reminders import take_steps
from core.clock import now
from core.outbox import after_commit

JOB = "billing.dunning"
WINDOW = 1_000  # debtors that one transaction, or one page, looks at


def start_round(session: Session, kind: str, by: str) -> DunningRound:
    """Begin a round of 'steps' or 'fees' with its first part; a job goes on with the rest. The open one if there is."""
    made = session.scalar(
        insert(DunningRound)
        .values(kind=kind, day=here(), after=0, taken=0, created_by=by, created_at=now())
        .on_conflict_do_nothing()
        .returning(DunningRound)
    )
    return go_on(session, made.id) if made is not None else open_rounds(session)[kind]


def open_rounds(session: Session) -> dict[str, DunningRound]:
    """The rounds that go on, by kind."""
    found = session.scalars(select(DunningRound).where(DunningRound.done_at.is_(None)))
    return {one.kind: one for one in found}


def go_on(session: Session, round_id: int) -> DunningRound:
    """The next part of a round. Who was told or charged is not again, however often it runs."""
    one = session.get_one(DunningRound, round_id, with_for_update=True, populate_existing=True)
    if one.done_at is not None:
        return one
    window = debtors(session, one.after, WINDOW)
    if one.kind == "steps":
        one.taken += sum(take_steps(session, one.created_by, one.day, window).values())
    else:
        one.taken += charge_late_fees(session, one.day, window)
    if window.more:
        one.after = window.upto
        after_commit(session, JOB, one.id)
    else:
        one.done_at = now()
    session.flush()
    return one
