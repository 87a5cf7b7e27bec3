"""Phone numbers: E.164 inside, masked in logs, local on screens."""

from typing import NewType

import phonenumbers

Phone = NewType("Phone", str)
"""A valid number in E.164 form, such as +254700000001."""

LONGEST = 40  # more than any way of writing a number; keeps garbage away from the parser


def parse_phone(raw: str, region: str = "KE") -> Phone | None:
    """The number meant by `raw` ("0700 000 001", "254700000001", "+254…") or None where it is none."""
    raw = raw.strip()
    if not raw or len(raw) > LONGEST:
        return None
    country = str(phonenumbers.country_code_for_region(region))
    digits = "".join(character for character in raw if character in "0123456789")
    candidates = [raw] if raw.startswith("+") or not digits.startswith(country) else ["+" + digits, raw]
    for candidate in candidates:
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return None


def parse_near(raw: str, phone: Phone) -> Phone | None:
    """The number meant by `raw` as the people around `phone` write it."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    return parse_phone(raw, region) if region else None


def mask(phone: str) -> str:
    """For logs: the country and the last four digits, "+2547****0001"."""
    return f"{phone[:5]}****{phone[-4:]}" if len(phone) > 9 else "****"


def local(phone: str) -> str:
    """As people there write it, "0700 000001"."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
