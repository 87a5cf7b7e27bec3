"""The office in a real browser: on a phone and a desk, light and dark; screenshots go to screenshots/office."""

import os
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

import billing.demo
import billing.jobs
from admin_web.models import OfficeUser
from billing.alerts import set_alert
from billing.books import check, remember
from billing.faults import report_fault
from billing.models import Anomaly, Connection, LinkRequest, Reading
from billing.months import months_before
from billing.pins import set_pin
from core.clock import now, today
from core.outbox import JOBS, Outbox
from core.phone import Phone
from tests.admin_web.conftest import PASSWORD

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PICTURES = Path(__file__).parents[2] / "screenshots" / "office"
WANJIKU = Phone("+254700000001")
SIZES = {"phone": (390, 844), "desk": (1280, 860)}
PAGES = (
    "/", "/customers", "/customers/1", "/customers/new", "/connections", "/connections/1", "/connections/1/meter",
    "/connections/1/edit", "/connections/40", "/faults", "/faults/1", "/faults/2", "/links",
    "/meters", "/meters/1", "/readings", "/readings/review", "/readings/sheet?zone=1", "/readings/1",
    "/readings/estimates", "/anomalies", "/anomalies/1", "/connections/1/account", "/dunning",
    "/dunning/policy/domestic", "/debtors/aging", "/corrections", "/invoices/2/void", "/ledger",
    "/ledger/account?name=receivable", "/levies", "/tariffs", "/tariffs/1", "/tariffs/1/versions/new",
    "/tariffs/1/versions/new?write=json", "/runs", "/runs/1", "/runs/new", "/runs/1/cancel",
    "/invoices", "/invoices/1", "/invoices/print", "/payments", "/payments/receipts",
    "/payments/suspense", "/messages", "/messages/numbers", "/inbox", "/texts", "/texts/bill/sw",
    "/bulk", "/bulk/new", "/conversations", "/debtors", "/users", "/password", "/no/such/page",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"needs Chromium at {CHROMIUM}")


@pytest.fixture
def site(
    app: Flask, session: Session, office_user: Callable[[str, str], OfficeUser], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of the office, served for real, over a small seeded utility."""
    monkeypatch.setattr(billing.demo, "MONTHS", 5)
    billing.demo.seed_demo(session, today("Africa/Nairobi"))
    customers_ask(session)
    stands_out(session)
    session.commit()
    office_user("amina", "administrator")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/office"
    server.shutdown()
    thread.join()
    server.server_close()


def customers_ask(session: Session) -> None:
    """Wanjiku reports a burst pipe and a forgotten PIN, and a stranger wants to be linked to the vacant place."""
    hers, vacant = session.get_one(Connection, 1), session.get_one(Connection, 42)
    set_pin(session, WANJIKU, "4711")
    set_alert(session, WANJIKU, Decimal(30))
    for kind, note in (("leak", "Burst pipe at the corner of Wood Avenue, by the blue kiosk"), ("pin", "")):
        report_fault(session, WANJIKU, kind, connection_id=hers.id, note=note, channel="ussd", key=f"ussd:{kind} 3")
    session.add(
        LinkRequest(
            phone=Phone("+254711222333"), connection_id=vacant.id, name="Neema Wekesa", language="en",
            status="pending", created_at=now(),
        )
    )  # fmt: skip


def stands_out(session: Session) -> None:
    """An unusual month, and the hourly check of the books."""
    session.add(
        Anomaly(
            connection_id=7, month=months_before(today("Africa/Nairobi").replace(day=1), 1), kind="leak",
            score=Decimal("9.5"), daily=Decimal("2.4"), usual=Decimal("0.6"), status="open", created_at=now(),
        )
    )  # fmt: skip
    remember(session, check(session))


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def entered(page: Page, site: str) -> list[str]:
    """Log in; returns the list into which everything goes that the browser complains about."""
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((site, "data:")) else complaints.append(sent.url))
    page.goto(site + "/")
    page.get_by_label("User name").fill("amina")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    return complaints


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_is_quiet(site: str, chromium: Browser, size: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[size]
    page = chromium.new_page(viewport={"width": width, "height": height})
    complaints = entered(page, site)
    for path in PAGES:
        page.goto(site + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide on {width}"
        name = path.strip("/").replace("/", "-").replace("?", "-") or "home"
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{name}-{size}-{theme}.png", full_page=True)
    assert [told for told in complaints if "404" not in told] == []


def test_usage_and_prices_appear_as_one_types(site: str, chromium: Browser, session: Session) -> None:
    page = chromium.new_page()
    complaints = entered(page, site)
    connection = session.scalars(select(Connection).order_by(Connection.id)).all()[0]
    last = session.scalars(
        select(Reading).where(Reading.connection_id == connection.id).order_by(Reading.id.desc())
    ).all()[0]
    page.goto(f"{site}/readings/sheet?connection={connection.id}")
    page.get_by_label(f"Reading of {connection.account_no}").press_sequentially(str(int(last.value) - 1))
    expect(page.get_by_text("below the previous reading")).to_be_visible()
    page.goto(f"{site}/tariffs/1/versions/new")
    before = page.get_by_test_id("reckoned-total").inner_text()
    page.get_by_label("Block 1, rate").fill("400")
    expect(page.get_by_test_id("reckoned-total")).not_to_have_text(before)
    assert complaints == []


def test_a_run_is_watched_without_touching_the_page(site: str, chromium: Browser, session: Session) -> None:
    page = chromium.new_page()
    complaints = entered(page, site)
    page.get_by_role("link", name="Billing runs").click()
    page.get_by_role("link", name="Start a run").click()
    page.get_by_label("Month to bill").fill(f"{today('Africa/Nairobi'):%Y-%m}")
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_test_id("run-progress")).to_contain_text("0 of")
    session.rollback()
    for row in session.scalars(select(Outbox).where(Outbox.job == "billing.rate_batch", Outbox.done_at.is_(None))):
        JOBS[row.job](row.subject_id)
    session.rollback()
    expect(page.get_by_role("link", name="Cancel the run")).to_be_visible(timeout=10_000)
    assert complaints == []


def test_the_office_works_without_javascript_and_by_keyboard(site: str, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    entered(page, site)
    page.get_by_text("Menu", exact=True).click()
    page.get_by_role("link", name="Customers", exact=True).click()
    page.get_by_role("link", name="Add a customer").click()
    page.get_by_label("Name", exact=True).fill("Muthoni Gitau")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Muthoni Gitau")).to_be_visible()
    page.goto(f"{site}/tariffs/1")
    page.get_by_label("A month, m³").fill("100")
    page.get_by_role("button", name="Calculate").click()
    expect(page.get_by_text("100 m³ cost")).to_be_visible()
    page.goto(f"{site}/customers")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
