"""What must hold of money after every step, by M-Pesa's own book and not by ours."""

from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import billing.books
from billing.ledger import balance_of
from billing.models import Connection
from core.money import Money
from core.outbox import Outbox
from payments import books
from payments.models import Notice, PaymentIntent, Receipt
from tests.payments.safaricom import FORGED, Payment, Safaricom

DONE = {"applied", "duplicate", "quarantined"}


class Promises:
    """About the `homes` of one street and the M-Pesa that they pay by; whatever was before is left out."""

    def __init__(self, session: Session, mpesa: Safaricom, homes: Sequence[Connection]) -> None:
        self.mpesa, self.homes = mpesa, homes
        self.first_notice = session.scalar(select(func.max(Notice.id))) or 0
        self.first_job = session.scalar(select(func.max(Outbox.id))) or 0
        self.paid: set[int] = set()

    def hold(self, session: Session, kept: int) -> None:
        """All of them; `kept` callbacks were answered with 200 so far."""
        self.books_are_whole(session)
        credited = self.credited(session)
        self.nothing_twice_or_made_up(session, credited)
        self.balances_are_sums(session, credited)
        self.paid_stays_paid(session)
        self.no_letter_is_forgotten(session, kept)

    def books_are_whole(self, session: Session) -> None:
        """Every entry is balanced, suspense and customers hold what came in, balances are sums: `mita books check`."""
        found = [*billing.books.check(session), *books.check(session)]
        assert [one for one in found if one.violations] == []

    def credited(self, session: Session) -> "Counter[str]":
        """How often each of this M-Pesa's receipts stands in the ledger as money received."""
        sources = session.scalars(text("SELECT source FROM ledger_entry WHERE source LIKE 'receipt:mpesa:%'"))
        ours = {paid.receipt for paid in self.mpesa.book}
        return Counter(number for source in sources if (number := source.rpartition(":")[2]) in ours)

    def nothing_twice_or_made_up(self, session: Session, credited: "Counter[str]") -> None:
        assert set(credited.values()) <= {1}
        known = {paid.receipt: paid for paid in self.mpesa.book}
        rows = session.execute(select(Receipt.receipt, Receipt.amount_minor, Receipt.connection_id)).tuples().all()
        assert not [number for number, _minor, _connection in rows if number.startswith(FORGED)]
        for number, minor, connection_id in rows:
            if number in known:
                assert minor == known[number].amount * 100
                assert connection_id == self._home_of(known[number])

    def _home_of(self, paid: Payment) -> int | None:
        """Whose account the payer typed, with spaces forgiven; None for nobody's, which is suspense."""
        typed = paid.account.replace(" ", "")
        return next((home.id for home in self.homes if home.account_no == typed), None)

    def balances_are_sums(self, session: Session, credited: Collection[str]) -> None:
        for home in self.homes:
            mine = [one for one in self.mpesa.book if one.receipt in credited and self._home_of(one) == home.id]
            assert balance_of(session, home.id) == Money.of(-sum(one.amount for one in mine))

    def paid_stays_paid(self, session: Session) -> None:
        mine = PaymentIntent.connection_id.in_([home.id for home in self.homes])
        paid = set(session.scalars(select(PaymentIntent.id).where(mine, PaymentIntent.state == "paid")))
        assert self.paid <= paid
        self.paid = paid

    def no_letter_is_forgotten(self, session: Session, kept: int) -> None:
        """Each is kept; and it is settled, or it waits for a worker. No job fails."""
        notices = session.execute(select(Notice.id, Notice.kind, Notice.outcome).where(Notice.id > self.first_notice))
        waiting = set(
            session.scalars(select(Outbox.subject_id).where(Outbox.job == "payments.settle", Outbox.done_at.is_(None)))
        )
        all_notices = notices.tuples().all()
        assert sum(kind in ("stk", "paybill") for _id, kind, _outcome in all_notices) == kept
        assert all(outcome in DONE or notice_id in waiting for notice_id, _kind, outcome in all_notices)
        failed = select(Outbox.last_error).where(Outbox.id > self.first_job, Outbox.last_error.is_not(None))
        assert session.scalars(failed).all() == []
