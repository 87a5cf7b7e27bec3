"""A receipt on a roll of 80 mm. Imported when a paper is asked for: nothing else needs the library."""

from io import BytesIO

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy.orm import Session

from billing.models import Connection, Customer
from billing.moments import day_of
from billing.pdf.drawing import BOLD, FONT, Box, fitted, logo
from core.config import settings
from core.i18n import day_of as written
from core.money import Money
from payments.desk_models import DeskPayment
from payments.models import Receipt
from payments.receipts import label_of

WIDTH, EDGE, LINE = 80 * mm, 5 * mm, 13.0


def receipt_pdf(session: Session, receipt: Receipt) -> bytes:
    """The receipt, always the same: it says when it was paid, not when it was printed."""
    rows = _rows(session, receipt)
    height = 46 * mm + LINE * len(rows)
    sheet = BytesIO()
    canvas = Canvas(sheet, pagesize=(WIDTH, height), invariant=True)
    canvas.setTitle(f"Receipt {receipt.receipt}")
    logo(canvas, Box(EDGE, height - 15 * mm, 9 * mm, 9 * mm))
    canvas.setFont(BOLD, 11)
    canvas.drawString(EDGE + 11 * mm, height - 9 * mm, fitted(canvas, settings().utility_name, BOLD, 11, 58 * mm))
    canvas.setFont(FONT, 8)
    canvas.drawString(EDGE + 11 * mm, height - 13.5 * mm, f"Receipt {receipt.receipt}")
    y = height - 22 * mm
    for words, value in rows:
        canvas.setFont(FONT, 8.5)
        canvas.drawString(EDGE, y, words)
        canvas.drawRightString(WIDTH - EDGE, y, fitted(canvas, value, FONT, 8.5, 48 * mm))
        y -= LINE
    canvas.line(EDGE, y + 4, WIDTH - EDGE, y + 4)
    canvas.setFont(BOLD, 13)
    canvas.drawString(EDGE, y - 12, "Paid")
    canvas.drawRightString(WIDTH - EDGE, y - 12, str(Money(receipt.amount_minor, receipt.currency)))
    canvas.setFont(FONT, 7.5)
    canvas.drawCentredString(WIDTH / 2, y - 32, f"Thank you. Your balance: dial {settings().service_code}")
    canvas.showPage()
    canvas.save()
    return sheet.getvalue()


def _rows(session: Session, receipt: Receipt) -> list[tuple[str, str]]:
    place = session.get(Connection, receipt.connection_id) if receipt.connection_id else None
    owner = session.get(Customer, place.customer_id) if place and place.customer_id else None
    desk = session.get(DeskPayment, receipt.id)
    rows = [("Day", written(day_of(receipt.paid_at), "en")), ("Paid by", label_of(receipt.provider))]
    if place is not None:
        rows.append(("Account", place.account_no))
    if owner is not None:
        rows.append(("Customer", owner.name))
    if desk is not None:
        rows += [("Payer", desk.payer), ("Cashier", f"{desk.taken_by}, {receipt.shortcode}")]
        if desk.reference:
            rows.append(("Cheque" if desk.method == "cheque" else "Slip", f"{desk.bank} {desk.reference}".strip()))
    return rows
