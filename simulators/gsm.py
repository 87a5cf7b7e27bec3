"""How much of a screen or an SMS a text takes (3GPP TS 23.038)."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")

USSD_UCS2_LIMIT = 80


def septets(text: str) -> int | None:
    """Septets of `text`, an extension character counting 2; None where GSM-7 cannot carry it."""
    if any(c not in BASIC and c not in EXTENSION for c in text):
        return None
    return sum(2 if c in EXTENSION else 1 for c in text)


def fitted(text: str, limit: int) -> str:
    """What a network that allows `limit` septets would show of `text`; 80 characters if it is not GSM-7."""
    if septets(text) is None:
        return text[:USSD_UCS2_LIMIT]
    room, shown = limit, 0
    for character in text:
        room -= 2 if character in EXTENSION else 1
        if room < 0:
            break
        shown += 1
    return text[:shown]


def sms_parts(text: str) -> int:
    """Messages a text is sent as: 160 septets, then 153 each; 70 UTF-16 units, then 67 each if not GSM-7."""
    plain = septets(text)
    units = plain if plain is not None else len(text.encode("utf-16-le")) // 2
    single, each = (160, 153) if plain is not None else (70, 67)
    return 1 if units <= single else -(-units // each)
