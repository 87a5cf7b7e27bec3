"""Money over the counter: a cashier's day at her office, and what she takes in cash, by cheque or against a slip."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.ledger import balance_of, money
from billing.models import Connection, Posting
from billing.moments import here
from billing.numbers import take_numbers
from core.clock import now
from core.config import settings
from core.messages import queue_message
from core.money import Money
from payments.approvals import MoneyRefusal, afterwards, lock_receipt, propose, standing
from payments.desk_models import METHODS, DeskDay, DeskPayment
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.receipts import Credit, MoneyIn, credit, find_receipt
from payments.texts_moves import bounced_text
from payments.thanks import language_of, own_phone

UNCLEARED = {"cheque": "cash:cheques", "bank": "cash:slips"}
"""What the bank has not shown us yet: cheques in hand, and slips of money that is said to be there."""


@dataclass(frozen=True, slots=True)
class DeskRefusal:
    """Why not: 'office' (none of that code), 'open' (a day is open already), 'closed' (no day is open), 'old' (an
    earlier day must be closed first), 'account', 'amount', 'reference' (it is needed), 'known' (taken before),
    'reason', 'kept' (more than was counted)."""

    kind: str


def offices() -> dict[str, str]:
    """The offices of the settings, code -> name."""
    pairs = (part.partition(":") for part in settings().offices.split(",") if part.strip())
    return {code.strip(): name.strip() or code.strip() for code, _, name in pairs}


def drawer(cashier: str) -> str:
    """The ledger's account for the cash that a cashier holds."""
    return f"cash:drawer:{cashier}"


def in_account(session: Session, account: str) -> Money:
    """What stands on an account of the ledger."""
    minor = session.scalar(select(func.coalesce(func.sum(Posting.amount_minor), 0)).where(Posting.account == account))
    return money(int(minor or 0))


def open_day(session: Session, cashier: str, office: str) -> DeskDay | DeskRefusal:
    """Begin a cashier's day, one a day: a day that was closed stays closed."""
    if office not in offices():
        return DeskRefusal("office")
    if (earlier := open_day_of(session, cashier)) is not None:
        return DeskRefusal("open" if earlier.day == here() else "old")
    made = session.scalar(
        insert(DeskDay)
        .values(office=office, cashier=cashier, day=here(), status="open", opened_at=now(), kept_minor=0, reason="")
        .on_conflict_do_nothing()
        .returning(DeskDay)
    )
    return made or DeskRefusal("closed")


def open_day_of(session: Session, cashier: str) -> DeskDay | None:
    """The day that a cashier has open; a payment and the closing of the day wait for each other on it."""
    return session.scalar(
        select(DeskDay)
        .where(DeskDay.cashier == cashier, DeskDay.status == "open")
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def objection(
    session: Session, cashier: str, amount: Money, method: str, bank: str, reference: str
) -> DeskRefusal | None:
    """Why a payment cannot be taken now; None where it can."""
    day = open_day_of(session, cashier)
    if day is None or day.day != here():
        return DeskRefusal("closed" if day is None else "old")
    if amount.minor <= 0 or method not in METHODS:
        return DeskRefusal("amount")
    if (method == "cash") != (not reference):
        return DeskRefusal("reference")
    twin = select(DeskPayment.receipt_id).where(
        DeskPayment.method == method, DeskPayment.bank == bank, DeskPayment.reference == reference
    )
    return DeskRefusal("known") if reference and session.scalar(twin) is not None else None


def take(
    session: Session, cashier: str, connection_id: int, amount: Money, method: str, payer: str,
    bank: str = "", reference: str = "",
) -> Receipt | DeskRefusal:  # fmt: skip
    """Take a payment: the receipt has the next number of the office, the account is credited, an SMS goes out.

    Cash goes into the cashier's drawer. A cheque and a slip are credited at once, and stand apart until the bank's
    statement shows them.
    """
    bank, reference = " ".join(bank.upper().split()), "".join(reference.upper().split())
    if (refused := objection(session, cashier, amount, method, bank, reference)) is not None:
        return refused
    day, place = open_day_of(session, cashier), session.get(Connection, connection_id)
    if place is None or day is None:
        return DeskRefusal("account")
    number = f"{day.office}-{take_numbers(session, f'receipt:{day.office}'):06d}"
    cash = drawer(cashier) if method == "cash" else UNCLEARED[method]
    paid = MoneyIn(number, amount, "", place.account_no, now(), place, None, method, day.office, cash, payer)
    assert credit(session, paid) is Credit.FRESH, "the number was taken in this transaction"
    receipt = find_receipt(session, number, method, day.office)
    assert receipt is not None
    session.add(
        DeskPayment(
            receipt_id=receipt.id, day_id=day.id, method=method, payer=payer, bank=bank, reference=reference,
            taken_by=cashier,
        )
    )  # fmt: skip
    session.flush()
    return receipt


def bounce(session: Session, receipt_id: int, reason: str, by: str) -> Sequence[MoneyMove] | MoneyRefusal:
    """The bank did not pay a cheque: what it credited is taken back, wherever it stands, by contra entries."""
    receipt = lock_receipt(session, receipt_id)
    stands = standing(session, receipt)
    if receipt.provider != "cheque" or sum(stands.values()) != receipt.amount_minor:
        return MoneyRefusal("state")
    done = []
    for place, minor in sorted(stands.items(), key=lambda one: one[0] or 0):
        move = propose(session, receipt, "bounce", Money(minor, receipt.currency), place, None, reason, by)
        if isinstance(move, MoneyRefusal):
            return move
        done.append(move)
    return done


@afterwards("bounce")
def _told(session: Session, move: MoneyMove, receipt: Receipt) -> None:
    place = session.get(Connection, move.from_id) if move.from_id is not None else None
    phone = own_phone(session, place) if place else None
    if place is None or phone is None:
        return
    cheque = session.get(DeskPayment, receipt.id)
    said = bounced_text(
        Money(move.amount_minor, receipt.currency), place.account_no, cheque.reference if cheque else receipt.receipt,
        balance_of(session, place.id),
    )  # fmt: skip
    language = language_of(session, place)
    queue_message(session, phone, said, "notice", key=f"move:{move.id}", connection_id=place.id, language=language)
