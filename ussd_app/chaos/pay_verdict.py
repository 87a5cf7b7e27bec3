"""Our books beside those of the simulated M-Pesa: what was lost, doubled, made up, or credited wrongly."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database import transaction
from ussd_app.chaos.town import OWED_MINOR, Neighbour

CREDITS = text("""
    WITH entries AS (
        SELECT upper(split_part(source, ':', 4)) AS number, count(*) AS times
        FROM ledger_entry WHERE source LIKE 'receipt:mpesa:%' GROUP BY 1
    )
    SELECT receipt.receipt, receipt.amount_minor, connection.account_no, coalesce(entries.times, 0)
    FROM receipt LEFT JOIN connection ON connection.id = receipt.connection_id
    LEFT JOIN entries ON entries.number = receipt.receipt
""")
BALANCES = text("SELECT connection_id, amount_minor FROM balance")
THANKED = text("""
    SELECT receipt.receipt, count(message.id) FROM receipt JOIN message ON message.key = 'receipt:' || receipt.id
    GROUP BY receipt.receipt HAVING count(message.id) > 1
""")
UNSETTLED = text("SELECT count(*) FROM notice WHERE outcome IS NULL")
UNSENT = text("SELECT count(*) FROM payment_intent WHERE state IN ('created', 'sending')")
MOST_NAMED = 20


@dataclass
class Judgement:
    """Each entry names one violation; `credited` counts the payments that are right."""

    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    phantom: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    credited: int = 0
    in_suspense: int = 0

    @property
    def good(self) -> bool:
        return not (self.lost or self.double or self.phantom or self.wrong)


def judge(book: Sequence[Mapping[str, Any]], neighbours: Sequence[Neighbour]) -> Judgement:
    """Compare receipt by receipt, and then each connection's balance with the sum of what was paid for it."""
    found, truth = Judgement(), {str(paid["receipt"]): paid for paid in book}
    accounts = {one.account_no: one.connection_id for one in neighbours}
    with transaction() as session:
        credits = {row[0]: row for row in session.execute(CREDITS).tuples()}
        balances = dict(session.execute(BALANCES).tuples().all())
        found.double += [
            f"{number} was thanked for {times} times" for number, times in session.execute(THANKED).tuples()
        ]
    for number, paid in truth.items():
        _compare(found, number, paid, credits.get(number), accounts)
    found.phantom += [f"{number}: {row[1]} for {row[2]}" for number, row in credits.items() if number not in truth]
    owed: Counter[int] = Counter({one.connection_id: OWED_MINOR for one in neighbours})
    for number, _minor, account, _entries in credits.values():
        if account in accounts and number in truth:
            owed[accounts[account]] -= int(truth[number]["amount"]) * 100
    for connection_id, minor in owed.items():
        if balances.get(connection_id, 0) != minor:
            kind = found.double if balances.get(connection_id, 0) < minor else found.lost
            kind.append(f"connection {connection_id} owes {balances.get(connection_id, 0)} and not {minor}")
    return found


def _compare(
    found: Judgement, number: str, paid: Mapping[str, Any], credit: Sequence[Any] | None, accounts: Mapping[str, int]
) -> None:
    if credit is None:
        found.lost.append(f"{number}: {paid['amount']} for {paid['account']} by {paid['road']}")
        return
    _number, minor, account, entries = credit
    if entries != 1:
        found.double.append(f"{number} stands {entries} times in the ledger")
    if minor != int(paid["amount"]) * 100:
        found.wrong.append(f"{number}: {minor} instead of {paid['amount']}.00")
    elif account != (paid["account"] if paid["account"] in accounts else None):
        found.wrong.append(f"{number}: credited to {account} instead of {paid['account']}")
    else:
        found.credited += 1
        found.in_suspense += account is None


def lacking(session: Session, book: Sequence[Mapping[str, Any]]) -> int:
    """How many payments of the book have no receipt with us yet."""
    known = set(session.scalars(text("SELECT receipt FROM receipt")))
    return sum(str(paid["receipt"]) not in known for paid in book)


def unfinished(session: Session) -> int:
    """Notices that nobody has worked on, and prompts that are still to be sent."""
    return int(session.scalar(UNSETTLED) or 0) + int(session.scalar(UNSENT) or 0)
