"""An invoice on A5."""

from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from billing.pdf.drawing import BOLD, FONT, Box, bars, fitted, logo, payment_code, qr
from billing.pdf.facts import Paper
from core.config import settings
from core.i18n import day_of, quantity

SIZE = A5
EDGE = 28.0
ROW = 11.5
LINES = 18  # charges that fit; more are summed up in one


def page(canvas: Canvas, paper: Paper) -> None:
    """One invoice on one page; the caller has set the size and ends the page."""
    width, height = SIZE
    y = _head(canvas, paper, width, height - EDGE)
    y = _reading(canvas, paper, width, y)
    y = _charges(canvas, paper, width, y)
    _sums(canvas, paper, width, y)
    _foot(canvas, paper, width)
    if paper.status == "void":
        canvas.saveState()
        canvas.setFont(BOLD, 70)
        canvas.setFillGray(0.8)
        canvas.drawCentredString(width / 2, height / 2, "VOID")
        canvas.restoreState()


def _head(canvas: Canvas, paper: Paper, width: float, y: float) -> float:
    logo(canvas, Box(EDGE, y - 30, 30, 30))
    canvas.setFont(BOLD, 13)
    canvas.drawString(EDGE + 36, y - 12, fitted(canvas, settings().utility_name, BOLD, 13, width / 2 - 36))
    canvas.setFont(FONT, 7.5)
    canvas.drawString(EDGE + 36, y - 24, f"Dial {settings().service_code}")
    canvas.setFont(BOLD, 11)
    canvas.drawRightString(width - EDGE, y - 10, f"INVOICE {paper.number}")
    canvas.setFont(FONT, 8)
    canvas.drawRightString(width - EDGE, y - 21, f"{paper.period:%B %Y}")
    canvas.drawRightString(width - EDGE, y - 31, f"Issued {day_of(paper.issued_on, 'en')}")
    y -= 50
    canvas.setFont(BOLD, 9)
    canvas.drawString(EDGE, y, fitted(canvas, paper.customer or "Customer", BOLD, 9, width / 2))
    canvas.drawRightString(width - EDGE, y, f"Account {paper.account_no}")
    canvas.setFont(FONT, 8)
    canvas.drawString(EDGE, y - 11, fitted(canvas, f"{paper.address}, {paper.zone}", FONT, 8, width / 2))
    canvas.setFont(BOLD, 8)
    canvas.drawRightString(width - EDGE, y - 11, f"Due {day_of(paper.due_on, 'en')}")
    return y - 24


def _reading(canvas: Canvas, paper: Paper, width: float, y: float) -> float:
    (before, since), (after, until) = paper.opening, paper.closing
    canvas.setFillGray(0.94)
    canvas.rect(EDGE, y - 6, width - 2 * EDGE, 16, stroke=0, fill=1)
    canvas.setFillGray(0)
    canvas.setFont(FONT, 7.5)
    read = "estimated" if paper.estimated else "read"
    canvas.drawString(
        EDGE + 4, y,
        f"Meter {quantity(before)} on {day_of(since, 'en')}, {quantity(after)} {read} on {day_of(until, 'en')}",
    )  # fmt: skip
    canvas.setFont(BOLD, 7.5)
    canvas.drawRightString(width - EDGE - 4, y, f"Used {quantity(paper.usage)} m3 in {paper.days} days")
    return y - 22


def _charges(canvas: Canvas, paper: Paper, width: float, y: float) -> float:
    canvas.setFont(BOLD, 7.5)
    canvas.drawString(EDGE, y, "Charge")
    for words, x in (("Quantity", width - 150), ("Rate", width - 95), ("Amount", width - EDGE)):
        canvas.drawRightString(x, y, words)
    canvas.line(EDGE, y - 3, width - EDGE, y - 3)
    canvas.setFont(FONT, 7.5)
    shown = paper.lines if len(paper.lines) <= LINES else paper.lines[: LINES - 1]
    for line in shown:
        y -= ROW
        canvas.drawString(EDGE, y, fitted(canvas, line.label, FONT, 7.5, width - 230))
        if line.quantity is not None:
            canvas.drawRightString(width - 150, y, quantity(line.quantity))
        if line.rate is not None:
            canvas.drawRightString(width - 95, y, quantity(line.rate))
        canvas.drawRightString(width - EDGE, y, f"{line.amount.major:,}")
    if len(shown) < len(paper.lines):
        y -= ROW
        rest = sum(line.amount.major for line in paper.lines[len(shown) :])
        canvas.drawString(EDGE, y, f"{len(paper.lines) - len(shown)} further charges")
        canvas.drawRightString(width - EDGE, y, f"{rest:,}")
    return y


def _sums(canvas: Canvas, paper: Paper, width: float, y: float) -> None:
    canvas.line(EDGE, y - 4, width - EDGE, y - 4)
    rows = [("This bill", paper.amount)]
    if paper.arrears:
        rows.append(("Owed from before" if paper.arrears.minor > 0 else "Credit from before", paper.arrears))
    for words, amount in rows:
        y -= ROW + 2
        canvas.setFont(FONT, 8.5)
        canvas.drawString(EDGE, y, words)
        canvas.drawRightString(width - EDGE, y, f"{amount.major:,}")
    y -= ROW + 6
    canvas.setFont(BOLD, 11)
    canvas.drawString(EDGE, y, "To pay")
    canvas.drawRightString(width - EDGE, y, str(paper.to_pay))


def _foot(canvas: Canvas, paper: Paper, width: float) -> None:
    code = payment_code(paper.account_no, paper.number, paper.to_pay.number)
    qr(canvas, code, Box(width - EDGE - 76, EDGE - 6, 76, 76))
    canvas.setFont(BOLD, 8)
    canvas.drawString(EDGE, EDGE + 58, "How to pay")
    canvas.setFont(FONT, 7.5)
    canvas.drawString(EDGE, EDGE + 47, f"M-Pesa: Pay Bill {settings().mpesa_shortcode}, account {paper.account_no}")
    canvas.drawString(EDGE, EDGE + 37, f"Or dial {settings().service_code} from your phone")
    bars(canvas, paper.history, Box(EDGE, EDGE - 10, width - 2 * EDGE - 90, 44))
