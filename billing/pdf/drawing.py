"""What both papers draw: the logo, the QR code, the graph of the usage. Lengths are in points."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from core.config import settings
from core.i18n import month_name, quantity

FONT, BOLD = "Helvetica", "Helvetica-Bold"
INK, PALE, DEEP = (0.12, 0.14, 0.17), (0.93, 0.95, 0.97), (0.05, 0.30, 0.43)
"""Text; grounds and bars of other months; what has to be seen first. All three can be told apart in black and white."""
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
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.version = code.calculate_version()
    code.makeImpl(False, MASK)
    count = code.getModuleCount()
    size = box.width / (count + 2 * QUIET)
    runs = []
    for row, modules in enumerate(code.modules):
        column = 0
        while column < count:
            if not modules[column]:
                column += 1
                continue
            begun = column
            while column < count and modules[column]:
                column += 1
            runs.append(f"{begun + QUIET} {row + QUIET} {column - begun} 1 re")
    place = f"{size:.4f} 0 0 {-size:.4f} {box.x:.2f} {box.y + box.height:.2f} cm"
    canvas.addLiteral(f"q 0 g {place} {' '.join(runs)} f Q")


def bars(canvas: Canvas, history: Sequence[tuple[date, Decimal]], box: Box, language: str) -> None:
    """The usage by month, the newest dark; each bar with its month and its figure. There is room for 13."""
    if not history:
        return
    most = max(usage for _, usage in history) or Decimal(1)
    step, room = box.width / 13, box.height - 18
    canvas.setFont(FONT, 5.5)
    for place, (month, usage) in enumerate(history):
        x, height = box.x + place * step, max(float(usage / most) * room, 0.5)
        canvas.setFillColorRGB(*(DEEP if place == len(history) - 1 else (0.70, 0.76, 0.80)))
        canvas.rect(x + step * 0.14, box.y + 9, step * 0.72, height, stroke=0, fill=1)
        canvas.setFillColorRGB(*INK)
        canvas.drawCentredString(x + step / 2, box.y + 2, month_name(month, language))
        canvas.drawCentredString(x + step / 2, box.y + 11 + height, quantity(usage, language))
    canvas.setLineWidth(0.4)
    canvas.line(box.x, box.y + 9, box.x + box.width, box.y + 9)
