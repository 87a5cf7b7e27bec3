"""The money pages in a real browser: they fit, light and dark; a payment changes on the screen without a reload."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.models import Connection
from billing.moments import here
from core.clock import now
from core.database import transaction
from core.money import Money
from payments.bank_statement import import_statement
from payments.cashier import open_day, take
from payments.models import PaymentIntent, Receipt
from payments.reconciliation import note_line, prepare
from payments.refunds import refund
from payments.transfers import transfer
from tests.admin_web.test_pages_chromium import CHROMIUM, PICTURES, SIZES, chromium, entered, site
from tests.payments.paying import arrives, callback, paybill, sent

__all__ = ["chromium", "site"]
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"needs Chromium at {CHROMIUM}")
STATEMENT = b"Date,Description,Ref,Credit,Debit\n2026-11-05,JANE DEPOSIT,1,100,\n2026-11-05,FEE,2,,30\n"
COLUMNS = {"date": "Date", "narrative": "Description", "reference": "Ref", "credit": "Credit", "debit": "Debit"}
PAGES = (
    "/payments", "/payments/1", "/payments/suspense", "/payments/receipts", "/payments/receipts/1",
    "/payments/receipts/2", "/payments/receipts/1/allocate?to={account}&amount=500&reason=She+called",
    "/payments/receipts/2/transfer?at={account}", "/payments/approvals", "/payments/refunds", "/payments/notices",
    "/payments/notices?show=quarantined", "/payments/notices/1", "/desk", "/desk/days", "/desk/days/1",
    "/desk/take?account={account}&amount=750&method=cash&payer=Wanjiku", "/desk/days/1/close", "/bank", "/bank/new",
    "/bank/imports/1", "/reconciliation", "/reconciliation/{yesterday}", "/reconciliation/{today}",
)  # fmt: skip


@pytest.fixture
def money(site: str, session: Session) -> dict[str, object]:
    """Money at every stage: in suspense, paid, waiting for a second person, over the counter, at the bank."""
    home = session.get_one(Connection, 1)
    other = session.get_one(Connection, 2)
    slip = home.account_no[:-1] + str((int(home.account_no[-1]) + 1) % 10)
    arrives("paybill", paybill(slip, receipt="SUS0000001"))
    arrives("paybill", paybill(home.account_no, receipt="BIG0000001", amount="9000"))
    arrives("stk", callback(receipt="FORGED0001"), "a-token-that-is-none")
    attempt = sent(home, key="chromium", checkout="ws_CO_chromium")
    with transaction() as own:
        big = own.scalars(select(Receipt.id).where(Receipt.receipt == "BIG0000001")).one()
        transfer(own, big, home.id, other.id, Money.of(6000), "she mistyped the last digit", "office baraka")
        refund(own, big, home.id, Money.of(1500), "paid twice", "office baraka")
        open_day(own, "amina", "HQ")
        take(own, "amina", home.id, Money.of(1500), "cash", "Wanjiku Kamau")
        take(own, "amina", home.id, Money.of(800), "cheque", "Wanjiku Kamau", "KCB", "000451")
        import_statement(own, "Main", "november.csv", STATEMENT, COLUMNS, "office baraka")
        yesterday = here() - timedelta(days=1)
        own.execute(update(Receipt).where(Receipt.id == big).values(paid_at=now() - timedelta(days=1)))
        note_line(own, "mpesa", "600100", "BIG0000001", 900_000, yesterday, "", "pull")
        note_line(own, "mpesa", "600100", "LOST000001", 70_000, yesterday, "", "pull")
        prepare(own, yesterday)
        prepare(own, here())
    return {"account": home.account_no, "yesterday": yesterday, "today": here(), "attempt": attempt}


@pytest.mark.parametrize("size", SIZES)
def test_every_money_page_fits_and_is_quiet(site: str, money: dict[str, object], chromium: Browser, size: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[size]
    page = chromium.new_page(viewport={"width": width, "height": height})
    complaints = entered(page, site)
    for pattern in PAGES:
        path = pattern.format(**money)
        page.goto(site + path)
        assert page.locator("main h1").count() == 1, path
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide on {width}"
        name = "money-" + pattern.partition("?")[0].strip("/").replace("/", "-").replace("{", "").replace("}", "")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{name}-{size}-{theme}.png", full_page=True)
    assert complaints == []


def test_a_payment_is_watched_and_a_cashier_takes_money_by_keyboard(
    site: str, money: dict[str, object], chromium: Browser
) -> None:
    page = chromium.new_page()
    complaints = entered(page, site)
    attempt = money["attempt"]
    assert isinstance(attempt, PaymentIntent)
    page.goto(f"{site}/payments/{attempt.id}")
    expect(page.locator("#now")).to_contain_text("Waiting for the PIN")
    page.get_by_role("button", name="Check with M-Pesa").click()
    expect(page.get_by_text("M-Pesa is asked. The answer")).to_be_visible()
    arrives("stk", callback(checkout="ws_CO_chromium", receipt="LIVE000001"), attempt.token)
    expect(page.locator("#now .badge")).to_have_text("Paid", timeout=10_000)
    expect(page.get_by_role("button", name="Check with M-Pesa")).to_have_count(0)
    page.goto(f"{site}/desk")
    page.get_by_label("Account", exact=True).fill(str(money["account"]))
    page.get_by_label("Amount, KES").fill("250")
    page.get_by_label("Who pays").fill("Wanjiku")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take it").press("Enter")
    expect(page.get_by_text("Taken: HQ-000003")).to_be_visible()
    page.goto(f"{site}/desk")
    expect(page.get_by_test_id("drawer")).to_contain_text("1,750.00")
    assert complaints == []
