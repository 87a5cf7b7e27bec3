"""An invoice on the roll of a thermal printer, 80 mm wide and as long as it needs."""

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from billing.pdf.drawing import BOLD, FONT, Box, bars, fitted, logo, payment_code, qr
from billing.pdf.facts import Paper
from core.config import settings
from core.i18n import day_of, quantity
from core.money import Money

WIDTH = 80 * mm
EDGE = 4 * mm
ROW = 11.0
HEAD, FOOT = 138.0, 200.0


def size(paper: Paper) -> tuple[float, float]:
    """How long the strip has to be."""
    return WIDTH, HEAD + FOOT + ROW * (len(paper.lines) + 2)


def page(canvas: Canvas, paper: Paper) -> None:
    """One invoice on one strip; the caller has set the size and ends the page."""
    _, height = size(paper)
    y = _head(canvas, paper, height)
    for line in paper.lines:
        y = _row(canvas, y, line.label, line.amount)
    canvas.line(EDGE, y + 7, WIDTH - EDGE, y + 7)
    y = _row(canvas, y - 3, "This bill", paper.amount)
    if paper.arrears:
        y = _row(canvas, y, "Owed from before" if paper.arrears.minor > 0 else "Credit from before", paper.arrears)
    canvas.setFont(BOLD, 12)
    canvas.drawString(EDGE, y - 6, "TO PAY")
    canvas.drawRightString(WIDTH - EDGE, y - 6, str(paper.to_pay))
    y = _centred(canvas, y - 22, f"by {day_of(paper.due_on, 'en')}", BOLD, 9)
    y = _centred(canvas, y, f"Pay Bill {settings().mpesa_shortcode}, account {paper.account_no}", FONT, 8)
    _centred(canvas, y, f"or dial {settings().service_code}", FONT, 8)
    bars(canvas, paper.history, Box(EDGE, 78, WIDTH - 2 * EDGE, 40))
    code = payment_code(paper.account_no, paper.number, paper.to_pay.number)
    qr(canvas, code, Box(WIDTH / 2 - 36, 4, 72, 72))


def _head(canvas: Canvas, paper: Paper, height: float) -> float:
    logo(canvas, Box(WIDTH / 2 - 12, height - 32, 24, 24))
    y = _centred(canvas, height - 44, settings().utility_name, BOLD, 11)
    void = " VOID" if paper.status == "void" else ""
    y = _centred(canvas, y, f"Invoice {paper.number}{void}", BOLD, 9)
    y = _centred(canvas, y, f"{paper.period:%B %Y}", FONT, 8)
    y = _centred(canvas, y - 2, paper.customer or "Customer", FONT, 8)
    y = _centred(canvas, y, f"Account {paper.account_no}", BOLD, 9)
    read = ", estimated" if paper.estimated else ""
    y = _centred(canvas, y, f"Meter {quantity(paper.opening[0])} to {quantity(paper.closing[0])}{read}", FONT, 8)
    return _centred(canvas, y, f"Used {quantity(paper.usage)} m3 in {paper.days} days", FONT, 8) - 4


def _centred(canvas: Canvas, y: float, words: str, font: str, points: float) -> float:
    canvas.setFont(font, points)
    canvas.drawCentredString(WIDTH / 2, y, fitted(canvas, words, font, points, WIDTH - 2 * EDGE))
    return y - ROW


def _row(canvas: Canvas, y: float, words: str, amount: Money) -> float:
    canvas.setFont(FONT, 8)
    canvas.drawString(EDGE, y, fitted(canvas, words, FONT, 8, WIDTH - 2 * EDGE - 60))
    canvas.drawRightString(WIDTH - EDGE, y, f"{amount.major:,}")
    return y - ROW
