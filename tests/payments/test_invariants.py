"""Each promise of the books of payments is broken once, and seen to be broken."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.ledger import Leg, post
from core.clock import now
from core.money import Money
from payments import books
from payments.cashier import open_day, take
from payments.closing import close
from payments.desk_models import DeskDay
from payments.models import Receipt
from payments.receipts import MoneyIn, credit, find_receipt
from payments.refunds import refund
from payments.suspense import allocate
from tests.billing.estate import Estate

BREAKS = {
    "each receipt has one balanced entry of its amount": "UPDATE receipt SET amount_minor = 49000 WHERE receipt = 'A'",
    "each entry of a receipt has its receipt": "UPDATE receipt SET entry_id = (SELECT max(id) FROM ledger_entry)",
    "what a receipt brought is with customers, in suspense, or went back":
        "UPDATE money_move SET amount_minor = 1 WHERE kind = 'refund'",
    "what of a receipt is held lies in suspense": "UPDATE receipt SET held_minor = 0 WHERE receipt = 'B'",
    "a receipt names a connection that it was credited to":
        "UPDATE receipt SET connection_id = (SELECT max(id) FROM connection) WHERE receipt = 'A'",
    "suspense is what receipts hold there, and nothing else":
        "UPDATE posting SET account = 'x' WHERE account = 'suspense'",
    "each move has one entry of its amount, and is undone by another alone":
        "UPDATE ledger_entry SET source = 'by hand ' || id WHERE source LIKE 'move:%'",
    "refunds owed are those that are not paid out": "UPDATE money_move SET payout = 'paid' WHERE kind = 'refund'",
    "office receipts are numbered without a gap":
        "UPDATE receipt SET receipt = 'HQ-000007' WHERE receipt = 'HQ-000001'",
    "a closed day took nothing after it was closed":
        "UPDATE desk_day SET closed_at = opened_at - interval '1 day'",
    "a drawer holds what was kept and what was taken since": "UPDATE desk_day SET kept_minor = 1",
    "no entry is behind two receipts":
        "UPDATE receipt SET entry_id = (SELECT min(entry_id) FROM receipt)",
}  # fmt: skip


def money(session: Session) -> None:
    """Credited, waiting, allocated in part, promised back, over the counter, in a closed day."""
    estate = Estate(session)
    home = estate.connection()
    estate.connection()
    for number, place in (("A", home), ("B", None)):
        credit(session, MoneyIn(number, Money.of(500), "", "?", now(), place))
    first, second = find_receipt(session, "A"), find_receipt(session, "B")
    assert first is not None
    assert second is not None
    allocate(session, second.id, home.id, "a part", "amina", Money.of(200))
    refund(session, first.id, home.id, Money.of(100), "too much", "amina")
    day = open_day(session, "amina", "HQ")
    assert isinstance(day, DeskDay)
    assert isinstance(take(session, "amina", home.id, Money.of(300), "cash", "W"), Receipt)
    assert isinstance(close(session, day.id, {100: 3}, 0, Money(0), "", "amina"), DeskDay)
    session.flush()


def violated(session: Session) -> set[str]:
    return {one.name for one in books.check(session) if one.violations}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_promise_is_seen(session: Session, name: str) -> None:
    money(session)
    assert violated(session) == set()
    session.execute(text("SET LOCAL session_replication_role = replica"))  # past the ledger's own guards
    session.execute(text(BREAKS[name]))
    assert name in violated(session)
    session.rollback()


def test_cash_without_a_receipt_is_seen(session: Session) -> None:
    money(session)
    place = session.execute(text("SELECT min(id) FROM connection")).scalar_one()
    post(session, "payment", "by hand:1", [Leg("cash:mpesa", 100), Leg("receivable", -100, place)])
    assert violated(session) == {"no customer is credited with cash that has no receipt"}
    session.rollback()
