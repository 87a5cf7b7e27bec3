"""Debts and corrections in the office: accounts, notes, voids, reminders, the books."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import admin_web.home
import billing.demo
from billing.books import check, last_check, remember
from billing.demo import seed_demo
from billing.ledger import balance_of
from billing.models import Adjustment, Balance, Connection, DunningStep, Invoice, PaymentPlan
from core.clock import today
from tests.admin_web.conftest import Browser

TODAY = today("Africa/Nairobi")


@pytest.fixture
def seeded(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(billing.demo, "MONTHS", 4)
    seed_demo(session, TODAY)
    remember(session, check(session))
    session.commit()
    return session


def debtor(session: Session) -> Connection:
    """Who owes the most."""
    most = session.scalars(select(Balance).order_by(Balance.amount_minor.desc()).limit(1)).one()
    return session.get_one(Connection, most.connection_id)


def newest_bill(session: Session, connection: Connection) -> Invoice:
    query = (
        select(Invoice)
        .where(Invoice.connection_id == connection.id)
        .order_by(Invoice.period_start.desc(), Invoice.id.desc())
    )
    return session.scalars(query.limit(1)).one()


def test_an_account_shows_its_statement_and_what_is_open(seeded: Session, clerk: Browser) -> None:
    home = debtor(seeded)
    page = clerk.get(f"/connections/{home.id}/account")
    assert page.status_code == 200
    assert "days overdue" in page.text
    assert "Next bill" in page.text
    bill = newest_bill(seeded, home)
    assert bill.number
    assert bill.number in page.text
    assert (
        bill.number
        not in clerk.get(f"/connections/{home.id}/account?first=2020-01-01&last=2020-01-31").text.split("Open charges")[
            0
        ]
    )
    assert clerk.get("/connections/999999/account").status_code == 404
    assert "is open" in clerk.get(f"/invoices/{bill.id}").text


def test_a_note_is_written_down_or_waits_for_a_second_person(
    seeded: Session, clerk: Browser, administrator: Browser
) -> None:
    home = debtor(seeded)
    before, path = balance_of(seeded, home.id).minor, f"/connections/{home.id}"
    fields = {"kind": "credit_note", "account": "revenue:water", "reason": "Meter misread"}
    assert clerk.post(f"{path}/notes", form_on=f"{path}/account", amount="x", **fields).status_code == 422
    clerk.post(f"{path}/notes", form_on=f"{path}/account", amount="12.50", **fields)
    seeded.rollback()
    assert balance_of(seeded, home.id).minor == before - 1_250
    clerk.post(f"{path}/notes", form_on=f"{path}/account", amount="9,000", **fields)
    seeded.rollback()
    asked = seeded.scalars(select(Adjustment).where(Adjustment.status == "proposed")).one()
    assert balance_of(seeded, home.id).minor == before - 1_250
    assert "1 correction to approve" in clerk.get("/").text
    decide, on = f"/corrections/{asked.id}/decide", "/corrections?show=proposed"
    clerk.post(decide, form_on=on, do="approve")
    assert "Another person has to approve" in clerk.get("/corrections").text
    administrator.post(decide, form_on=on, do="approve")
    seeded.rollback()
    assert balance_of(seeded, home.id).minor == before - 901_250
    assert "CN-000002" in clerk.get("/corrections?show=posted").text


def test_an_invoice_is_made_void_and_billed_anew(seeded: Session, clerk: Browser) -> None:
    newest = select(Invoice).order_by(Invoice.period_start.desc(), Invoice.amount_minor).limit(1)
    bill = seeded.scalars(newest.where(Invoice.amount_minor > 10_000)).one()
    home = seeded.get_one(Connection, bill.connection_id)
    before = balance_of(seeded, home.id)
    path = f"/invoices/{bill.id}/void"
    assert "keeps its number" in clerk.get(path).text
    assert clerk.post(path).status_code == 422
    done = clerk.post(path, reason="Wrong reading", anew="yes")
    assert done.status_code == 303
    seeded.rollback()
    anew = newest_bill(seeded, home)
    assert (anew.id != bill.id, anew.period_start, anew.amount_minor) == (True, bill.period_start, bill.amount_minor)
    assert balance_of(seeded, home.id) == before
    assert done.location.endswith(f"/invoices/{anew.id}")
    assert "Void" in clerk.get(f"/invoices/{bill.id}").text
    assert "is not in force" in clerk.post(path, reason="Again").text


def test_a_plan_and_a_deposit(seeded: Session, accountant: Browser) -> None:
    home = debtor(seeded)
    path, page = f"/connections/{home.id}", f"/connections/{home.id}/account"
    first = (TODAY + timedelta(days=5)).isoformat()
    accountant.post(f"{path}/plan", form_on=page, amount="900000", count="3", first=first)
    assert "This amount is not possible" in accountant.get(page).text
    accountant.post(f"{path}/plan", form_on=page, amount="300", count="3", first=first)
    assert "To come" in accountant.get(page).text
    plan = seeded.scalars(select(PaymentPlan)).one()
    assert (plan.amount_minor, plan.created_by) == (30_000, "office user-accountant")
    accountant.post(f"{path}/plan/end", form_on=page)
    assert "The plan is ended" in accountant.get(page).text
    for do, words in (("take", "is in the books"), ("take", "in the books already"), ("use", "is in the books")):
        accountant.post(f"{path}/deposit", form_on=page, do=do, amount="50", channel="cash:bank", reference="R1")
        assert words in accountant.get(page).text, do


def test_reminders_are_looked_at_then_sent(seeded: Session, clerk: Browser) -> None:
    page = clerk.get("/dunning").text
    assert "Nothing is sent before you say so" in page
    seeded.rollback()
    assert seeded.scalars(select(DunningStep)).all() == []
    clerk.post("/dunning/steps", form_on="/dunning")
    seeded.rollback()
    steps = seeded.scalars(select(DunningStep)).all()
    assert steps
    assert {step.created_by for step in steps} == {"office user-billing"}
    assert "Nobody has to be told anything" in clerk.get("/dunning").text
    told = steps[0]
    order = DunningStep(connection_id=told.connection_id, step="disconnection", since=told.since, amount_minor=1,
                        status="open", created_by="x", created_at=told.created_at)  # fmt: skip
    seeded.add(order)
    seeded.commit()
    clerk.post(f"/dunning/orders/{order.id}", form_on="/dunning", do="done")
    assert "The order is done" in clerk.get("/dunning").text
    cut = seeded.get_one(Connection, order.connection_id, populate_existing=True)
    assert cut.status == "suspended"
    clerk.post(f"/connections/{cut.id}/reconnect", form_on=f"/connections/{cut.id}/account")
    assert "has not paid enough" in clerk.get(f"/connections/{cut.id}/account").text


def test_a_policy_is_an_administrators(seeded: Session, clerk: Browser, administrator: Browser) -> None:
    path = "/dunning/policy/institution"
    assert clerk.get(path).status_code == 403
    shown = administrator.get(path).text
    assert 'value="75.00"' in shown
    fields = {
        "least_minor": "50", "reminder_days": "3", "notice_days": "30", "order_days": "44", "reconnection_share": "75",
        "reconnection_minor": "500", "late_fee_days": "14", "late_fee_minor": "0", "late_fee_share": "0",
        "approval_minor": "5000",
    }  # fmt: skip
    assert "have to follow each other" in administrator.post(path, **(fields | {"order_days": "20"})).text
    assert administrator.post(path, **fields).status_code == 303
    assert administrator.get("/dunning/policy/nobody").status_code == 404


def test_the_books_page_and_its_alarm(seeded: Session, clerk: Browser, enter: Callable[[str], Browser]) -> None:
    page = clerk.get("/ledger").text
    assert "promises hold" in page
    assert "receivable" in page
    assert "receivable" in clerk.get("/ledger/account?name=receivable").text
    older = clerk.get("/ledger/account?name=receivable&before=50")
    assert older.status_code == 200
    month = f"first={TODAY - timedelta(days=200)}&last={TODAY}"
    file = clerk.get(f"/ledger/journal?kind=csv&{month}")
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.text.startswith("date,entry,kind")
    assert clerk.get(f"/ledger/journal?kind=tally&{month}").text.startswith("<?xml")
    assert clerk.get("/ledger/journal?kind=csv").status_code == 422
    assert clerk.get(f"/ledger/journal?kind=csv&first={TODAY}&last=2020-01-01").status_code == 422
    assert "The books do not add up" not in clerk.get("/").text
    kept = remember(seeded, check(seeded))
    kept.violations, kept.found = (
        2,
        kept.found | {"broken": {"every entry has postings": {"violations": 2, "sample": ["entry 1"]}}},
    )
    seeded.commit()
    assert "The books do not add up" in clerk.get("/").text
    assert "every entry has postings" in clerk.get("/ledger").text


def test_debts_by_age(seeded: Session, clerk: Browser) -> None:
    page = clerk.get("/debtors/aging").text
    assert "Not due yet" in page
    assert debtor(seeded).account_no in page


def test_invoices_on_paper(seeded: Session, clerk: Browser) -> None:
    bill = newest_bill(seeded, debtor(seeded))
    for paper in ("a5", "thermal"):
        answer = clerk.get(f"/invoices/{bill.id}/pdf?paper={paper}")
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.data.startswith(b"%PDF-")
    assert clerk.get("/invoices/999999/pdf").status_code == 404
    assert "Print a zone" in clerk.get("/invoices/print").text
    month = f"{bill.period_start:%Y-%m}"
    together = clerk.get(f"/invoices/print?zone=1&month={month}")
    assert together.headers["Content-Disposition"].endswith(f'-{month}.pdf"')
    assert clerk.get("/invoices/print?zone=1&month=2020-01").status_code == 303
    assert clerk.get("/invoices/print?zone=1&month=never").status_code == 422
    assert clerk.get(f"/invoices/print?zone=99&month={month}").status_code == 404


def test_large_books_are_not_counted_for_a_page(
    seeded: Session, clerk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = last_check(seeded)
    assert counted is not None
    assert counted.found["counts"]["connections"] == len(seeded.scalars(select(Connection.id)).all())
    exact = clerk.get("/").text
    counted.found = counted.found | {"counts": counted.found["counts"] | {"debtors": 7_777, "unmetered": 8_888}}
    seeded.commit()
    assert "7,777" not in clerk.get("/").text
    assert clerk.get("/").text.count("without a meter") == exact.count("without a meter")
    monkeypatch.setattr(admin_web.home, "LARGE", 10)
    assert "8,888 connections without a meter" in clerk.get("/").text
