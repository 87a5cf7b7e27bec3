"""Whatever an office does with bills and money, in any order: every promise of the books holds after each step."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing import deposits, plans
from billing.arrears import open_items
from billing.late_fees import charge_late_fees
from billing.ledger import Leg, balance_of, money, post
from billing.models import Adjustment, Connection, CreditPolicy, DunningStep, Invoice, PaymentPlan
from billing.notes import correct, decide, void
from billing.orders import order_done, reconnect
from billing.reminders import candidates, take_steps
from billing.runs import RunRefusal
from billing.single_bills import bill_one
from core.clock import frozen
from core.database import sessions
from tests.billing.estate import Estate, broken, read

HOMES = st.integers(0, 1)
AMOUNTS = st.integers(1, 30_000)
OLD = 20_000
RUNNING = select(PaymentPlan).where(PaymentPlan.status == "active")
BEGUN = datetime(2026, 2, 1, 9, tzinfo=UTC)


class Books(RuleBasedStateMachine):
    """Two connections. `owed` is what the machine itself reckons each to owe, beside the ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Session = sessions()()
        self.source, self.clock = count(1), ExitStack()
        self._at(BEGUN)

    def _at(self, moment: datetime) -> None:
        self.clock.close()
        self.now = moment
        self.clock.enter_context(frozen(moment))

    @initialize()
    def open_books(self) -> None:
        estate = Estate(self.session)
        self.homes: list[Connection] = [estate.metered(f"+25470000000{place}") for place in range(2)]
        self.values, self.owed, self.held = [100, 100], [OLD, OLD], [0, 0]
        for home in self.homes:
            legs = [Leg("receivable", OLD, home.id), Leg("opening", -OLD)]
            post(self.session, "debit_note", f"opening:{home.id}", legs, due_on=BEGUN.date())
        policy = self.session.get_one(CreditPolicy, "domestic")
        policy.approval_minor, policy.late_fee_minor, policy.least_minor = 10_000, 150, 1
        self.session.flush()

    def teardown(self) -> None:
        self.clock.close()
        self.session.rollback()
        self.session.close()

    @rule(days=st.integers(1, 20))
    def time_goes_by(self, days: int) -> None:
        self._at(self.now + timedelta(days=days))

    @rule(home=HOMES, used=st.integers(0, 15), days=st.integers(0, 31))
    def bill(self, home: int, used: int, days: int) -> None:
        self._at(self.now + timedelta(days=days))
        one, today = self.homes[home], self.now.date()
        read(self.session, one, self.values[home] + used, today)
        done = bill_one(self.session, one.id, today, "amina")
        last = self.session.scalars(select(Invoice).where(Invoice.connection_id == one.id)).all()
        if isinstance(done, RunRefusal):
            assert done.kind in ("billed", "no_reading"), done
        else:
            assert done in last
            self.owed[home] += done.amount_minor
        newest = self.session.execute(
            text("SELECT max(value) FROM reading WHERE connection_id = :c AND status = 'accepted'"), {"c": one.id}
        ).scalar_one()
        self.values[home] = int(newest)

    @rule(home=HOMES, minor=AMOUNTS)
    def pay(self, home: int, minor: int) -> None:
        legs = [Leg("cash:mpesa", minor), Leg("receivable", -minor, self.homes[home].id)]
        source = f"receipt:{next(self.source)}"
        assert post(self.session, "payment", source, legs) is not None
        assert post(self.session, "payment", source, legs) is None
        self.owed[home] -= minor

    @rule(home=HOMES)
    def make_void(self, home: int) -> None:
        own = select(Invoice).where(Invoice.connection_id == self.homes[home].id, Invoice.status == "issued")
        bill = self.session.scalars(own.order_by(Invoice.period_start.desc()).limit(1)).first()
        if bill is not None:
            amount = bill.amount_minor
            self._reckon(home, void(self.session, bill.id, "Wrong", "amina"), -amount)

    @rule(home=HOMES, kind=st.sampled_from(["credit_note", "debit_note", "adjustment", "write_off"]), minor=AMOUNTS)
    def correct(self, home: int, kind: str, minor: int) -> None:
        signed = minor if kind == "debit_note" else -minor
        self._reckon(
            home, correct(self.session, kind, self.homes[home].id, signed, "revenue:water", "x", "amina"), signed
        )

    @rule(approve=st.booleans(), by=st.sampled_from(["amina", "brian"]))
    def decide(self, approve: bool, by: str) -> None:
        one = self.session.scalars(select(Adjustment).where(Adjustment.status == "proposed")).first()
        if one is not None:
            home, amount = [home.id for home in self.homes].index(one.connection_id), one.amount_minor
            self._reckon(home, decide(self.session, one.id, by, approve=approve), amount)

    def _reckon(self, home: int, done: object, amount: int) -> None:
        if isinstance(done, Adjustment) and done.status == "posted":
            self.owed[home] += amount

    @rule(home=HOMES, minor=AMOUNTS, do=st.sampled_from(["take", "use", "return"]))
    def deposit(self, home: int, minor: int, do: str) -> None:
        of, amount = self.homes[home].id, money(minor)
        if do == "take":
            assert not isinstance(
                deposits.take_deposit(self.session, of, amount, "cash:bank", f"R{next(self.source)}"),
                deposits.DepositRefusal,
            )
            self.held[home] += minor
        elif do == "use":
            if not isinstance(deposits.use_deposit(self.session, of, amount, "amina"), deposits.DepositRefusal):
                self.held[home] -= minor
                self.owed[home] -= minor
        elif not isinstance(
            deposits.return_deposit(self.session, of, amount, "cash:bank", "amina"), deposits.DepositRefusal
        ):
            self.held[home] -= minor

    @rule(home=HOMES, parts=st.integers(1, 4), first=st.integers(0, 30), share=st.integers(1, 4))
    def plan(self, home: int, parts: int, first: int, share: int) -> None:
        total = max(self.owed[home], 0) // share
        if total >= parts:
            days = [self.now.date() + timedelta(days=first + 15 * place + 1) for place in range(parts)]
            amounts = plans.shared_out(total, parts)
            plans.agree(self.session, self.homes[home].id, list(zip(days, amounts, strict=True)), "amina")

    @precondition(lambda self: self.session.scalars(RUNNING).first() is not None)
    @rule(end=st.booleans())
    def track(self, end: bool) -> None:
        for plan in self.session.scalars(RUNNING).all():
            plans.track(self.session, plan.id)
            if end:
                plans.end_plan(self.session, plan.id, "amina")

    @rule()
    def late_fees(self) -> None:
        charge_late_fees(self.session, self.now.date())
        assert charge_late_fees(self.session, self.now.date()) == 0
        self._take_over("late_fee")

    @rule()
    def remind(self) -> None:
        take_steps(self.session, "amina")
        assert candidates(self.session) == []

    @rule()
    def orders(self) -> None:
        for order in self.session.scalars(select(DunningStep).where(DunningStep.status == "open")).all():
            order_done(self.session, order.id, "fitter")
        for home in self.homes:
            reconnect(self.session, home.id, "amina")
        self._take_over("reconnection")

    def _take_over(self, kind: str) -> None:
        """Fees are reckoned by what the ledger says of their kind, for their sizes are tested elsewhere."""
        rows = self.session.execute(
            text("SELECT p.connection_id, sum(p.amount_minor) FROM posting p JOIN ledger_entry e ON e.id = p.entry_id"
                 " WHERE e.kind = :kind AND p.account = 'receivable' GROUP BY 1"), {"kind": kind},
        ).tuples()  # fmt: skip
        seen: dict[str, dict[int, int]] = self.__dict__.setdefault("seen", {})
        for connection_id, total in rows:
            home = [one.id for one in self.homes].index(connection_id)
            self.owed[home] += int(total) - seen.setdefault(kind, {}).get(connection_id, 0)
            seen[kind][connection_id] = int(total)

    @precondition(lambda self: hasattr(self, "homes"))
    @invariant()
    def the_books_are_whole(self) -> None:
        self.session.flush()
        self.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        self.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        assert broken(self.session) == []

    @precondition(lambda self: hasattr(self, "homes"))
    @invariant()
    def everybody_owes_what_she_should(self) -> None:
        for home, owed, held in zip(self.homes, self.owed, self.held, strict=True):
            assert balance_of(self.session, home.id).minor == owed
            assert deposits.held(self.session, home.id).minor == held

    @precondition(lambda self: hasattr(self, "homes"))
    @invariant()
    def what_is_open_is_what_is_owed(self) -> None:
        for home, owed in zip(self.homes, self.owed, strict=True):
            items = open_items(self.session, [home.id])
            assert sum(item.open_minor for item in items) == max(owed, 0)
            assert all(0 < item.open_minor <= item.amount_minor for item in items)
            assert not {item.entry_id for item in items} & self._taken_back()

    def _taken_back(self) -> set[int]:
        return set(self.session.scalars(text("SELECT reverses_id FROM ledger_entry WHERE reverses_id IS NOT NULL")))


def test_the_books_are_whole_whatever_the_office_does(database: str) -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
