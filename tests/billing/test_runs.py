"""Billing runs: drafts, review, issue; once, gapless, and right whoever runs them how often."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import billing.jobs
import billing.runs
from billing.batches import compute_batch, issue_batch, run_now
from billing.invoices import current_bill, list_invoices, recent_bills
from billing.ledger import Leg, balance_of, post
from billing.models import BillingRun, Connection, Invoice, RunBatch
from billing.provisional import provisional_bill
from billing.run_review import reasons
from billing.runs import RunRefusal, cancel_run, issue_run, list_runs, problems, progress, start_run
from billing.tariffs import TariffRefusal, add_version, is_used, replace_rules, version_in_force
from core.clock import frozen
from core.messages import Message
from core.money import Money
from core.outbox import JOBS, Outbox
from tests.billing.estate import TEN_A_UNIT, Estate, at_once, broken, must_read

FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def estate(session: Session) -> Estate:
    return Estate(session)


def started(session: Session, month: date, **how: bool) -> BillingRun:
    run = start_run(session, month, "office amina", **how)
    assert isinstance(run, BillingRun)
    return run


def billed(session: Session, month: date) -> BillingRun:
    """A run all the way to issued."""
    run = started(session, month)
    run_now(session, run.id)
    assert isinstance(issue_run(session, run.id, "office amina"), BillingRun)
    run_now(session, run.id)
    return run


def batches(session: Session, run: BillingRun) -> list[int]:
    return list(session.scalars(select(RunBatch.id).where(RunBatch.run_id == run.id).order_by(RunBatch.id)))


def test_a_month_from_reading_to_bill(session: Session, estate: Estate) -> None:
    home = estate.metered("+254700000001", language="sw")
    must_read(session, home, "117.5", date(2026, 2, 27))
    seen = provisional_bill(session, home, Decimal("117.5"), date(2026, 2, 27))
    run = started(session, FEBRUARY)
    run_now(session, run.id)
    assert (run.status, run.total, run.done, run.failed) == ("review", 1, 1, 0)
    assert current_bill(session, home.id) is None
    assert balance_of(session, home.id) == Money(0)
    assert isinstance(issue_run(session, run.id, "office amina"), BillingRun)
    run_now(session, run.id)
    assert progress(session, run.id).status == "issued"
    bill = current_bill(session, home.id)
    assert bill is not None
    assert (bill.number, bill.amount, bill.owed, bill.usage) == (
        "INV-000001", Money(17_500), Money(17_500), Decimal("17.5"),
    )  # fmt: skip
    assert (bill.period, bill.due_on) == (FEBRUARY, date(2026, 4, 16))
    assert seen is not None
    assert seen.total == bill.amount
    session.commit()
    assert broken(session) == []
    sms = session.scalars(select(Message)).one()
    assert (sms.phone, sms.language, sms.parts, sms.kind) == ("+254700000001", "sw", 1, "bill")
    assert "KES 175" in sms.body


def test_arrears_and_credit_are_carried(session: Session, estate: Estate) -> None:
    homes = [estate.metered(), estate.metered("+254700000002")]
    for home, minor in zip(homes, (5_000, -90_000), strict=True):
        post(session, "opening", f"o:{home.id}", [Leg("receivable", minor, home.id), Leg("opening", -minor)])
        must_read(session, home, 120, date(2026, 2, 28))
    billed(session, FEBRUARY)
    owing, ahead = (session.scalars(select(Invoice).where(Invoice.connection_id == home.id)).one() for home in homes)
    assert (owing.arrears_minor, ahead.arrears_minor) == (5_000, -90_000)
    assert balance_of(session, homes[0].id) == Money(25_000)
    body = session.scalars(select(Message.body)).one()
    assert "Nothing to pay: your credit is KES 700." in body


def test_what_cannot_be_billed_is_on_the_worklist(session: Session, estate: Estate) -> None:
    fine, unread, vacant = estate.metered(), estate.metered(), estate.metered(owned=False)
    doubtful, dry = estate.metered(), estate.connection()
    must_read(session, fine, 110, date(2026, 2, 28))
    waiting = must_read(session, doubtful, 110, date(2026, 2, 28)).reading
    waiting.status = "review"
    closed = estate.metered()
    closed.status = "closed"
    session.flush()
    run = billed(session, FEBRUARY)
    assert {one.connection_id: one.reason for one in problems(session, run.id)} == {
        unread.id: "no_reading", vacant.id: "no_customer", doubtful.id: "in_review", dry.id: "no_meter",
    }  # fmt: skip
    assert len(problems(session, run.id, after=unread.id, limit=2)) == 2
    assert [one.connection_id for one in problems(session, run.id, reason="in_review")] == [doubtful.id]
    assert sorted(reasons(session, run.id)) == [
        ("in_review", 1),
        ("no_customer", 1),
        ("no_meter", 1),
        ("no_reading", 1),
    ]
    assert (run.total, run.done, run.failed, run.skipped, run.issued) == (5, 1, 4, 0, 1)
    assert {one.reason for one in problems(session, run.id)} <= billing.runs.REASONS.keys()


def test_a_later_run_of_the_month_bills_only_who_was_missing(session: Session, estate: Estate) -> None:
    early, late = estate.metered(), estate.metered()
    must_read(session, early, 110, date(2026, 2, 28))
    first = billed(session, FEBRUARY)
    must_read(session, late, 110, date(2026, 2, 28))
    second = billed(session, FEBRUARY)
    assert (first.done, second.done, second.skipped) == (1, 1, 1)
    assert [one.connection_id for one in list_invoices(session, run_id=second.id)] == [late.id]
    assert [one.number for one in list_invoices(session)] == ["INV-000002", "INV-000001"]
    assert [one.id for one in list_runs(session)] == [second.id, first.id]
    assert broken(session) == []


def test_months_without_a_bill_are_caught_up_by_the_blocks_of_all(session: Session) -> None:
    estate = Estate(session, {"model": "graduated", "tiers": [
        {"from": 0, "to": 10, "rate": 1}, {"from": 10, "to": None, "rate": 100}],
        "fixed_charges": [{"name": "meter_rent", "amount": 50}]})  # fmt: skip
    home = estate.metered()
    must_read(session, home, 120, date(2026, 3, 31))
    billed(session, FEBRUARY)
    billed(session, MARCH)
    [bill] = recent_bills(session, home.id)
    assert (bill.period, bill.amount) == (MARCH, Money(20_00 + 2 * 50_00))
    must_read(session, home, 130, date(2026, 4, 1))
    billed(session, APRIL)
    assert [bill.amount for bill in recent_bills(session, home.id)] == [Money(60_00), Money(120_00)]
    assert broken(session) == []


def test_a_run_starts_once_and_alone(session: Session, estate: Estate) -> None:
    estate.metered()
    run = started(session, FEBRUARY)
    assert started(session, date(2026, 2, 15)).id == run.id
    assert start_run(session, MARCH, "x") == RunRefusal("open_run", run.id)
    assert start_run(session, date(2026, 5, 1), "x") == RunRefusal("future")
    assert issue_run(session, run.id, "x") == RunRefusal("state", run.id)
    run_now(session, run.id)
    issue_run(session, run.id, "x")
    assert (run.status, run.issued) == ("issued", 0)


def test_a_cancelled_run_leaves_nothing(session: Session, estate: Estate) -> None:
    home = estate.metered()
    must_read(session, home, 110, date(2026, 2, 28))
    run = started(session, FEBRUARY)
    run_now(session, run.id)
    assert isinstance(cancel_run(session, run.id, "office amina"), BillingRun)
    assert cancel_run(session, run.id, "office amina") == RunRefusal("state", run.id)
    assert not any(compute_batch(session, batch) for batch in batches(session, run))
    assert session.scalars(select(Invoice)).all() == []
    assert billed(session, FEBRUARY).number_from == 1
    assert broken(session) == []


def test_every_job_may_run_twice_and_at_once(session: Session, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billing.runs, "BATCH", 3)
    homes = [estate.metered(f"+2547000000{place:02d}") for place in range(10)]
    for home in homes:
        must_read(session, home, 110, date(2026, 2, 28))
    run = started(session, FEBRUARY)
    session.commit()
    work = [one for one in batches(session, run) for _ in range(2)]
    assert len(work) == 8
    at_once([lambda own, batch=batch: compute_batch(own, batch) for batch in work])
    issue_run(session, run.id, "office amina")
    session.commit()
    at_once([lambda own, batch=batch: issue_batch(own, batch) for batch in work])
    for job in ("billing.rate_batch", "billing.issue_batch"):
        JOBS[job](work[0])
    session.expire_all()
    assert (run.status, run.done, run.issued, run.number_from, run.number_to) == ("issued", 10, 10, 1, 10)
    assert {one.number for one in list_invoices(session)} == {f"INV-{n:06d}" for n in range(1, 11)}
    assert [balance_of(session, home.id) for home in homes] == [Money(10_000)] * 10
    assert len(session.scalars(select(Message)).all()) == 10
    assert broken(session) == []


def test_two_clerks_at_once_start_one_run(session: Session, estate: Estate) -> None:
    must_read(session, estate.metered(), 110, date(2026, 2, 28))
    session.commit()
    runs = at_once([lambda own: started(own, FEBRUARY).id for _ in range(4)])
    assert len(set(runs)) == 1
    jobs = session.scalars(select(Outbox).where(Outbox.job == "billing.rate_batch")).all()
    assert len(jobs) == 1


def test_two_clerks_at_once_issue_once(session: Session, estate: Estate) -> None:
    must_read(session, estate.metered(), 110, date(2026, 2, 28))
    run = started(session, FEBRUARY)
    run_now(session, run.id)
    session.commit()
    done = at_once([lambda own: type(issue_run(own, run.id, "x")).__name__ for _ in range(4)])
    assert sorted(done) == ["BillingRun", "RunRefusal", "RunRefusal", "RunRefusal"]


def test_a_payment_while_the_bills_go_out_is_not_lost(session: Session, estate: Estate) -> None:
    home = estate.metered()
    must_read(session, home, 110, date(2026, 2, 28))
    run = started(session, FEBRUARY)
    run_now(session, run.id)
    issue_run(session, run.id, "x")
    session.commit()
    [batch] = batches(session, run)
    legs = [Leg("cash:mpesa", 4_000), Leg("receivable", -4_000, home.id)]
    at_once([lambda own: issue_batch(own, batch), lambda own: post(own, "payment", "receipt:1", legs)])
    assert balance_of(session, home.id) == Money(6_000)
    assert broken(session) == []


def test_without_notices_nobody_is_disturbed(session: Session, estate: Estate) -> None:
    must_read(session, estate.metered("+254700000001"), 110, date(2026, 2, 28))
    run = started(session, FEBRUARY, notify=False)
    run_now(session, run.id)
    issue_run(session, run.id, "x", on=date(2026, 3, 1))
    run_now(session, run.id)
    assert session.scalars(select(Message)).all() == []
    assert session.scalars(select(Invoice.due_on)).one() == date(2026, 3, 15)


def test_an_issued_invoice_and_its_tariff_are_frozen(session: Session, estate: Estate) -> None:
    must_read(session, estate.metered(), 110, date(2026, 2, 28))
    version = estate.version
    assert not is_used(session, version.id)
    assert replace_rules(session, version.id, TEN_A_UNIT) is version
    billed(session, FEBRUARY)
    session.commit()
    assert replace_rules(session, version.id, TEN_A_UNIT) == TariffRefusal("billed")
    for change in (
        "UPDATE invoice SET amount_minor = 1", "DELETE FROM invoice", "UPDATE tariff_version SET rules = '{}'",
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match=r"cannot change|in use"):
            session.execute(text(change))
        session.rollback()


def test_versions_follow_each_other(session: Session, estate: Estate) -> None:
    dearer = {"model": "graduated", "tiers": [{"from": 0, "to": None, "rate": "12.345678"}]}
    assert add_version(session, estate.tariff_id, date(2025, 1, 1), dearer, "x") == TariffRefusal("valid_from")
    refused = add_version(session, estate.tariff_id, MARCH, {"model": "cheap"}, "x")
    assert isinstance(refused, TariffRefusal)
    assert (refused.kind, "model" in refused.errors) == ("rules", True)
    must_read(session, estate.metered(), 110, date(2026, 2, 28))
    billed(session, FEBRUARY)
    assert add_version(session, estate.tariff_id, FEBRUARY, dearer, "x") == TariffRefusal("billed")
    new = add_version(session, estate.tariff_id, MARCH, dearer, "x")
    assert version_in_force(session, estate.tariff_id, date(2026, 2, 28)) is estate.version
    assert version_in_force(session, estate.tariff_id, MARCH) is new
    assert version_in_force(session, estate.tariff_id, date(2024, 12, 31)) is None


def test_a_provisional_bill_asks_nothing_of_the_books(session: Session, estate: Estate) -> None:
    home = estate.metered()
    on = date(2026, 2, 20)
    ahead = provisional_bill(session, home, Decimal(115), on)
    assert ahead is not None
    assert (ahead.usage, ahead.total) == (15, Money(15_000))
    must_read(session, home, 115, on)
    assert provisional_bill(session, home, Decimal(115), on) == ahead
    assert provisional_bill(session, home, Decimal(90), on) is None
    dry: Connection = estate.connection()
    assert provisional_bill(session, dry, Decimal(5), on) is None
