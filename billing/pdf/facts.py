"""What stands on a paper invoice, read for many of them by a few statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session, aliased

from billing.models import Connection, Customer, Invoice, InvoiceLine, Meter, Reading, Zone
from billing.pdf.words import printable
from core.config import settings
from core.money import Money

MONTHS = 13  # this one, and the same month a year ago

HISTORY = text("""
    SELECT i.id, h.period_start, h.usage FROM invoice i JOIN LATERAL (
        SELECT b.period_start, b.usage FROM invoice b
        WHERE b.connection_id = i.connection_id AND b.kind = i.kind AND b.status <> 'void'
          AND b.period_start <= i.period_start
        ORDER BY b.period_start DESC LIMIT :months
    ) h ON true
    WHERE i.id = ANY(:ids) ORDER BY i.id, h.period_start
""")


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One charge."""

    label: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Money


@dataclass(slots=True)
class Paper:
    """An issued invoice with all that is printed of it. `history` is the usage by month, the oldest first.

    `meter` is the serial number of the one that was read last; `language` the customer's.
    """

    number: str
    status: str
    customer: str
    address: str
    account_no: str
    zone: str
    period: date
    issued_on: date
    due_on: date
    opening: tuple[Decimal, date]
    closing: tuple[Decimal, date]
    estimated: bool
    usage: Decimal
    days: int
    amount: Money
    arrears: Money
    meter: str = ""
    language: str = "en"
    lines: list[PaperLine] = field(default_factory=list)
    history: list[tuple[date, Decimal]] = field(default_factory=list)

    @property
    def to_pay(self) -> Money:
        return self.amount + self.arrears


def papers(session: Session, invoice_ids: Sequence[int]) -> list[Paper]:
    """Those of the invoices that are not drafts, in the order of the ids."""
    found = _heads(session, invoice_ids)
    ids = list(found)
    query = select(InvoiceLine).where(InvoiceLine.invoice_id.in_(ids))
    for line in session.scalars(query.order_by(InvoiceLine.invoice_id, InvoiceLine.position)):
        paper = found[line.invoice_id]
        amount = Money(line.amount_minor, paper.amount.currency)
        paper.lines.append(PaperLine(line.label, line.quantity, line.rate, amount))
    used: defaultdict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for invoice_id, month, usage in session.execute(HISTORY, {"ids": ids, "months": MONTHS}).tuples():
        used[invoice_id].append((month, usage))
    for invoice_id, paper in found.items():
        paper.history = used[invoice_id]
    return [found[invoice_id] for invoice_id in invoice_ids if invoice_id in found]


def _heads(session: Session, invoice_ids: Sequence[int]) -> dict[int, Paper]:
    from billing.ledger import money
    from billing.moments import day_of

    opening, closing = aliased(Reading), aliased(Reading)
    rows = session.execute(
        select(Invoice, Connection, Zone.name, Customer.name, Customer.language, Meter.serial, opening, closing)
        .join(Connection, Connection.id == Invoice.connection_id)
        .join(Zone, Zone.id == Connection.zone_id)
        .outerjoin(Customer, Customer.id == Connection.customer_id)
        .join(opening, opening.id == Invoice.opening_reading_id)
        .join(closing, closing.id == Invoice.closing_reading_id)
        .join(Meter, Meter.id == closing.meter_id)
        .where(Invoice.id.in_(invoice_ids), Invoice.status != "draft")
    )
    found = {}
    for bill, place, zone, name, language, serial, before, after in rows.tuples():
        assert bill.number is not None
        assert bill.issued_at is not None
        assert bill.due_on is not None
        found[bill.id] = Paper(
            number=bill.number, status=bill.status, customer=printable(name or ""), address=printable(place.address),
            account_no=place.account_no, zone=printable(zone), meter=printable(serial),
            language=language or settings().default_language, period=bill.period_start,
            issued_on=day_of(bill.issued_at), due_on=bill.due_on, opening=(before.value, before.taken_on),
            closing=(after.value, after.taken_on),
            estimated=after.source == "estimate", usage=bill.usage, days=bill.days, amount=money(bill.amount_minor),
            arrears=money(bill.arrears_minor),
        )  # fmt: skip
    return found
