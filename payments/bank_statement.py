"""The bank's statement against the books: what we knew of is matched, what customers sent is credited or waits.

The bank's account in the ledger moves by its statement alone, except for refunds that were paid out by bank.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.ledger import Leg, post
from billing.models import Connection
from core.clock import now
from core.config import settings
from core.money import Money
from payments.bank_files import Fault, Movement, movements, objection, read_sheet
from payments.cashier import UNCLEARED, bounce
from payments.desk_models import DeskPayment
from payments.matching import certain, suggest_for
from payments.matching_models import BankImport, BankLine, BankProfile
from payments.models import Receipt
from payments.receipts import MoneyIn, credit, find_receipt
from payments.wallets.registry import wallets

BANK = "cash:bank"
CHARGES = "expense:bank-charges"
SAFE = "cash:office"
WORDS = {"mpesa": ("M-PESA", "MPESA", "SAFARICOM"), "mtn": ("MTN", "MOMO"), "airtel": ("AIRTEL",)}
"""What a bank writes beside money that a wallet pays out to us."""


@dataclass(frozen=True, slots=True)
class BankRefusal:
    """Why not: 'file' (no table in it), 'columns' (its `why` says which), 'known' (imported before), 'empty',
    'decided', 'kind' (not for such a line), 'note' (it is needed)."""

    kind: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: the movements, and the rows that cannot be read."""

    lines: list[Movement]
    faults: list[Fault]


def accounts() -> list[str]:
    """The utility's bank accounts."""
    return [name.strip() for name in settings().bank_accounts.split(",") if name.strip()]


def remembered(session: Session, account: str) -> dict[str, str]:
    """The columns by which the last statement of this account was read."""
    profile = session.get(BankProfile, account)
    return dict(profile.columns) if profile else {}


def preview(account: str, data: bytes, columns: Mapping[str, str]) -> Preview | BankRefusal:
    """The movements in a file, read by these columns."""
    sheet = read_sheet(data)
    if sheet is None:
        return BankRefusal("file")
    if (why := objection(columns, sheet.header)) is not None:
        return BankRefusal("columns", why)
    made = movements(sheet, columns, account, settings().currency)
    lines = [one for one in made if isinstance(one, Movement)]
    return Preview(lines, [one for one in made if isinstance(one, Fault)]) if made else BankRefusal("empty")


def import_statement(
    session: Session, account: str, name: str, data: bytes, columns: Mapping[str, str], by: str
) -> BankImport | BankRefusal:
    """Keep the lines of a statement that no earlier one had, and match what can be matched for sure.

    A file that was imported before does nothing. The columns are remembered for the next one.
    """
    read = preview(account, data, columns)
    if isinstance(read, BankRefusal):
        return read
    made = session.scalar(
        insert(BankImport)
        .values(account=account, name=name[:100], digest=hashlib.sha256(data).hexdigest(), lines=0, known=0,
                imported_by=by, imported_at=now())
        .on_conflict_do_nothing()
        .returning(BankImport)
    )  # fmt: skip
    if made is None:
        return BankRefusal("known")
    _remember(session, account, columns, by)
    fresh = [line for one in read.lines if (line := _kept(session, made, one)) is not None]
    made.lines, made.known = len(fresh), len(read.lines) - len(fresh)
    session.flush()
    for line in fresh:
        _match(session, line, by)
    return made


def _remember(session: Session, account: str, columns: Mapping[str, str], by: str) -> None:
    values = {"columns": dict(columns), "changed_by": by, "changed_at": now()}
    row = insert(BankProfile).values(account=account, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account"], set_=values))


def _kept(session: Session, made: BankImport, one: Movement) -> BankLine | None:
    return session.scalar(
        insert(BankLine)
        .values(import_id=made.id, account=made.account, booked_on=one.booked_on, amount_minor=one.amount.minor,
                narrative=one.narrative, reference=one.reference, digest=one.digest)
        .on_conflict_do_nothing()
        .returning(BankLine)
    )  # fmt: skip


def _match(session: Session, line: BankLine, by: str) -> None:
    """What is sure: a slip or cheque of this number and amount; else a customer's payment, or suspense.

    What a wallet seems to have paid out, and all that left the account, is for a person to say.
    """
    if line.amount_minor < 0 or channel_of(line) is not None:
        return
    known = expected_receipt(session, line)
    if known is not None:
        receipt, method = known
        clear(session, line, receipt, "slip" if method == "bank" else "cheque", by)
    else:
        credit_line(session, line, None, by)


def channel_of(line: BankLine) -> str | None:
    """The wallet whose name the bank wrote beside money that came in."""
    text = f"{line.narrative} {line.reference}".upper()
    named = (name for name in wallets() if any(word in text for word in WORDS.get(name, ())))
    return next(named, None) if line.amount_minor > 0 else None


def expected_receipt(session: Session, line: BankLine) -> tuple[Receipt, str] | None:
    """The slip or cheque, not yet seen at the bank, whose number stands in the line and whose amount it has."""
    words = set(re.findall(r"[A-Z0-9]{2,}", f"{line.reference} {line.narrative}".upper()))
    words |= {"".join(line.reference.upper().split())}
    rows = session.execute(
        select(Receipt, DeskPayment.method)
        .join(DeskPayment, DeskPayment.receipt_id == Receipt.id)
        .where(DeskPayment.reference.in_(words), Receipt.amount_minor == abs(line.amount_minor),
               ~select(BankLine.id).where(BankLine.receipt_id == Receipt.id,
                                          BankLine.kind.in_(("slip", "cheque"))).exists())
        .limit(2)
    ).tuples().all()  # fmt: skip
    return rows[0] if len(rows) == 1 else None


def clear(session: Session, line: BankLine, receipt: Receipt, kind: str, by: str) -> None:
    """The bank has what the office gave a receipt for."""
    _decided(session, line, kind, UNCLEARED[receipt.provider], by, receipt=receipt)


def credit_line(session: Session, line: BankLine, connection: Connection | None, by: str) -> Receipt:
    """A customer paid into the bank: to `connection`, to the account that she surely meant, or to suspense."""
    said = f"{line.narrative} {line.reference}".strip()
    if connection is None:
        sure = certain(suggest_for(session, said, "", "", line.amount_minor))
        connection = session.get(Connection, sure.connection_id) if sure else None
    noon = datetime.combine(line.booked_on, time(12), ZoneInfo(settings().utility_zone))
    number, place = f"B{line.id:08d}", f"bank {line.account}"
    amount = Money(line.amount_minor, settings().currency)
    credit(session, MoneyIn(number, amount, "", said[:200], noon, connection, None, "bank", place, BANK))
    receipt = find_receipt(session, number, "bank", place)
    assert receipt is not None
    line.entry_id, line.receipt_id = receipt.entry_id, receipt.id
    _mark(session, line, "payment" if connection else "suspense", by)
    return receipt


def decide_line(session: Session, line_id: int, kind: str, by: str, *, channel: str = "", note: str = "",
                connection: Connection | None = None) -> (
    BankLine | BankRefusal
):  # fmt: skip
    """A person says what a line is: a 'channel' paying out, a bank 'charge', a 'returned' cheque, the 'payment' of a
    `connection`, somebody's money ('suspense'), or something that is in the books already ('ignored', with a note)."""
    line = session.get_one(BankLine, line_id, with_for_update=True, populate_existing=True)
    if line.kind is not None:
        return BankRefusal("decided")
    paid_in = line.amount_minor > 0
    match kind:
        case "channel" if channel in wallets() or channel == "office":
            _decided(session, line, kind, SAFE if channel == "office" else f"cash:{channel}", by, channel=channel)
        case "charge" if not paid_in:
            _decided(session, line, kind, CHARGES, by)
        case "returned" if not paid_in:
            return _returned(session, line, by)
        case "payment" | "suspense" if paid_in and (kind == "suspense" or connection is not None):
            credit_line(session, line, connection, by)
        case "ignored" if note.strip():
            line.note = note.strip()
            _mark(session, line, kind, by)
        case _:
            return BankRefusal("note" if kind == "ignored" else "kind")
    return line


def _returned(session: Session, line: BankLine, by: str) -> BankLine | BankRefusal:
    """A cheque that the bank had taken comes back: its receipt is taken back too."""
    words = set(re.findall(r"[A-Z0-9]{2,}", f"{line.reference} {line.narrative}".upper()))
    receipt = session.scalar(
        select(Receipt)
        .join(DeskPayment, DeskPayment.receipt_id == Receipt.id)
        .where(DeskPayment.method == "cheque", DeskPayment.reference.in_(words),
               Receipt.amount_minor == -line.amount_minor)
    )  # fmt: skip
    if receipt is None:
        return BankRefusal("kind")
    bounce(session, receipt.id, f"returned by the bank on {line.booked_on}", by)
    _decided(session, line, "returned", UNCLEARED["cheque"], by, receipt=receipt)
    return line


def _decided(
    session: Session, line: BankLine, kind: str, against: str, by: str, *, receipt: Receipt | None = None,
    channel: str = "",
) -> None:  # fmt: skip
    legs = [Leg(BANK, line.amount_minor), Leg(against, -line.amount_minor)]
    entry = post(session, "bank", f"bank:{line.id}", legs, f"{line.booked_on}: {line.narrative}"[:200])
    assert entry is not None, "a line is decided under its row's lock, once"
    line.entry_id, line.channel = entry.id, channel
    line.receipt_id = receipt.id if receipt else None
    _mark(session, line, kind, by)


def _mark(session: Session, line: BankLine, kind: str, by: str) -> None:
    line.kind, line.decided_by, line.decided_at = kind, by, now()
    session.flush()


def open_lines(session: Session, limit: int = 200) -> Sequence[BankLine]:
    """What nobody has said anything about yet, the oldest first."""
    return session.scalars(select(BankLine).where(BankLine.kind.is_(None)).order_by(BankLine.id).limit(limit)).all()
