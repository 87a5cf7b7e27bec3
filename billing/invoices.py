"""Invoices as they were issued."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.ledger import balance_of, money
from billing.models import Invoice, InvoiceLine
from core.money import Money


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of an issued invoice."""

    code: str
    label: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Money


@dataclass(frozen=True, slots=True)
class BillView:
    """An issued invoice. `period` is the first of its month; `owed` is the whole balance now."""

    number: str
    amount: Money
    owed: Money
    due_on: date
    period: date
    usage: Decimal
    lines: tuple[BillLine, ...]


def current_bill(session: Session, connection_id: int) -> BillView | None:
    """The newest issued invoice."""
    return next(iter(recent_bills(session, connection_id, limit=1)), None)


def recent_bills(session: Session, connection_id: int, *, limit: int = 6) -> list[BillView]:
    """The newest issued invoices, newest first."""
    invoices = session.scalars(
        select(Invoice)
        .where(Invoice.connection_id == connection_id, Invoice.status == "issued")
        .order_by(Invoice.period_start.desc())
        .limit(limit)
    ).all()
    owed = balance_of(session, connection_id)
    lines = _lines(session, [invoice.id for invoice in invoices])
    return [_view(invoice, owed, lines.get(invoice.id, [])) for invoice in invoices]


def list_invoices(
    session: Session, *, run_id: int | None = None, before: int | None = None, limit: int = 50
) -> list[Invoice]:
    """Issued invoices, or all of one run, newest first; `before` is the last id seen."""
    query = select(Invoice).order_by(Invoice.id.desc()).limit(limit)
    query = query.where(Invoice.run_id == run_id) if run_id is not None else query.where(Invoice.status == "issued")
    return list(session.scalars(query.where(Invoice.id < before) if before is not None else query))


def _view(invoice: Invoice, owed: Money, lines: list[BillLine]) -> BillView:
    assert invoice.number is not None
    assert invoice.due_on is not None
    return BillView(
        number=invoice.number,
        amount=money(invoice.amount_minor),
        owed=owed,
        due_on=invoice.due_on,
        period=invoice.period_start,
        usage=invoice.usage,
        lines=tuple(lines),
    )


def _lines(session: Session, invoice_ids: list[int]) -> dict[int, list[BillLine]]:
    found: dict[int, list[BillLine]] = {}
    for line in session.scalars(
        select(InvoiceLine)
        .where(InvoiceLine.invoice_id.in_(invoice_ids))
        .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
    ):
        view = BillLine(line.code, line.label, line.quantity, line.rate, money(line.amount_minor))
        found.setdefault(line.invoice_id, []).append(view)
    return found
