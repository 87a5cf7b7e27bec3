"""Void invoices: their entry is reversed, their number stays taken, what they billed can be billed again."""

from sqlalchemy import exists, select, text, update
from sqlalchemy.orm import Session

from billing.ledger import reverse
from billing.models import Adjustment, Invoice, LedgerEntry

# In COPY and sets nobody tells the session, so nor does this.
VOID = update(Invoice).values(status="void").execution_options(synchronize_session=False)


def void_obstacle(session: Session, invoice_id: int, *, proposed: int | None = None) -> str | None:
    """Why an invoice cannot be made void now, if so: 'not_issued', 'later_bill' or 'proposed' (by another)."""
    invoice = session.get_one(Invoice, invoice_id, populate_existing=True)
    if invoice.status != "issued":
        return "not_issued"
    later = exists().where(
        Invoice.connection_id == invoice.connection_id, Invoice.kind == invoice.kind, Invoice.status != "void",
        Invoice.period_start > invoice.period_start,
    )  # fmt: skip
    if session.scalar(select(later)):
        return "later_bill"
    other = exists().where(
        Adjustment.kind == "void", Adjustment.invoice_id == invoice_id, Adjustment.status != "rejected",
        Adjustment.id != (proposed or 0),
    )  # fmt: skip
    return "proposed" if session.scalar(select(other)) else None


def make_void(session: Session, invoice_id: int, memo: str) -> int | None:
    """Reverse the invoice's entry and mark it; the reversal's id, or None where it had charged nothing."""
    charged = session.scalar(select(LedgerEntry.id).where(LedgerEntry.source == f"invoice:{invoice_id}"))
    entry = reverse(session, charged, "void", f"void:{invoice_id}", memo) if charged is not None else None
    session.execute(VOID.where(Invoice.id == invoice_id))
    session.execute(
        text("UPDATE message SET status = 'skipped', failure_reason = 'withdrawn', final_at = now()"
             " WHERE key = :key AND status = 'queued'"),
        {"key": f"bill:{invoice_id}"},
    )  # fmt: skip
    session.expire_all()
    return entry.id if entry is not None else None
