"""The portal's statement in the office: looked at, entered once, row by row; and what people are told in time."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from admin_web.models import OfficeUser
from billing.ledger import balance_of
from core.clock import frozen, now
from core.database import transaction
from core.money import Money
from payments import janitor, pulling
from payments.models import Notice
from payments.settlement import settle
from payments.statement_import import enter_rows
from tests.payments.paying import arrives, house, paybill, sent
from tests.payments.test_statement import line, statement

from .conftest import Browser

Add = Callable[[str, str], OfficeUser]


@pytest.fixture
def accountant(browser: Browser, office_user: Add) -> Browser:
    office_user("amina", "accountant")
    browser.log_in("amina")
    return browser


def upload(accountant: Browser, raw: bytes, name: str = "november.csv") -> str:
    answer = accountant.post("/payments/statements", file=(io.BytesIO(raw), name))
    assert answer.status_code == 303, answer.text
    answer.request.environ["wsgi.input"].close()  # the test's own copy of what it has sent
    return answer.location.removeprefix("/office")


def settle_all() -> None:
    with transaction() as session:
        waiting = list(session.scalars(select(Notice.id).where(Notice.outcome.is_(None))))
    for notice_id in waiting:
        settle(notice_id)


def test_a_statement_is_looked_at_and_then_entered_once(accountant: Browser) -> None:
    home = house()
    arrives("paybill", paybill(home.account_no, receipt="AAAAAAAAA1"))
    rows = line("AAAAAAAAA9", account=home.account_no), line("AAAAAAAAA1", account=home.account_no)
    place = upload(accountant, statement(*rows))
    seen = accountant.get(place).text
    assert "Enter 1 payment, " in seen
    assert "Not in the books" in seen
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
    for _ in range(2):
        assert accountant.post(f"{place}/enter", form_on=place).status_code in (303, 400)
    enter_rows(1)
    settle_all()
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-1000)
    after = accountant.get(f"{place}?show=payment").text
    assert "Entered by" in after
    assert "badge-good" in after
    assert upload(accountant, statement(*rows)) == place  # the same file is the same statement


def test_a_large_statement_is_taken(accountant: Browser) -> None:
    rows = [line(f"AAAA{number:06}", status="Failed", details="x" * 250) for number in range(4000)]
    raw = statement(*rows)
    assert len(raw) > 1024 * 1024
    assert "4,000" in accountant.get(upload(accountant, raw)).text


@pytest.mark.parametrize(
    ("raw", "why"),
    [(b"", "Choose the file"), (b"a,b\n", "Receipt No."), (statement(line(), shortcode="600999"), "600999")],
)
def test_what_is_no_statement_of_ours_says_why(accountant: Browser, raw: bytes, why: str) -> None:
    answer = accountant.post("/payments/statements", file=(io.BytesIO(raw), "x.csv"))
    assert answer.status_code == 422
    assert why in answer.text


def test_one_who_only_reads_enters_nothing(accountant: Browser, browser: Browser, office_user: Add) -> None:
    place = upload(accountant, statement(line()))
    office_user("juma", "auditor")
    accountant.post("/logout", form_on="/account")
    browser.log_in("juma")
    assert "Enter 1 payment" not in browser.get(place).text
    assert browser.post(f"{place}/enter", form_on="/account").status_code in (302, 303, 403)


def test_people_are_told_of_an_outage_and_of_what_never_cleared_up(accountant: Browser) -> None:
    assert "list was not read" not in accountant.get("/").text
    with transaction() as session:
        pulling.begin(session, "recent", now())
    sent(house())
    with frozen(now() + timedelta(hours=39)):
        accountant.log_in("amina")
        told = accountant.get("/").text
    assert "list was not read for 39 hours" in told
    assert "never cleared up" not in told
    for hours in (39, 49, 50, 51, 52, 53):
        with frozen(now() + timedelta(hours=hours)):
            janitor.sweep()
    with frozen(now() + timedelta(hours=54)):
        accountant.log_in("amina")
        assert "1 payment never cleared up" in accountant.get("/").text
        assert "1000" in accountant.get("/payments?show=people").text
