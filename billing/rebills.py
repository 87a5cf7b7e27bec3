"""Bills by readings that the dials have overtaken: they are made void as the one that replaces them is issued."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.models import Adjustment, BillingRun, Invoice, RunBatch
from billing.numbers import take_numbers
from billing.voids import make_void
from core.clock import now

REPLACED = text("""
    SELECT old.id FROM invoice i CROSS JOIN unnest(i.replaces) AS replaced (id) JOIN invoice old ON old.id = replaced.id
    WHERE i.run_id = :run_id AND i.connection_id BETWEEN :first AND :last AND i.status = 'draft'
      AND i.replaces IS NOT NULL AND old.status = 'issued'
    ORDER BY old.connection_id, old.period_start DESC
""")


def void_replaced(session: Session, run: BillingRun, batch: RunBatch) -> int:
    """Make them void, the newest of each connection first; how many. Whoever issues the run stands for it.

    No second person is asked: the new bill is for the same water, by what the meter says.
    """
    here = {"run_id": run.id, "first": batch.first_connection, "last": batch.last_connection}
    replaced = session.scalars(REPLACED, here).all()
    for invoice_id in replaced:
        take_back(session, invoice_id, f"Billed again by the meter, run {run.id}", run.issued_by or run.created_by)
    return len(replaced)


def take_back(session: Session, invoice_id: int, reason: str, by: str) -> None:
    """Make a bill void with a note, for one that takes its place in the same transaction."""
    old = session.get_one(Invoice, invoice_id)
    number = f"VOID-{take_numbers(session, 'void'):06d}"
    entry_id = make_void(session, invoice_id, f"{number}: {reason}")
    session.add(
        Adjustment(
            number=number, kind="void", connection_id=old.connection_id, invoice_id=invoice_id,
            amount_minor=-old.amount_minor, account="", reason=reason, status="posted", proposed_by=by,
            proposed_at=now(), decided_by=by, decided_at=now(), entry_id=entry_id,
        )
    )  # fmt: skip
    session.flush()
