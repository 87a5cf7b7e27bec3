"""An invoice on A5: what is owed and until when, how it came about, and how to pay it."""

from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from billing.pdf.drawing import BOLD, DEEP, FONT, INK, PALE, Box, bars, fitted, logo, payment_code, qr
from billing.pdf.facts import Paper
from billing.pdf.words import by_paybill, by_phone, days, figure, further, label, printable, words
from core.config import settings
from core.i18n import Month, day_of, money, quantity, say, written
from core.money import Money

SIZE = A5
WIDTH, HEIGHT = float(A5[0]), float(A5[1])
EDGE = 28.0
RIGHT = WIDTH - EDGE
ROW = 12.0
FOOT = 146.0  # how high the part with the payment and the graph is
LINES = 14  # charges that fit; more are summed up in one


def page(canvas: Canvas, paper: Paper) -> None:
    """One invoice on one page; the caller has set the size and ends the page."""
    if paper.status == "void":
        _void(canvas, paper)
    canvas.setFillColorRGB(*INK)
    canvas.setStrokeColorRGB(*INK)
    canvas.setLineWidth(0.5)
    y = _head(canvas, paper)
    y = _customer(canvas, paper, y)
    y = _readings(canvas, paper, y)
    y = _charges(canvas, paper, y)
    _sums(canvas, paper, y)
    _foot(canvas, paper)


def _void(canvas: Canvas, paper: Paper) -> None:
    """Behind everything, across the page."""
    canvas.saveState()
    canvas.translate(WIDTH / 2, HEIGHT / 2)
    canvas.rotate(35)
    canvas.setFont(BOLD, 84)
    canvas.setFillGray(0.86)
    canvas.drawCentredString(0, -30, words(paper.language)["void"])
    canvas.restoreState()


def _head(canvas: Canvas, paper: Paper) -> float:
    said, y = words(paper.language), HEIGHT - EDGE
    logo(canvas, Box(EDGE, y - 34, 34, 34))
    _text(canvas, EDGE + 42, y - 15, printable(settings().utility_name), BOLD, 14, width=200)
    _text(canvas, EDGE + 42, y - 28, settings().service_code, FONT, 8.5)
    canvas.setFillColorRGB(*DEEP)
    _right(canvas, RIGHT, y - 13, said["invoice"].upper(), BOLD, 13)
    canvas.setFillColorRGB(*INK)
    _right(canvas, RIGHT, y - 24, paper.number, BOLD, 8.5)
    _right(canvas, RIGHT, y - 34, written(Month(paper.period), paper.language), FONT, 8.5)
    canvas.setFillColorRGB(*DEEP)
    canvas.rect(EDGE, y - 44, RIGHT - EDGE, 1.6, stroke=0, fill=1)
    canvas.setFillColorRGB(*INK)
    return y - 60


def _customer(canvas: Canvas, paper: Paper, y: float) -> float:
    """Whose bill it is, and beside it the box with what is owed and until when."""
    said, box = words(paper.language), Box(RIGHT - 172, y - 44, 172, 54)
    _text(canvas, EDGE, y, paper.customer or said["account"], BOLD, 10, width=180)
    for line in (paper.address, paper.zone):
        y -= 11
        _text(canvas, EDGE, y, line, FONT, 8.5, width=180)
    _text(canvas, EDGE, y - 16, f"{said['account']} {paper.account_no}", BOLD, 9.5)
    canvas.setFillColorRGB(*DEEP)
    canvas.roundRect(box.x, box.y, box.width, box.height, 4, stroke=0, fill=1)
    canvas.setFillGray(1)
    top, middle = box.y + box.height, box.x + 10
    if paper.to_pay.minor > 0:
        _text(canvas, middle, top - 14, said["to_pay"], FONT, 8.5)
        _text(canvas, middle, top - 33, money(paper.to_pay, paper.language), BOLD, 17, width=box.width - 20)
        _text(canvas, middle, top - 47, f"{said['pay_by']} {day_of(paper.due_on, paper.language)}", BOLD, 8.5)
    else:
        _text(canvas, middle, top - 24, said["nothing"], BOLD, 13, width=box.width - 20)
        credit = f"{said['left']}: {money(-paper.to_pay, paper.language)}" if paper.to_pay.minor else ""
        _text(canvas, middle, top - 42, credit, FONT, 8, width=box.width - 20)
    canvas.setFillColorRGB(*INK)
    return box.y - 14


def _readings(canvas: Canvas, paper: Paper, y: float) -> float:
    """The dials and what has gone through them; a reading that nobody took is called so."""
    said, language = words(paper.language), paper.language
    (before, since), (after, until) = paper.opening, paper.closing
    canvas.setFillColorRGB(*PALE)
    canvas.rect(EDGE, y - 26, RIGHT - EDGE, 36, stroke=0, fill=1)
    canvas.setFillColorRGB(*INK)
    width = (RIGHT - EDGE) / 4
    this = said["estimated"] if paper.estimated else said["this"]
    for place, (head, dial, below) in enumerate((
        (said["meter"], paper.meter, f"{said['issued']} {day_of(paper.issued_on, language)}"),
        (said["last"], quantity(before, language), day_of(since, language)),
        (this, quantity(after, language), day_of(until, language)),
        (said["used"], f"{quantity(paper.usage, language)} m3", days(paper.days, language)),
    )):  # fmt: skip
        x = EDGE + 6 + place * width
        _text(canvas, x, y, head, FONT, 7, width=width - 8)
        _text(canvas, x, y - 11, dial, BOLD, 9.5, width=width - 8)
        _text(canvas, x, y - 21, below, FONT, 7, width=width - 8)
    if paper.estimated:
        _text(canvas, EDGE + 6, y - 36, said["why_estimated"], FONT, 7, width=RIGHT - EDGE - 12)
    return y - (58 if paper.estimated else 46)


def _charges(canvas: Canvas, paper: Paper, y: float) -> float:
    said, language = words(paper.language), paper.language
    _text(canvas, EDGE, y, said["charge"], BOLD, 8)
    for name, x in (("quantity", WIDTH - 160), ("rate", WIDTH - 98)):
        _right(canvas, x, y, said[name], BOLD, 8)
    _right(canvas, RIGHT, y, f"{said['amount']}, {paper.amount.currency}", BOLD, 8)
    canvas.line(EDGE, y - 4, RIGHT, y - 4)
    y -= 3
    shown = paper.lines if len(paper.lines) <= LINES else paper.lines[: LINES - 1]
    for line in shown:
        y -= ROW
        _text(canvas, EDGE, y, label(line.label, language), FONT, 8, width=WIDTH - 240)
        if line.quantity is not None and line.rate is not None and not line.label.endswith("%"):
            _right(canvas, WIDTH - 160, y, quantity(line.quantity, language), FONT, 8)
            _right(canvas, WIDTH - 98, y, quantity(line.rate, language), FONT, 8)
        _right(canvas, RIGHT, y, figure(line.amount, language), FONT, 8)
    if len(shown) < len(paper.lines):
        y -= ROW
        rest = sum((line.amount for line in paper.lines[len(shown) :]), Money.zero(paper.amount.currency))
        _text(canvas, EDGE, y, further(len(paper.lines) - len(shown), language), FONT, 8)
        _right(canvas, RIGHT, y, figure(rest, language), FONT, 8)
    return y


def _sums(canvas: Canvas, paper: Paper, y: float) -> None:
    said, language = words(paper.language), paper.language
    canvas.line(EDGE, y - 5, RIGHT, y - 5)
    rows = [(said["this_bill"], paper.amount)]
    if paper.arrears:
        rows.append((said["owed"] if paper.arrears.minor > 0 else said["credit"], paper.arrears))
    y -= 4
    for name, amount in rows:
        y -= ROW
        _text(canvas, EDGE, y, name, FONT, 8.5)
        _right(canvas, RIGHT, y, figure(amount, language), FONT, 8.5)
    if paper.arrears:
        y -= ROW + 2
        _text(canvas, EDGE, y, said["to_pay"], BOLD, 9.5)
        owed = paper.to_pay if paper.to_pay.minor > 0 else Money.zero(paper.amount.currency)
        _right(canvas, RIGHT, y, money(owed, language), BOLD, 9.5)


def _foot(canvas: Canvas, paper: Paper) -> None:
    said, language, top = words(paper.language), paper.language, FOOT
    canvas.line(EDGE, top, RIGHT, top)
    code = payment_code(paper.account_no, paper.number, paper.to_pay.number)
    qr(canvas, code, Box(RIGHT - 74, top - 78, 78, 78))
    _right(canvas, RIGHT, top - 84, said["scan"], FONT, 6.5)
    _text(canvas, EDGE, top - 14, said["how"], BOLD, 9.5)
    _text(canvas, EDGE, top - 28, say(by_paybill(settings().mpesa_shortcode, paper.account_no), language), FONT, 8.5)
    _text(canvas, EDGE, top - 40, say(by_phone(settings().service_code), language), FONT, 8.5)
    _text(canvas, EDGE, top - 60, said["history"], BOLD, 7.5)
    bars(canvas, paper.history, Box(EDGE, 16, RIGHT - EDGE - 90, top - 82), language)


def _text(
    canvas: Canvas, x: float, y: float, text: str, font: str, points: float, *, width: float | None = None
) -> None:
    canvas.setFont(font, points)
    canvas.drawString(x, y, text if width is None else fitted(canvas, text, font, points, width))


def _right(canvas: Canvas, x: float, y: float, text: str, font: str, points: float) -> None:
    canvas.setFont(font, points)
    canvas.drawRightString(x, y, text)
