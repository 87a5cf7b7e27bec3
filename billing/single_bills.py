"""One connection's bill: a run of its own, all at once, such as after a bill was made void."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.batches import compute_batch, issue_batch
from billing.models import Invoice, RunBatch
from billing.runs import RunRefusal, issue_run, open_run, problems


def bill_one(
    session: Session, connection_id: int, period: date, by: str, *, notify: bool = True
) -> Invoice | RunRefusal:
    """Bill one connection for the month of `period` and issue it.

    Refused as a run is, and with the worklist's reason ('no_reading', ...), or 'billed' where the month has its bill.
    """
    with session.begin_nested() as attempt:
        run = open_run(session, period, by, notify=notify)
        if isinstance(run, RunRefusal):
            return run
        batch = RunBatch(run_id=run.id, first_connection=connection_id, last_connection=connection_id, invoices=0)
        batch.status, run.total = "waiting", 1
        session.add(batch)
        session.flush()
        compute_batch(session, batch.id)
        if not run.done:
            found = problems(session, run.id)
            attempt.rollback()
            return RunRefusal(found[0].reason if found else "billed")
        issue_run(session, run.id, by)
        issue_batch(session, batch.id)
    session.expire_all()
    return session.scalars(select(Invoice).where(Invoice.run_id == run.id)).one()
