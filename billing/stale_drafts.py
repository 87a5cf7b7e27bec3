"""Drafts that a correction of their readings has overtaken: they are dropped before the run is numbered."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.models import BillingRun

# Drafts whose readings are not what they were made of any more.
STALE = text("""
    SELECT i.id FROM invoice i
    JOIN reading o ON o.id = i.opening_reading_id
    JOIN reading c ON c.id = i.closing_reading_id
    LEFT JOIN reading r ON r.connection_id = i.connection_id AND r.status = 'accepted'
        AND r.taken_on BETWEEN o.taken_on AND c.taken_on
        AND (r.taken_on, r.id) > (o.taken_on, o.id) AND (r.taken_on, r.id) <= (c.taken_on, c.id)
    WHERE i.run_id = :run_id AND i.status = 'draft'
    GROUP BY i.id, o.status, c.status
    HAVING o.status <> 'accepted' OR c.status <> 'accepted' OR i.usage <> coalesce(sum(r.usage), 0)
""")

DROP_STALE = (
    text("""
        INSERT INTO run_problem (run_id, connection_id, reason)
        SELECT run_id, connection_id, 'changed' FROM invoice WHERE id = ANY(:ids)
    """),
    text("""
        UPDATE run_batch b SET invoices = invoices - s.stale FROM (
            SELECT b.id, count(*) AS stale FROM run_batch b JOIN invoice i
                ON i.run_id = b.run_id AND i.connection_id BETWEEN b.first_connection AND b.last_connection
            WHERE b.run_id = :run_id AND i.id = ANY(:ids) GROUP BY b.id
        ) s WHERE b.id = s.id
    """),
    text("DELETE FROM invoice_line WHERE invoice_id = ANY(:ids)"),
    text("DELETE FROM invoice WHERE id = ANY(:ids)"),
)


def drop_stale(session: Session, run: BillingRun) -> None:
    """Put them on the worklist of the run, whose batches and own row are locked."""
    stale = session.scalars(STALE, {"run_id": run.id}).all()
    if not stale:
        return
    session.flush()
    for statement in DROP_STALE:
        session.execute(statement, {"run_id": run.id, "ids": list(stale)})
    session.expire_all()
    run.done, run.failed = run.done - len(stale), run.failed + len(stale)
    session.flush()
