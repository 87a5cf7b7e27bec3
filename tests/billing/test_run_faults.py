"""A run that is paused, killed, raced or overtaken by a correction still bills everybody once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import billing.jobs
import billing.runs
from billing import run_review
from billing.batches import compute_batch, issue_batch, run_now
from billing.ledger import balance_of
from billing.models import Adjustment, BillingRun, Invoice, InvoiceLine, Reading, RunBatch, TariffVersion
from billing.notes import void
from billing.run_review import Review, outliers, reasons, review, samples, totals
from billing.runs import RunRefusal, cancel_run, issue_run, pause_run, problems, resume_run, start_run
from billing.single_bills import bill_one
from billing.tariffs import add_version
from core.clock import frozen
from core.messages import Message
from core.money import Money
from core.outbox import JOBS, Outbox
from tests.billing.estate import Estate, at_once, broken, must_read, read

ROOT = Path(__file__).parents[2]
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def run(session: Session, monkeypatch: pytest.MonkeyPatch) -> BillingRun:
    """Nine connections with a reading, in three batches, committed."""
    monkeypatch.setattr(billing.runs, "BATCH", 3)
    estate = Estate(session)
    for place in range(9):
        must_read(session, estate.metered(f"+2547000000{place:02d}"), 110 + place, date(2026, 2, 28))
    run = start_run(session, FEBRUARY, "office amina")
    assert isinstance(run, BillingRun)
    session.commit()
    return run


def batches(session: Session, run: BillingRun) -> list[int]:
    return list(session.scalars(select(RunBatch.id).where(RunBatch.run_id == run.id).order_by(RunBatch.id)))


def all_billed_once(session: Session, count: int = 9) -> None:
    session.expire_all()
    numbers = session.scalars(select(Invoice.number).order_by(Invoice.number)).all()
    assert numbers == [f"INV-{number:06d}" for number in range(1, count + 1)]
    keys = session.scalars(select(Message.key)).all()
    assert len(keys) == len(set(keys)) == count
    assert broken(session) == []


def test_a_paused_run_waits_and_goes_on(session: Session, run: BillingRun) -> None:
    first, *rest = batches(session, run)
    assert compute_batch(session, first)
    assert isinstance(pause_run(session, run.id), BillingRun)
    assert pause_run(session, run.id) == RunRefusal("state", run.id)
    assert not any(compute_batch(session, batch) for batch in rest)
    assert isinstance(resume_run(session, run.id), BillingRun)
    session.commit()
    handed = session.scalars(select(Outbox.subject_id).where(Outbox.job == "billing.rate_batch")).all()
    assert sorted(handed) == sorted([first, *rest, *rest])
    run_now(session, run.id)
    assert issue_run(session, run.id, "x") is run
    pause_run(session, run.id)
    assert not issue_batch(session, first)
    resume_run(session, run.id)
    run_now(session, run.id)
    assert run.status == "issued"
    assert resume_run(session, run.id) == RunRefusal("state", run.id)
    session.commit()
    all_billed_once(session)


def test_a_paused_run_can_be_cancelled(session: Session, run: BillingRun) -> None:
    compute_batch(session, batches(session, run)[0])
    pause_run(session, run.id)
    assert isinstance(cancel_run(session, run.id, "x"), BillingRun)
    assert (run.status, run.paused) == ("cancelled", False)
    assert session.scalar(select(func.count()).select_from(InvoiceLine)) == 0
    assert broken(session) == []


KILLED = """
import os, signal, sys
import billing.issuing, billing.drafting
from billing.batches import compute_batch, issue_batch
from core.database import configure, transaction
configure(os.environ["DATABASE_URL"])
work = {"compute": compute_batch, "issue": issue_batch}[sys.argv[1]]
with transaction() as session:
    work(session, int(sys.argv[2]))
    session.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("phase", ["compute", "issue"])
def test_a_worker_that_is_killed_leaves_nothing_half_done(session: Session, run: BillingRun, phase: str) -> None:
    if phase == "issue":
        run_now(session, run.id)
        issue_run(session, run.id, "x")
        session.commit()
    first, *rest = batches(session, run)
    died = subprocess.run([sys.executable, "-c", KILLED, phase, str(first)], cwd=ROOT, env=dict(os.environ), timeout=60)
    assert died.returncode == -signal.SIGKILL
    work = compute_batch if phase == "compute" else issue_batch
    at_once([lambda own, batch=batch: work(own, batch) for batch in [first, *rest]])
    if phase == "compute":
        session.expire_all()
        issue_run(session, run.id, "x")
        session.commit()
        at_once([lambda own, batch=batch: issue_batch(own, batch) for batch in [first, *rest]])
    all_billed_once(session)


def test_a_draft_whose_reading_changed_is_not_issued(session: Session, run: BillingRun) -> None:
    run_now(session, run.id)
    changed = session.scalars(select(Reading).where(Reading.source != "opening").order_by(Reading.id)).all()[4]
    changed.status = "rejected"
    session.flush()
    assert issue_run(session, run.id, "x") is run
    run_now(session, run.id)
    session.commit()
    assert [(one.connection_id, one.reason) for one in problems(session, run.id)] == [
        (changed.connection_id, "changed")
    ]
    assert (run.done, run.failed, run.issued, run.number_to) == (8, 1, 8, 8)
    all_billed_once(session, 8)


def test_a_tariff_that_changes_during_the_run_does_not_change_its_bills(session: Session, run: BillingRun) -> None:
    [version] = run.inputs["versions"]
    tariff_id = session.get_one(TariffVersion, version).tariff_id
    dearer = {"model": "graduated", "tiers": [{"from": 0, "to": None, "rate": 99}]}
    assert isinstance(add_version(session, tariff_id, date(2026, 2, 15), dearer, "x"), TariffVersion)
    run_now(session, run.id)
    assert (run.done, run.failed) == (9, 0)
    assert set(session.scalars(select(Invoice.tariff_version_id))) == {version}
    assert all(bill.amount_minor == bill.usage * 1_000 for bill in session.scalars(select(Invoice)))


def test_a_bill_by_an_estimate_is_replaced_when_the_meter_is_read(session: Session) -> None:
    estate = Estate(session)
    home, other = estate.metered("+254700000001"), estate.metered("+254700000002")
    for one in (home, other):
        read(session, one, 150, date(2026, 2, 28), source="estimate")
    assert isinstance(bill_one(session, home.id, FEBRUARY, "x"), Invoice)
    must_read(session, home, 130, date(2026, 3, 28))
    must_read(session, other, 180, date(2026, 3, 28))
    march = start_run(session, MARCH, "x")
    assert isinstance(march, BillingRun)
    run_now(session, march.id)
    assert broken(session) == []
    assert balance_of(session, home.id) == Money(50_000)
    issue_run(session, march.id, "office amina")
    run_now(session, march.id)
    bills = session.scalars(select(Invoice).where(Invoice.connection_id == home.id).order_by(Invoice.id)).all()
    assert [(bill.status, bill.usage, bill.cycles) for bill in bills] == [("void", 50, 1), ("issued", 30, 2)]
    assert (balance_of(session, home.id), bills[1].arrears_minor) == (Money(30_000), 0)
    [note] = session.scalars(select(Adjustment)).all()
    assert (note.number, note.invoice_id, note.decided_by) == ("VOID-000001", bills[0].id, "office amina")
    session.commit()
    assert broken(session) == []


def test_a_month_that_was_billed_by_an_estimate_waits_for_its_void(session: Session) -> None:
    home = Estate(session).metered()
    read(session, home, 150, date(2026, 2, 20), source="estimate")
    assert isinstance(bill_one(session, home.id, FEBRUARY, "x"), Invoice)
    must_read(session, home, 130, date(2026, 2, 28))
    assert bill_one(session, home.id, FEBRUARY, "x") == RunRefusal("void_first")
    [bill] = session.scalars(select(Invoice)).all()
    assert isinstance(void(session, bill.id, "Read meanwhile", "x"), Adjustment)
    anew = bill_one(session, home.id, FEBRUARY, "x")
    assert isinstance(anew, Invoice)
    assert anew.usage == 30
    session.commit()
    assert broken(session) == []


def test_the_review_shows_totals_outliers_and_samples(session: Session) -> None:
    estate = Estate(session)
    homes = [estate.metered() for _ in range(8)]
    for month, usages in ((FEBRUARY, [20] * 8), (MARCH, [20] * 6 + [200, 0])):
        for home, usage in zip(homes, usages, strict=True):
            last = session.scalars(select(Reading).where(Reading.connection_id == home.id)).all()[-1]
            must_read(session, home, last.value + usage, date(2026, month.month, 28))
        run = start_run(session, month, "x", notify=False)
        assert isinstance(run, BillingRun)
        run_now(session, run.id)
        if month == FEBRUARY:
            assert outliers(session, run.id) == []
            issue_run(session, run.id, "x")
            run_now(session, run.id)
    sums = totals(session, run.id)
    assert (sums.invoices, sums.amount, sums.usage) == (8, Money(320_000), 320)
    assert (sums.least, sums.most, sums.nothing_used, sums.catch_ups) == (Money(0), Money(200_000), 1, 0)
    assert sums.by_account == (("revenue:water", Money(320_000)),)
    # From 200 to nothing is below what is worth a look.
    assert [(one.connection_id, one.usage, one.usage_before) for one in outliers(session, run.id)] == [
        (homes[6].id, 200, 20)
    ]
    spread = [one.connection_id for one in samples(session, run.id)]
    assert spread[0] == homes[0].id
    assert spread[-1] == homes[7].id
    assert len(spread) == 5


def test_a_large_run_is_summed_up_by_a_job(session: Session, run: BillingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_review, "AT_ONCE", 8)
    run_now(session, run.id)
    assert review(session, run) is None
    session.commit()
    handed = session.scalars(select(Outbox).where(Outbox.job == run_review.REVIEW)).all()
    assert [one.subject_id for one in handed] == [run.id]
    for _ in range(2):
        JOBS[run_review.REVIEW](run.id)
    session.refresh(run)
    kept = review(session, run)
    assert kept == Review(totals(session, run.id), outliers(session, run.id), reasons(session, run.id))
    assert kept.totals.invoices == 9
    issue_run(session, run.id, "x")
    run_now(session, run.id)
    assert review(session, run) is None
    monkeypatch.setattr(run_review, "AT_ONCE", 9)
    assert review(session, run) == kept


def test_one_connection_is_billed_once_a_month_whoever_bills_it(session: Session, run: BillingRun) -> None:
    """Many workers take every batch at once, twice over."""
    work = [*batches(session, run)] * 3
    at_once([lambda own, batch=batch: compute_batch(own, batch) for batch in work])
    session.expire_all()
    assert issue_run(session, run.id, "x") is run
    session.commit()
    at_once([lambda own, batch=batch: issue_batch(own, batch) for batch in work])
    all_billed_once(session)
    again = start_run(session, FEBRUARY, "x")
    assert isinstance(again, BillingRun)
    run_now(session, again.id)
    assert (again.done, again.skipped) == (0, 9)
    assert balance_of(session, session.scalars(select(Invoice.connection_id)).all()[0]).minor > 0
