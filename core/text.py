"""What a plain phone can show: the GSM-7 alphabet, its septets, and the parts of an SMS.

Source: 3GPP TS 23.038 (alphabet and extension table), TS 23.040 (concatenated messages).
"""

import re
import unicodedata
from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""These are sent as an escape and a second septet."""

PLAINER = {
    "‘": "'", "’": "'", "‚": "'", "ʼ": "'", "′": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "…": "...", "•": "-", "×": "x", "³": "3", "²": "2",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ", "\u200f": "", "\u200e": "", "\u200b": "", "\ufeff": "",
    "œ": "oe", "Œ": "OE", "ı": "i", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ŋ": "ng", "Ŋ": "Ng",
    "ɓ": "b", "Ɓ": "B", "ɗ": "d", "Ɗ": "D", "ƙ": "k", "Ƙ": "K", "ƴ": "y", "Ƴ": "Y",
}  # fmt: skip
"""Signs and letters that no rule of Unicode takes apart: typographic ones, French ligatures, Hausa's hooked letters."""

_EXTENDED = re.compile(f"[{re.escape(''.join(sorted(EXTENSION)))}]")
_STRANGE = re.compile(f"[^{re.escape(''.join(sorted(BASIC | EXTENSION)))}]")


def septets(text: str) -> int | None:
    """How many septets `text` takes, or None where GSM-7 cannot carry it."""
    if _STRANGE.search(text):
        return None
    return len(text) + len(_EXTENDED.findall(text))


def is_gsm7(text: str) -> bool:
    return not _STRANGE.search(text)


def to_gsm7(text: str) -> str:
    """`text` in GSM-7: typographic signs become plain ones, accents the alphabet lacks are dropped, the rest is "?".

    é è à ù stay as they are; ç becomes c, ê e, œ oe.
    """
    if not _STRANGE.search(text):
        return text
    return _STRANGE.sub(lambda strange: _plain(strange[0]), unicodedata.normalize("NFC", text))


def _plain(character: str) -> str:
    if character in PLAINER:
        return PLAINER[character]
    if unicodedata.combining(character):
        return ""
    stripped = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return stripped if stripped and is_gsm7(stripped) else "?"


@dataclass(frozen=True, slots=True)
class SmsParts:
    """What a text costs: its encoding ("GSM-7" or "UCS-2"), its length in that encoding's units, and its parts."""

    encoding: str
    units: int
    parts: int


def sms_parts(text: str) -> SmsParts:
    """Count the parts as carriers do: 160 then 153 septets each, or 70 then 67 UTF-16 units; no pair is split."""
    if is_gsm7(text):
        sizes, single, each, encoding = [2 if c in EXTENSION else 1 for c in text], 160, 153, "GSM-7"
    else:
        sizes, single, each, encoding = [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67, "UCS-2"
    units = sum(sizes)
    if units <= single:
        return SmsParts(encoding, units, 1)
    parts, room = 1, each
    for size in sizes:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return SmsParts(encoding, units, parts)
