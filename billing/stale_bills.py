"""Bills that a correction has made wrong: they and those that stand on them are void and billed again, all or none."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.corrections import stale_invoices
from billing.models import Connection, Invoice
from billing.policies import policy_of
from billing.rebills import take_back
from billing.runs import RunRefusal
from billing.single_bills import bill_one


@dataclass(frozen=True, slots=True)
class RebillRefusal:
    """Why not: 'nothing' is wrong, 'second_person' (it would change the debt by more than the class's limit: make the
    bills void one by one, and somebody else approves), or a run's reason."""

    kind: str


def rebill_stale(session: Session, connection_id: int, by: str) -> Sequence[Invoice] | RebillRefusal:
    """Void the connection's wrong bills with all later ones, the newest first, and bill their months again in order.

    The customer gets one message, about the newest. No second person is asked for what the meter says, as long as the
    difference is within the limit for one.
    """
    session.execute(select(Connection.id).where(Connection.id == connection_id).with_for_update())
    stale = stale_invoices(session, connection_id)
    if not stale:
        return RebillRefusal("nothing")
    with session.begin_nested() as attempt:
        since = session.get_one(Invoice, stale[0].invoice_id).period_start
        old = session.scalars(
            select(Invoice)
            .where(
                Invoice.connection_id == connection_id, Invoice.kind == "regular", Invoice.status != "void",
                Invoice.period_start >= since,
            )
            .order_by(Invoice.period_start.desc())
        ).all()  # fmt: skip
        periods, amount = [one.period_start for one in reversed(old)], sum(one.amount_minor for one in old)
        for one in old:
            if one.status == "draft":
                attempt.rollback()
                return RebillRefusal("open")
            take_back(session, one.id, "Billed again by the corrected readings", by)
        made: list[Invoice] = []
        for period in periods:
            bill = bill_one(session, connection_id, period, by, notify=period == periods[-1])
            if isinstance(bill, RunRefusal):
                attempt.rollback()
                return RebillRefusal(bill.kind)
            made.append(bill)
        if abs(sum(one.amount_minor for one in made) - amount) > policy_of(session, connection_id).approval_minor:
            attempt.rollback()
            return RebillRefusal("second_person")
    return made
