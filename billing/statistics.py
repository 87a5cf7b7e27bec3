"""What PostgreSQL knows of the tables that a billing run fills at once."""

from sqlalchemy import text
from sqlalchemy.orm import Session

REFRESH = text("ANALYZE invoice, invoice_line, ledger_entry, posting, balance, message, run_batch, run_problem")


def refresh(session: Session) -> None:
    """Have the planner look at what a large run has just written, for its plans are made for the empty tables before.

    PostgreSQL does so by itself, but only after some minutes in which pages of debts would read every posting.
    """
    session.execute(REFRESH)
