"""A month in the office: readings, the tariff, the run, the invoices, the payment."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import billing.demo
import billing.jobs
from billing.customers import find_customer
from billing.demo import seed_demo
from billing.models import BillingRun, Connection, Invoice, Reading, Tariff, TariffVersion
from billing.readings import latest_reading, record_reading
from core.clock import today
from core.messages import Message, queue_message
from core.money import Money
from core.outbox import JOBS, Outbox
from core.phone import Phone
from payments.intents import move, request_payment
from payments.settlement import MoneyIn, credit
from tests.admin_web.conftest import Browser

TODAY = today("Africa/Nairobi")
WANJIKU = Phone("+254700000001")


@pytest.fixture
def seeded(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(billing.demo, "MONTHS", 4)
    seed_demo(session, TODAY)
    session.commit()
    return session


def her_connection(session: Session) -> Connection:
    customer = find_customer(session, WANJIKU)
    assert customer is not None
    return session.scalars(
        select(Connection).where(Connection.customer_id == customer.id).order_by(Connection.id)
    ).all()[0]


def run_jobs(session: Session, prefix: str) -> None:
    """What relay and worker would do with the outbox."""
    session.rollback()
    for row in session.scalars(select(Outbox).where(Outbox.job.startswith(prefix)).order_by(Outbox.id)).all():
        JOBS[row.job](row.subject_id)
    session.commit()


def test_a_sheet_of_readings_is_saved_and_names_who_entered_them(seeded: Session, clerk: Browser) -> None:
    connection = her_connection(seeded)
    last = latest_reading(seeded, connection.id)
    assert last is not None
    path, name = f"/readings/sheet?connection={connection.id}", f"value-{connection.id}"
    page = clerk.get(path).text
    assert connection.account_no in page
    below = clerk.post(path, taken_on=TODAY.isoformat(), **{name: str(last.value - 1)})
    assert below.status_code == 200
    assert "below the previous reading" in below.text
    high = clerk.post(path, taken_on=TODAY.isoformat(), **{name: str(last.value + 400)})
    assert "much more than usual" in high.text
    assert f'name="sure-{connection.id}"' in high.text
    seeded.rollback()
    unchanged = latest_reading(seeded, connection.id)
    assert unchanged is not None
    assert unchanged.id == last.id
    fine = clerk.post(path, taken_on=TODAY.isoformat(), **{name: f"{last.value + 12:,.3f}"})
    assert fine.status_code == 303
    seeded.rollback()
    reading = latest_reading(seeded, connection.id)
    assert reading is not None
    assert (reading.value, reading.usage, reading.source) == (last.value + 12, Decimal(12), "office")
    assert reading.entered_by == "office user-billing"
    assert "office user-billing" in clerk.get("/readings").text


def test_usage_appears_as_one_types(seeded: Session, clerk: Browser) -> None:
    connection = her_connection(seeded)
    last = latest_reading(seeded, connection.id)
    assert last is not None
    query = f"/readings/judge?connection={connection.id}&taken_on={TODAY}&value-{connection.id}="
    assert "12.5 m³" in clerk.get(query + str(last.value + Decimal("12.5"))).text
    assert "below the previous" in clerk.get(query + "1").text
    assert "has not so many dials" in clerk.get(query + "99999999999").text
    assert "Write the digits" in clerk.get(query + "abc").text
    assert "Write the digits" in clerk.get(query + "-5").text
    assert clerk.get(query).text.strip() == ""


def test_the_review_queue_is_decided_by_a_clerk(seeded: Session, clerk: Browser) -> None:
    connection = her_connection(seeded)
    last = latest_reading(seeded, connection.id)
    assert last is not None
    for more in (400, 500):
        record_reading(
            seeded, connection.id, last.value + more, source="customer_ussd", entered_by=f"customer {WANJIKU}",
            taken_on=TODAY, confirmed=True,
        )  # fmt: skip
    seeded.commit()
    waiting = seeded.scalars(select(Reading).where(Reading.status == "review").order_by(Reading.id)).all()
    assert f"{len(waiting)} readings to review" in clerk.get("/").text
    first, second = waiting[0], waiting[1]
    clerk.post(f"/readings/{second.id}/reject", form_on="/readings/review", note="She typed it twice")
    clerk.post(f"/readings/{first.id}/accept", form_on="/readings/review")
    seeded.rollback()
    assert (first.status, first.decided_by) == ("accepted", "office user-billing")
    assert (second.status, second.note) == ("rejected", "She typed it twice")
    clerk.post(f"/readings/{first.id}/accept", form_on="/password")
    assert "decided about this reading already" in clerk.get("/readings").text
    assert clerk.post("/readings/999999/accept", form_on="/password").status_code == 404


def test_a_version_is_written_on_the_sheet_and_calculated(seeded: Session, clerk: Browser) -> None:
    tariff = seeded.scalars(select(Tariff).order_by(Tariff.id)).all()[0]
    path = f"/tariffs/{tariff.id}/versions/new"
    sheet: dict[str, Any] = {
        "model": "graduated", "to": ["6", ""], "rate": ["50", "60"], "flat": ["", ""], "sewer_rate": ["", ""],
        "fixed_name": "meter rent", "fixed": "100", "usage": "10", "write": "sheet",
    }  # fmt: skip
    calculated = clerk.post("/tariffs/calculate", form_on=path, **sheet)
    assert "640.00" in calculated.text.replace("\u202f", " "), calculated.text
    without_script = clerk.post(path, **sheet, do="calculate")
    assert without_script.status_code == 200
    assert "640.00" in without_script.text
    early = clerk.post(path, **sheet, valid_from="2020-01-01")
    assert early.status_code == 422
    assert "comes after it" in early.text
    wrong = clerk.post(path, **(sheet | {"rate": ["x", "60"]}), valid_from=(TODAY + timedelta(days=40)).isoformat())
    assert "The rate of block 1 is not a number" in wrong.text
    begins = TODAY + timedelta(days=40)
    assert clerk.post(path, **sheet, valid_from=begins.isoformat()).status_code == 303
    newest = seeded.scalars(select(TariffVersion).order_by(TariffVersion.id.desc())).all()[0]
    assert (newest.valid_from, newest.created_by) == (begins, "office user-billing")
    text = clerk.get(f"/tariffs/{tariff.id}").text
    assert "To come" in text
    assert "Frozen" in text


def test_expert_json_is_checked_by_the_rating_itself(seeded: Session, clerk: Browser) -> None:
    tariff = seeded.scalars(select(Tariff).order_by(Tariff.id)).all()[0]
    path = f"/tariffs/{tariff.id}/versions/new"
    begins = (TODAY + timedelta(days=40)).isoformat()
    for rules, said in [
        ('{"model": "magic"}', "model"),
        ('{"model": "graduated"}', "tiers"),
        ('{"model": "graduated", "tiers": [{"from": 0, "to": null, "rate": "x"}]}', "rate"),
    ]:
        answer = clerk.post(path, write="json", rules=rules, valid_from=begins, usage="1")
        assert answer.status_code == 422, rules
        assert said in answer.text
    rules = '{"model": "package", "package_size": 5, "package_price": 100}'
    assert clerk.post(path, write="json", rules=rules, valid_from=begins, usage="1").status_code == 303


def test_a_run_is_started_watched_reviewed_and_issued(seeded: Session, clerk: Browser) -> None:
    connection = her_connection(seeded)
    last = latest_reading(seeded, connection.id)
    assert last is not None
    path = f"/readings/sheet?connection={connection.id}"
    read = clerk.post(
        path,
        taken_on=TODAY.isoformat(),
        **{f"value-{connection.id}": str(last.value + 11), f"sure-{connection.id}": "yes"},
    )
    assert read.status_code == 303, read.text
    assert clerk.post("/runs/new", month="someday").status_code == 422
    assert "not begun yet" in clerk.post("/runs/new", month=f"{TODAY.year + 1}-01").text
    form = clerk.tokens("/runs/new") | {"month": f"{TODAY:%Y-%m}"}
    started = clerk.client.post("/office/runs/new", data=form)
    assert clerk.client.post("/office/runs/new", data=form).location == started.location
    address = started.location.removeprefix("/office")
    assert 'hx-trigger="every 2s"' in clerk.get(address).text
    assert "HX-Refresh" not in clerk.get(address + "/progress").headers
    run_jobs(seeded, "billing.rate")
    assert clerk.get(address + "/progress").headers["HX-Refresh"] == "true"
    review = clerk.get(address).text
    assert "To review" in review
    assert "No reading since the last bill" in review
    assert "computed and not issued" in clerk.get("/").text
    confirm = clerk.get(address + "/issue").text
    assert "Issued by" in confirm
    assert clerk.post(address + "/issue").status_code == 303
    run_jobs(seeded, "billing.issue")
    run = seeded.scalars(select(BillingRun).order_by(BillingRun.id.desc())).all()[0]
    assert (run.status, run.created_by, run.issued_by) == ("issued", "office user-billing", "office user-billing")
    invoice = seeded.scalars(select(Invoice).where(Invoice.run_id == run.id)).one()
    assert invoice.usage == 11
    page = clerk.get(f"/invoices/{invoice.id}").text
    assert invoice.number
    assert invoice.number in page
    assert "Meter rent" in page
    assert clerk.get(f"/search?q={invoice.number.lower()}").location == f"/office/invoices/{invoice.id}"
    clerk.post(address + "/cancel", form_on="/password")
    assert "no longer be cancelled" in clerk.get("/runs").text


def test_a_run_can_be_taken_back_before_it_is_issued(seeded: Session, clerk: Browser) -> None:
    started = clerk.post("/runs/new", month=f"{TODAY:%Y-%m}")
    address = started.location.removeprefix("/office")
    run_jobs(seeded, "billing.rate")
    assert "thrown away" in clerk.get(address + "/cancel").text
    clerk.post(address + "/cancel")
    assert "Cancelled" in clerk.get(address).text


def test_payments_are_told_in_plain_words(seeded: Session, clerk: Browser) -> None:
    connection = her_connection(seeded)
    asked = request_payment(seeded, connection.id, Money.of(500), WANJIKU, "test:1")
    intent = asked.intent  # type: ignore[union-attr]
    seeded.commit()
    assert "Waiting to be sent" in clerk.get(f"/payments/{intent.id}").text
    move(seeded, intent.id, "sending", ["created"])
    move(seeded, intent.id, "sent", ["sending"])
    seeded.commit()
    assert "Waiting for the PIN" in clerk.get("/payments?show=open").text
    move(seeded, intent.id, "paid", ["sent"])
    said, moment = connection.account_no, intent.created_at
    credit(seeded, MoneyIn("SGL51ABCDE", Money.of(500), WANJIKU, said, moment, connection, intent.id))
    credit(seeded, MoneyIn("SGL52QRSTU", Money.of(900), "+254711000222", "<house 4>", moment, None))
    seeded.commit()
    assert "SGL51ABCDE" in clerk.get(f"/payments/{intent.id}").text
    assert re.fullmatch(r"/office/payments/receipts/\d+", clerk.get("/search?q=sgl51abcde").location)
    assert "KES</span> 1,400.00" in clerk.get("/").text
    assert "1 payment without an account" in clerk.get("/").text
    suspense = clerk.get("/payments/suspense").text
    assert "&lt;house 4&gt;" in suspense
    assert "SGL51ABCDE" not in suspense


def test_messages_that_failed_are_found(seeded: Session, clerk: Browser) -> None:
    message = queue_message(seeded, WANJIKU, "Hello <b>", "notice")
    assert message is not None
    message.status, message.failure_reason = "failed", "UserInBlacklist"
    seeded.commit()
    for path in (
        "/messages?show=failed",
        "/messages?q=0700 000 001",
        f"/customers/{her_connection(seeded).customer_id}",
    ):
        text = clerk.get(path).text
        assert "Hello &lt;b&gt;" in text, path
        assert "Not delivered" in text
    assert "Hello" not in clerk.get("/messages?show=in").text
    assert seeded.get(Message, message.id) is not None


def test_every_page_of_a_seeded_utility_answers(seeded: Session, clerk: Browser) -> None:
    first = {
        "customers": 1, "connections": 1, "meters": 1, "tariffs": 1, "runs": 1,
        "invoices": seeded.scalars(select(Invoice.id).order_by(Invoice.id)).all()[0],
    }  # fmt: skip
    for kind, number in first.items():
        assert clerk.get(f"/{kind}").status_code == 200, kind
        assert clerk.get(f"/{kind}/{number}").status_code == 200, kind
        assert clerk.get(f"/{kind}/999999999").status_code == 404, kind
    assert "The same as a table" in clerk.get("/customers/1").text
    assert clerk.get("/debtors").status_code == 200
    assert "The way to the first bill" not in clerk.get("/").text


def test_an_empty_office_shows_the_way(session: Session, clerk: Browser) -> None:
    assert "The way to the first bill" in clerk.get("/").text
    for path, said in {
        "/customers": "No customer yet", "/connections": "No connection yet", "/meters": "No meter yet",
        "/readings": "No reading yet", "/readings/review": "Nothing to review", "/tariffs": "No tariff yet",
        "/runs": "No run yet", "/invoices": "No invoice yet", "/payments": "Nobody has paid by phone yet",
        "/messages": "No message yet", "/conversations": "Nobody has dialled yet", "/debtors": "Nobody owes anything",
        "/payments/suspense": "Every payment has its account", "/readings/sheet": "There is no zone yet",
    }.items():  # fmt: skip
        assert said in clerk.get(path).text, path
