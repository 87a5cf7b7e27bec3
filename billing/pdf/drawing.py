"""What both papers draw: the logo, the QR code, the graph of the usage. Lengths are in points."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

import segno
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from core.config import settings
from core.i18n import month_name, quantity

FONT, BOLD = "Helvetica", "Helvetica-Bold"
SMALL = 5.5
INK, PALE, OTHER, DEEP = (0.12, 0.14, 0.17), (0.93, 0.95, 0.97), (0.70, 0.76, 0.80), (0.05, 0.30, 0.43)
"""Text; grounds; the other months; what has to be seen first. They can be told apart in black and white."""
MASK = 0
QUIET = 2  # modules of white around the code; the paper is white beyond


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the paper: its lower left corner and its size."""

    x: float
    y: float
    width: float
    height: float


def fitted(canvas: Canvas, text: str, font: str, size: float, width: float) -> str:
    """`text`, cut short where it is wider than `width`."""
    if canvas.stringWidth(text, font, size) <= width:
        return text
    while text and canvas.stringWidth(text + "...", font, size) > width:
        text = text[:-1]
    return text.rstrip() + "..."


def logo(canvas: Canvas, box: Box) -> None:
    """The utility's logo, or a drop of water where it has set none."""
    image = _image(settings().logo)
    if image is not None:
        canvas.drawImage(image, box.x, box.y, box.width, box.height, preserveAspectRatio=True, anchor="sw", mask="auto")
        return
    middle, low = box.x + box.width / 2, box.y
    half, high = box.width * 0.36, box.height
    path = canvas.beginPath()
    path.moveTo(middle, low + high)
    path.curveTo(middle + half * 0.5, low + high * 0.7, middle + half, low + high * 0.55, middle + half, low + half)
    path.curveTo(middle + half, low - half * 0.15, middle - half, low - half * 0.15, middle - half, low + half)
    path.curveTo(middle - half, low + high * 0.55, middle - half * 0.5, low + high * 0.7, middle, low + high)
    canvas.setFillColorRGB(*DEEP)
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.setFillColorRGB(*INK)


@lru_cache(maxsize=2)
def _image(path: str) -> ImageReader | None:
    return ImageReader(path) if path else None


def payment_code(account_no: str, number: str, amount: str) -> str:
    """What the QR code says: how to pay this invoice, in words that any reader shows."""
    return f"PayBill {settings().mpesa_shortcode}\nAccount {account_no}\nAmount {amount}\n{number}"


def qr(canvas: Canvas, text: str, box: Box) -> None:
    """A QR code (level M), each row's dark runs as one rectangle, all of them in one literal.

    The mask is a fixed one. Looking for the best of eight takes longer than all else on the paper, and a reader is
    told which it is.
    """
    rows = segno.make_qr(text, error="m", mask=MASK, boost_error=False).matrix
    size = box.width / (len(rows) + 2 * QUIET)
    runs = []
    for place, row in enumerate(rows, QUIET):
        end = 0
        while (begun := row.find(1, end)) >= 0:
            end = row.find(0, begun)
            end = len(row) if end < 0 else end
            runs.append(f"{begun + QUIET} {place} {end - begun} 1 re")
    at = f"{size:.4f} 0 0 {-size:.4f} {box.x:.2f} {box.y + box.height:.2f} cm"
    canvas.addLiteral(f"q 0 g {at} {' '.join(runs)} f Q")


def bars(canvas: Canvas, history: Sequence[tuple[date, Decimal]], box: Box, language: str) -> None:
    """The usage by month, the newest dark; each bar with its month and its figure. There is room for 13."""
    if not history:
        return
    most = max(usage for _, usage in history) or Decimal(1)
    step, room = box.width / 13, box.height - 18
    bodies, words = [], canvas.beginText()
    words.setFont(FONT, SMALL)
    for place, (month, usage) in enumerate(history):
        x, height = box.x + place * step, max(float(usage / most) * room, 0.5)
        bodies.append(f"{x + step * 0.14:.1f} {box.y + 9:.1f} {step * 0.72:.1f} {height:.1f} re")
        for text, y in ((month_name(month, language), box.y + 2), (quantity(usage, language), box.y + 11 + height)):
            words.setTextOrigin(x + (step - _width(text)) / 2, y)
            words.textOut(text)
    *before, newest = bodies
    # In one piece each: the library's own calls take ten times as long for as many.
    canvas.addLiteral(f"q {' '.join(map(str, OTHER))} rg {' '.join(before)} {'f' if before else ''} Q")
    canvas.addLiteral(f"q {' '.join(map(str, DEEP))} rg {newest} f Q")
    canvas.drawText(words)
    canvas.line(box.x, box.y + 9, box.x + box.width, box.y + 9)


@lru_cache(maxsize=2048)
def _width(text: str) -> float:
    return float(stringWidth(text, FONT, SMALL))
