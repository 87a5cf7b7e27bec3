"""Account numbers as payers type them at M-Pesa: with words, blanks and letters that look like digits."""

import re

from sqlalchemy.orm import Session

from billing.customers import find_connection
from billing.models import Connection

WORDS = re.compile(r"^(ACCOUNT|ACCT|ACC|AC|A/C|METER|CONNECTION)?[\s.:#/-]*(NUMBER|NO|NR)?[\s.:#/-]*")
LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", ".": "", "/": "", "#": ""})


def plain(typed: str) -> str:
    """The number in what was typed ("acc no. 10000l7" is "1000017"); its check digit is not looked at here."""
    return WORDS.sub("", typed.strip().upper()).translate(LOOKALIKES)


def find_typed(session: Session, typed: str) -> Connection | None:
    """The connection that is meant; None where the number is unknown, or its check digit wrong."""
    return find_connection(session, plain(typed))
