"""The chain of readings: whatever is put in, taken out or put right, what is billed is what the dials did."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.corrections import CorrectionRefusal, correct_reading, stale_invoices
from billing.estimates import record_estimate
from billing.meters import MeterAssignment, replace_meter
from billing.models import Connection, Invoice, Reading
from billing.months import last_day, month_of, next_month
from billing.readings import Recorded
from billing.unbilled import unbilled_of
from core.clock import frozen
from tests.billing.estate import BEGUN, Estate, read

DIGITS = 3
NUMBERS = count(1)
ROUND = 10**DIGITS


class Books(RuleBasedStateMachine):
    """A connection whose dials we know, and an office that reads, estimates, corrects, swaps and bills."""

    session: Session

    @initialize(start=st.integers(0, ROUND - 1))
    def begin(self, start: int) -> None:
        self.attempt = self.session.begin_nested()
        self.estate = Estate(self.session)
        self.home: Connection = self.estate.metered(start=start, digits=DIGITS)
        self.day, self.dial, self.used = BEGUN, start, 0
        # What the dials truly showed at each day's end since this meter is there, and what had been used by then.
        self.past: dict[date, tuple[int, int]] = {BEGUN: (start, 0)}
        # What had truly been used by each reading in the books; of no use once a wrong one is among them.
        self.truly: dict[int, int] = {}
        self.honest = True
        self.billed_upto: date | None = None

    def teardown(self) -> None:
        if hasattr(self, "attempt"):
            self.attempt.rollback()
            self.session.expire_all()

    @rule(days=st.integers(1, 40), units=st.integers(0, 60))
    def time_goes_by(self, days: int, units: int) -> None:
        self.day += timedelta(days=days)
        self.dial, self.used = (self.dial + units) % ROUND, self.used + units
        self.past[self.day] = (self.dial, self.used)

    @rule(
        source=st.sampled_from(["office", "field", "customer_ussd"]), days=st.integers(0, 40), units=st.integers(0, 60)
    )
    def somebody_reads(self, source: str, days: int, units: int) -> None:
        if days:
            self.time_goes_by(days, units)
        done = self._read(self.dial, self.day, source)
        self._known(done, self.used)

    @rule(data=st.data())
    def an_older_reading_arrives(self, data: st.DataObject) -> None:
        day = data.draw(st.sampled_from(sorted(self.past)))
        value, used = self.past[day]
        done = self._read(value, day, "office")
        self._known(done, used)

    @rule(slip=st.integers(-40, 40))
    def somebody_misreads(self, slip: int) -> None:
        """What is in the books is wrong then, until it is corrected or the next one makes it up."""
        if isinstance(self._read((self.dial + slip) % ROUND, self.day, "office"), Recorded):
            self.honest = False

    @rule()
    def it_is_estimated(self) -> None:
        record_estimate(self.session, self.home.id, self.day, "test")

    @rule(start=st.integers(0, ROUND - 1))
    def the_meter_is_swapped(self, start: int) -> None:
        new = self.estate.meter(DIGITS)
        with self.session.begin_nested() as swap:
            done = replace_meter(
                self.session, self.home.id, new.id, on=self.day, removal_value=Decimal(self.dial),
                start_value=Decimal(start), by="test",
            )  # fmt: skip
            if not isinstance(done, MeterAssignment):
                swap.rollback()
                return
        removed = self._accepted()[-2]
        self.truly[removed.id] = self.used
        self.dial, self.past = start, {self.day: (start, self.used)}

    @rule(data=st.data(), by=st.integers(-5, 5) | st.integers(-50, 50))
    def a_reading_is_corrected(self, data: st.DataObject, by: int) -> None:
        """Whatever it is corrected to: what follows makes it up, so only the last one moves the sum."""
        chosen = data.draw(st.sampled_from(self._accepted()))
        before = self._total()
        last = self._accepted()[-1]
        done = correct_reading(
            self.session, chosen.id, Decimal((int(chosen.value) + by) % ROUND), "office amina", "misread"
        )
        if isinstance(done, CorrectionRefusal):
            assert done.kind in ("same", "below", "beyond", "duplicate")
            assert self._total() == before
            return
        self.honest = False
        if chosen.id != last.id and chosen.source != "opening" and last.source != "estimate":
            same_meter = [one for one in self._accepted() if one.meter_id == chosen.meter_id]
            if same_meter[-1].id != chosen.id:
                assert self._total() == before

    @precondition(lambda self: self.billed_upto is None or next_month(self.billed_upto) <= month_of(self.day))
    @rule()
    def the_month_is_billed(self) -> None:
        month = month_of(self.day)
        if self.billed_upto is not None and month <= self.billed_upto:
            return
        row = unbilled_of(self.session, self.home.id, last_day(month))
        assert row is not None
        if row.closing_id is None:
            return
        for invoice_id in row.replaces:
            self.session.get_one(Invoice, invoice_id).status = "void"
        self._bill(month, row.usage, row.opening_id, row.closing_id, row.cycles(month))
        self.billed_upto = month

    @rule()
    def stale_bills_are_made_again(self) -> None:
        for stale in stale_invoices(self.session, self.home.id):
            old = self.session.get_one(Invoice, stale.invoice_id)
            old.status = "void"
            self.session.flush()
            self._bill(old.period_start, stale.now, old.opening_reading_id, old.closing_reading_id, old.cycles)
        assert stale_invoices(self.session, self.home.id) == []

    @invariant()
    def what_is_billed_or_to_be_billed_is_what_the_dials_did(self) -> None:
        if not hasattr(self, "home"):
            return
        row = unbilled_of(self.session, self.home.id, date(2100, 1, 1))
        assert row is not None
        standing = self.session.scalars(
            select(Invoice).where(Invoice.connection_id == self.home.id, Invoice.status != "void")
        ).all()
        billed = {one.id: one.usage for one in standing if one.id not in row.replaces}
        for stale in stale_invoices(self.session, self.home.id):
            assert billed[stale.invoice_id] == stale.billed
            billed[stale.invoice_id] = stale.now
        assert sum(billed.values()) + row.usage == self._total()
        assert self._total() == self._by_the_dials()

    def _by_the_dials(self) -> Decimal:
        """The differences of the values, meter by meter, each turn counted: reckoned anew from the rows."""
        total, last = Decimal(0), None
        for one in self._accepted():
            if last is not None and one.meter_id == last.meter_id:
                total += one.value - last.value + (ROUND if one.turn == "rollover" else 0)
            last = one
        return total

    def _total(self) -> Decimal:
        return sum((one.usage for one in self._accepted()), Decimal(0))

    def _accepted(self) -> list[Reading]:
        self.session.flush()
        query = select(Reading).where(Reading.connection_id == self.home.id, Reading.status == "accepted")
        return list(self.session.scalars(query.order_by(Reading.taken_on, Reading.id)))

    def _read(self, value: int, day: date, source: str) -> Any:
        return read(self.session, self.home, value, day, source=source)

    def _known(self, done: Any, used: int) -> None:
        """No estimate stands before an actual reading; and without slips the books hold what was truly used by it."""
        if not isinstance(done, Recorded) or done.status != "accepted":
            return
        estimates = [
            one for one in self._accepted() if one.source == "estimate" and one.meter_id == done.reading.meter_id
        ]
        assert all(one.taken_on > done.reading.taken_on for one in estimates)
        if self.used - max(self.truly.values(), default=0) >= ROUND:
            self.honest = False  # once round and further: nobody could tell
        self.truly[done.reading.id] = used
        if self.honest:
            upto = (done.reading.taken_on, done.reading.id)
            assert used == sum(one.usage for one in self._accepted() if (one.taken_on, one.id) <= upto)

    def _bill(self, month: date, usage: Decimal, opening: int | None, closing: int, cycles: int) -> None:
        self.session.add(
            Invoice(
                connection_id=self.home.id, kind="regular", period_start=month, period_end=last_day(month), usage=usage,
                days=30, cycles=cycles, amount_minor=0, arrears_minor=0, status="issued", number=f"T{next(NUMBERS)}",
                tariff_version_id=self.estate.version.id, opening_reading_id=opening, closing_reading_id=closing,
                created_at=datetime(2030, 1, 1, tzinfo=UTC),
            )
        )  # fmt: skip
        self.session.flush()


def test_billed_usage_is_the_dials_difference_over_any_chain(session: Session) -> None:
    Books.session = session
    with frozen(datetime(2040, 1, 1, tzinfo=UTC)):
        run_state_machine_as_test(
            Books,
            settings=settings(
                max_examples=60,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[
                    Phase.explicit,
                    Phase.reuse,
                    Phase.generate,
                ],  # to shrink takes minutes: each step asks the books
            ),
        )
