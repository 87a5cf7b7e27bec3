"""An invoice on the roll of a thermal printer, 80 mm wide and as long as it needs."""

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from billing.pdf.drawing import BOLD, FONT, Box, bars, fitted, logo, payment_code, qr
from billing.pdf.facts import Paper
from billing.pdf.words import by_paybill, by_phone, days, figure, label, printable, words
from core.config import settings
from core.i18n import Month, day_of, money, quantity, say, written
from core.money import Money

WIDTH = 80 * mm
EDGE = 4 * mm
ROW = 11.5
HEAD, SUMS, FOOT = 196.0, 70.0, 190.0


def size(paper: Paper) -> tuple[float, float]:
    """How long the strip has to be."""
    return WIDTH, HEAD + SUMS + FOOT + ROW * (len(paper.lines) + bool(paper.arrears))


def page(canvas: Canvas, paper: Paper) -> None:
    """One invoice on one strip; the caller has set the size and ends the page."""
    _, height = size(paper)
    canvas.setLineWidth(0.6)
    y = _readings(canvas, paper, _head(canvas, paper, height))
    for line in paper.lines:
        y = _row(canvas, y, label(line.label, paper.language), line.amount, paper.language)
    _foot(canvas, paper, _sums(canvas, paper, y))


def _head(canvas: Canvas, paper: Paper, height: float) -> float:
    said, language = words(paper.language), paper.language
    logo(canvas, Box(WIDTH / 2 - 15, height - 38, 30, 30))
    y = _centred(canvas, height - 52, printable(settings().utility_name), BOLD, 12)
    void = f" - {said['void']}" if paper.status == "void" else ""
    y = _centred(canvas, y - 2, f"{said['invoice']} {paper.number}{void}", BOLD, 9)
    y = _centred(canvas, y, written(Month(paper.period), language), FONT, 8.5)
    y = _rule(canvas, y)
    y = _centred(canvas, y, paper.customer or said["account"], BOLD, 9)
    y = _centred(canvas, y, f"{paper.address}, {paper.zone}", FONT, 8)
    return _rule(canvas, _centred(canvas, y, f"{said['account']} {paper.account_no}", BOLD, 10))


def _readings(canvas: Canvas, paper: Paper, y: float) -> float:
    said, language = words(paper.language), paper.language
    (before, since), (after, until) = paper.opening, paper.closing
    this = said["estimated"] if paper.estimated else said["this"]
    for name, figures in (
        (said["meter"], paper.meter),
        (f"{said['last']}, {day_of(since, language)}", quantity(before, language)),
        (f"{this}, {day_of(until, language)}", quantity(after, language)),
        (f"{said['used']}, {days(paper.days, language)}", f"{quantity(paper.usage, language)} m3"),
    ):
        y = _pair(canvas, y, name, figures, FONT, 8)
    return _rule(canvas, y)


def _sums(canvas: Canvas, paper: Paper, y: float) -> float:
    said, language = words(paper.language), paper.language
    y = _row(canvas, _rule(canvas, y), said["this_bill"], paper.amount, language)
    if paper.arrears:
        y = _row(canvas, y, said["owed"] if paper.arrears.minor > 0 else said["credit"], paper.arrears, language)
    if paper.to_pay.minor > 0:
        y = _pair(canvas, y - 6, said["to_pay"], money(paper.to_pay, language), BOLD, 13)
        y = _pair(canvas, y - 2, said["pay_by"], day_of(paper.due_on, language), BOLD, 10)
    else:
        y = _centred(canvas, y - 6, said["nothing"], BOLD, 12) - ROW
    return _rule(canvas, y - 2)


def _foot(canvas: Canvas, paper: Paper, y: float) -> None:
    said, language = words(paper.language), paper.language
    y = _centred(canvas, y, said["how"], BOLD, 9)
    y = _centred(canvas, y, say(by_paybill(settings().mpesa_shortcode, paper.account_no), language), FONT, 8)
    y = _centred(canvas, y, say(by_phone(settings().service_code), language), FONT, 8)
    code = payment_code(paper.account_no, paper.number, paper.to_pay.number)
    qr(canvas, code, Box(WIDTH / 2 - 42, y - 78, 84, 84))
    y = _centred(canvas, y - 92, said["history"], BOLD, 7.5)
    bars(canvas, paper.history, Box(EDGE, y - 46, WIDTH - 2 * EDGE, 52), language)


def _rule(canvas: Canvas, y: float) -> float:
    canvas.line(EDGE, y + 5, WIDTH - EDGE, y + 5)
    return y - 7


def _centred(canvas: Canvas, y: float, text: str, font: str, points: float) -> float:
    canvas.setFont(font, points)
    canvas.drawCentredString(WIDTH / 2, y, fitted(canvas, text, font, points, WIDTH - 2 * EDGE))
    return y - ROW


def _pair(canvas: Canvas, y: float, name: str, text: str, font: str, points: float) -> float:
    canvas.setFont(font, points)
    room = WIDTH - 2 * EDGE - canvas.stringWidth(text, font, points) - 6
    canvas.drawString(EDGE, y, fitted(canvas, name, font, points, room))
    canvas.drawRightString(WIDTH - EDGE, y, text)
    return y - ROW


def _row(canvas: Canvas, y: float, name: str, amount: Money, language: str) -> float:
    return _pair(canvas, y, name, figure(amount, language), FONT, 8)
