"""Whatever customers, M-Pesa, the network, the clock and death do, in any order: every shilling is credited once.

MONEY_MACHINE=2000 looks at so many longer histories; one that fails is shrunk and printed as steps to repeat.
"""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import count

import pytest
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

from core import config
from core.clock import frozen
from core.database import transaction
from core.money import Money
from core.outbox import Outbox
from core.phone import Phone
from payments import pulling
from payments.intents import Requested, request_payment
from payments.janitor import sweep
from payments.urls import callback_urls
from tests.payments.dying import Death, dying
from tests.payments.money_promises import Promises
from tests.payments.money_town import TOWN, Town, forget_settings, one_of, path_of
from tests.payments.paying import next_door
from tests.payments.safaricom import FORGED, Letter, Payment, Prompt, Safaricom
from ussd_app.jobs import run_job

HISTORIES = int(os.environ.get("MONEY_MACHINE", "0"))
HOMES, ANY, AMOUNTS = st.integers(0, 1), st.integers(0, 50), st.integers(1, 3)
DIES = st.none() | st.tuples(st.integers(1, 6), st.booleans())
"""At which of its commits the process dies, if at all, and whether that one still reaches the disk."""
TYPED = st.sampled_from(["right", "spaced", "by the river", "", "9999999"])
FAILURES = st.sampled_from([1, 1032, 1037, 2001, 4999, 1234])
AFTER_THE_STORM_S = (61, 120, 600, 660, 3600)
_numbers = count(1)


class Paying(RuleBasedStateMachine):
    """Two homes, their phones and their M-Pesa. `letters` are the callbacks that are under way."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.town = ExitStack(), TOWN[0]
        self.letters: list[Letter] = []
        self.kept, self.written = 0, True
        self.mpesa = self.town.line.safaricom = Safaricom(config.settings().mpesa_shortcode, numbers=_numbers)
        self.confirmations = path_of(callback_urls(config.settings())["mpesa_confirmation"])
        self.town.day += timedelta(days=4)  # the days of the machines before it are in the books, and not in reach
        self.at(self.town.day)

    def at(self, moment: datetime) -> None:
        self.clock.close()
        self.now = moment
        self.clock.enter_context(frozen(moment))

    @initialize()
    def move_in(self) -> None:
        self.phones = [Phone(f"+2547{next(_numbers) + 10_000_000:08}") for _ in range(2)]
        self.homes = [next_door(self.town.street, phone) for phone in self.phones]
        with transaction() as session:
            self.promises = Promises(session, self.mpesa, self.homes)

    @property
    def waiting(self) -> list[Prompt]:
        return [prompt for prompt in self.mpesa.prompts if prompt.said is None]

    @property
    def refused(self) -> list[Prompt]:
        return [prompt for prompt in self.mpesa.prompts if prompt.said]

    @property
    def paid(self) -> list[tuple[Prompt, Payment]]:
        return [(prompt, prompt.payment) for prompt in self.mpesa.prompts if prompt.payment]

    # What customers do

    @rule(home=HOMES, by=HOMES, amount=AMOUNTS)
    def asks_to_pay(self, home: int, by: int, amount: int) -> None:
        """A conversation asks, and asks again after it was cut off."""
        key, self.written = f"machine:{next(_numbers)}", True
        with transaction() as session:
            asked, again = (
                request_payment(session, self.homes[home].id, Money.of(amount * 100), self.phones[by], key)
                for _ in range(2)
            )
            assert not isinstance(asked, Requested) or asked == again

    @precondition(lambda self: self.waiting)
    @rule(which=ANY, twin=st.booleans())
    def pays(self, which: int, twin: bool) -> None:
        prompt = one_of(self.waiting, which)
        self.letters.append(self.mpesa.pays(prompt))
        if twin and prompt.payment:
            self.letters.append(self.mpesa.confirmation(prompt.payment, self.confirmations))

    @precondition(lambda self: self.waiting)
    @rule(which=ANY, code=FAILURES)
    def does_not_pay(self, which: int, code: int) -> None:
        self.letters.append(self.mpesa.fails(one_of(self.waiting, which), code))

    @precondition(lambda self: self.refused)
    @rule(which=ANY)
    def pays_after_all(self, which: int) -> None:
        """M-Pesa had said that nothing was paid; the money moves even so."""
        self.letters.append(self.mpesa.pays(one_of(self.refused, which)))

    @rule(home=HOMES, amount=AMOUNTS, typed=TYPED)
    def pays_the_bill_herself(self, home: int, amount: int, typed: str) -> None:
        account = self.homes[home].account_no
        said = {"right": account, "spaced": f" {account[:4]} {account[4:]} "}.get(typed, typed)
        paid = self.mpesa.pays_bill(self.phones[home].lstrip("+"), amount * 100, said)
        self.letters.append(self.mpesa.confirmation(paid, self.confirmations))

    # What the network and M-Pesa do

    @rule(
        how=st.sampled_from(["taken", "taken", "lost", "busy", "unclear"]),
        shape=st.sampled_from(["500", "4999", "400"]),
        lies=st.booleans(),
    )
    def mpesa_changes(self, how: str, shape: str, lies: bool) -> None:
        self.mpesa.how, self.mpesa.shape, self.mpesa.lies = how, shape, lies

    @precondition(lambda self: self.letters)
    @rule(which=ANY, copies=st.integers(1, 3), stays=st.booleans())
    def letter_comes(self, which: int, copies: int, stays: bool) -> None:
        """Any of them, as often as it likes; and perhaps once more later."""
        letter = one_of(self.letters, which)
        for _ in range(copies):
            self.deliver(letter)
        if not stays:
            self.letters.remove(letter)

    @precondition(lambda self: self.letters)
    @rule(which=ANY)
    def letter_is_lost(self, which: int) -> None:
        self.letters.remove(one_of(self.letters, which))

    def deliver(self, letter: Letter) -> None:
        answer = self.town.web.post(letter.path, data=letter.raw, content_type="application/json")
        assert answer.status_code == 200, answer.data
        self.kept, self.written = self.kept + 1, True

    @precondition(lambda self: self.paid)
    @rule(which=ANY, lie=st.sampled_from(["token", "amount", "shortcode", "checkout"]))
    def somebody_forges(self, which: int, lie: str) -> None:
        """Who knows the secret of our address, and something of a payment, but not all of it."""
        prompt, payment = one_of(self.paid, which)
        real, receipt = self.mpesa.outcome(prompt), f"{FORGED}{next(_numbers):07}"
        folder = real.path.rpartition("/")[0]
        forged = self.mpesa.outcome(prompt, MpesaReceiptNumber=receipt)
        made_up = Payment(receipt, payment.phone, payment.amount, payment.account, payment.at)
        self.deliver(
            {
                "token": Letter(f"{folder}/{'0' * 40}", forged.body),
                "amount": self.mpesa.outcome(prompt, MpesaReceiptNumber=receipt, Amount=prompt.amount + 1.0),
                "shortcode": self.mpesa.confirmation(made_up, self.confirmations, "123456"),
                "checkout": Letter(f"{folder}/ws_CO_{receipt}", forged.body),
            }[lie]
        )

    # What our own processes do, and how they die

    @rule(which=ANY, dies=DIES)
    def worker_works(self, which: int, dies: tuple[int, bool] | None) -> None:
        rows = self.due()
        if rows:
            self.mortal(lambda: run_job(one_of(rows, which)), dies)

    @rule(dies=DIES)
    def janitor_sweeps(self, dies: tuple[int, bool] | None) -> None:
        self.mortal(sweep, dies)

    @rule(dies=DIES)
    def list_is_pulled(self, dies: tuple[int, bool] | None) -> None:
        self.mortal(pulling.sweep, dies)

    @rule(seconds=st.sampled_from([1, 20, 61, 300, 3600, 40_000, -1, -130]))
    def clock_jumps(self, seconds: int) -> None:
        self.at(self.now + timedelta(seconds=seconds))

    def mortal(self, work: Callable[[], object], dies: tuple[int, bool] | None) -> None:
        self.written = True
        with ExitStack() as life:
            if dies is not None:
                life.enter_context(dying(*dies))
            try:
                work()
            except Death:
                return

    def due(self) -> list[int]:
        with transaction() as session:
            ours = (Outbox.id > self.promises.first_job, Outbox.job.like("payments.%"), Outbox.done_at.is_(None))
            due = select(Outbox.id).where(*ours, Outbox.run_after <= self.now).order_by(Outbox.id)
            return list(session.scalars(due))

    # What must hold

    @precondition(lambda self: hasattr(self, "promises"))
    @invariant()
    def all_promises_hold(self) -> None:
        if self.written:
            with transaction() as session:
                self.promises.hold(session, self.kept)
            self.written = False

    def teardown(self) -> None:
        try:
            if hasattr(self, "promises") and sys.exc_info()[0] is None:
                self.after_the_storm()
        finally:
            self.clock.close()

    def after_the_storm(self) -> None:
        """Nothing fails any more, and nothing more is delivered: what we have not heard of we must find ourselves."""
        self.mpesa.how, self.mpesa.lies = "taken", False
        for seconds in AFTER_THE_STORM_S:
            for prompt in self.waiting:
                self.mpesa.fails(prompt, 1037)
            self.at(self.now + timedelta(seconds=seconds))
            sweep()
            pulling.sweep()
            while rows := self.due():
                for row in rows:
                    run_job(row)
        with transaction() as session:
            self.promises.hold(session, self.kept)
            assert self.promises.credited(session).keys() == {paid.receipt for paid in self.mpesa.book}


def test_every_shilling_is_credited_once_whatever_happens(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    TOWN[:] = [Town(monkeypatch)]
    examples, steps = (HISTORIES, 50) if HISTORIES else (12, 25)
    try:
        run_state_machine_as_test(
            Paying,
            settings=settings(
                max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
                suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
            ),
        )  # fmt: skip
    finally:
        TOWN.pop().line.close()
        monkeypatch.undo()
        forget_settings()
