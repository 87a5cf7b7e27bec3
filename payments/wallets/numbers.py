"""Phone numbers as the providers want them, and receipt numbers as they give them."""

import re

import phonenumbers
from phonenumbers import PhoneNumberType

from core.phone import Phone

RECEIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,39}")
MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def is_mobile_of(phone: Phone, region: str) -> bool:
    """Whether it is a mobile number of that country, of whatever network: numbers are ported."""
    number = phonenumbers.parse(phone)
    here = number.country_code == phonenumbers.country_code_for_region(region)
    return here and phonenumbers.number_type(number) in MOBILE


def without_country(phone: Phone) -> str:
    """Airtel wants the number without its country's code and without a zero: "733123456"."""
    return str(phonenumbers.parse(phone).national_number)


def receipt_number(said: object) -> str | None:
    """A receipt's number, if that is what it is: MTN's are digits, Airtel's like "MP210603.1234.L06941"."""
    number = str(said) if isinstance(said, str | int) else ""
    return number if RECEIPT.fullmatch(number) else None
