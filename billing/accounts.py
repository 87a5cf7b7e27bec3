"""Account numbers: digits with a Luhn check digit, so that a slip of the thumb is noticed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import ACCOUNT_BODY, Connection


def with_check_digit(body: str) -> str:
    """`body` (digits) and its Luhn check digit."""
    return body + str(-_luhn(body + "0") % 10)


def parse_account_no(raw: str) -> str | None:
    """The account number meant by `raw`; spaces and dashes are forgiven. None where it cannot be one."""
    digits = "".join(raw.split()).replace("-", "")
    if not (digits.isascii() and digits.isdigit() and 4 <= len(digits) <= 20):
        return None
    return digits if _luhn(digits) % 10 == 0 else None


def new_account_no(session: Session) -> str:
    """The next free account number; those that came with an import are passed over."""
    while True:
        number = with_check_digit(str(session.execute(ACCOUNT_BODY.next_value()).scalar_one()))
        if session.scalar(select(Connection.id).where(Connection.account_no == number)) is None:
            return number


def _luhn(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total
