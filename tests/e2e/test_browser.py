"""The whole month in a real browser: she at the handset, the clerk in the office. Leaves screenshots/month."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from core.clock import today
from tests.e2e.conftest import House

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PICTURES = Path(__file__).parents[2] / "screenshots" / "month"
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"needs Chromium at {CHROMIUM}")
NEWCOMER = "+254722333444"
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Handset:
    """The phone on the page, used as a person does."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(address)
        page.wait_for_selector("body[data-ready]")

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(f"phone-0-{name}")

    def own(self, phone: str) -> None:
        """Become the owner of a number: a seeded customer's, or one that nobody knows."""
        if self.part("customer").locator(f"option[value='{phone}']").count():
            self.part("customer").select_option(phone)
        else:
            self.part("customer").select_option("unknown")
            self.part("number").fill(phone)
            self.part("number").press("Enter")

    def say(self, words: str) -> None:
        self.part("input").fill(words)
        self.part("dial").click()

    def shows(self, words: str | re.Pattern[str]) -> str:
        expect(self.part("screen")).to_contain_text(words, timeout=PATIENCE_MS)
        return self.part("screen").inner_text()

    def dial(self) -> None:
        self.part("hangup").click()
        self.say("*384*7#")

    def picture(self, name: str) -> None:
        self.page.screenshot(path=PICTURES / f"{name}.png")


class Office:
    """The office in a window of its own, logged in as the first administrator."""

    def __init__(self, page: Page, house: House) -> None:
        self.page, self.address = page, f"{house.web}/office"
        page.goto(self.address)
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password").fill(house.password())
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").first.fill(value)

    def press(self, button: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=button).click()

    def picture(self, name: str) -> None:
        for theme in ("light", "dark"):
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            self.page.screenshot(path=PICTURES / f"{name}-{theme}.png")
        self.page.emulate_media(color_scheme="light")


def test_the_whole_month(house: House, chromium: Browser) -> None:
    desk = chromium.new_context(viewport={"width": 1280, "height": 860})
    office = Office(desk.new_page(), house)
    handset = Handset(desk.new_page(), house.network)
    account = handset.page.get_by_test_id("vacant").inner_text()

    clerk_prepares(office, house, account)
    she_registers(handset, account)
    she_reads_her_meter(handset)
    she_checks_and_changes_the_language(handset)
    clerk_bills(office)
    she_pays(handset)
    clerk_sees_it(office, account)
    assert not [row for row in house.json("books", "check")["invariants"] if row["violations"]]


def clerk_prepares(office: Office, house: House, account: str) -> None:
    """A tariff is made, a meter is registered and put in, and a first reading is entered."""
    office.open("/tariffs/new")
    office.fill(name="Kiosks")
    office.press("Go on to the prices")
    before = office.page.get_by_test_id("reckoned-total").inner_text()
    office.page.get_by_label("Block 1, rate").fill("35")
    expect(office.page.get_by_test_id("reckoned-total")).not_to_have_text(before)
    office.picture("office-tariff")
    office.press("Save the version")
    expect(office.page.locator("main")).to_contain_text("Kiosks")
    office.open("/meters/new")
    office.fill(serial="KM26990001", digits="5", size_mm="15")
    office.press("Register meter")
    connection = house.connection_id(account)
    office.open(f"/connections/{connection}/meter")
    day = today("Africa/Nairobi").replace(day=1)
    office.fill(serial="KM26990001", start_value="100", from_on=day.isoformat())
    if office.page.locator("[name=end_value]").count():
        office.fill(end_value=str(house.last_value(account)))
    office.press(re.compile("Assign|Replace"))
    expect(office.page.locator("main")).to_contain_text("KM26990001")
    office.open(f"/readings/sheet?connection={connection}")
    office.page.get_by_label(f"Reading of {account}").fill("104")
    office.press("Save readings")
    expect(office.page.locator("main")).to_contain_text("4")
    office.open("/readings")
    expect(office.page.locator("main")).to_contain_text("admin")
    office.picture("office-readings")


def she_registers(handset: Handset, account: str) -> None:
    handset.own(NEWCOMER)
    handset.dial()
    handset.shows("not registered")
    handset.picture("handset-unknown")
    for words, next_screen in (("1", "full name"), ("Neema Wekesa", "language"), ("1", "connection number")):
        handset.say(words)
        handset.shows(next_screen)
    handset.say(account)
    handset.shows("May we keep")
    handset.say("1")
    handset.shows("Welcome, Neema Wekesa")


def she_reads_her_meter(handset: Handset) -> None:
    handset.dial()
    handset.shows("Read my meter")
    handset.picture("handset-menu")
    handset.say("1")
    handset.shows("What does it show now?")
    handset.say("3")
    handset.shows("below the last reading")
    handset.say("109")
    shown = handset.shows(re.compile("Thank you|Are you sure"))
    if "Are you sure" in shown:
        handset.say("1")
        handset.shows("Thank you")


def she_checks_and_changes_the_language(handset: Handset) -> None:
    handset.dial()
    handset.say("3")
    handset.shows(account_line := re.compile("You owe|in credit"))
    assert account_line
    handset.dial()
    handset.say("6")
    handset.shows("My account")
    handset.say("1")
    handset.shows("Kiswahili")
    handset.say("2")
    handset.shows("Soma mita yangu")
    handset.picture("handset-swahili")
    handset.say("6")
    handset.shows("Akaunti yangu")
    handset.say("1")
    handset.shows("Kiswahili")
    handset.say("1")
    handset.shows("Read my meter")


def clerk_bills(office: Office) -> None:
    office.open("/runs/new")
    office.fill(month=f"{today('Africa/Nairobi'):%Y-%m}")
    office.press("Start the run")
    expect(office.page.get_by_role("link", name=re.compile("Issue"))).to_be_visible(timeout=PATIENCE_MS)
    office.picture("office-run")
    office.page.get_by_role("link", name=re.compile("Issue")).click()
    office.press(re.compile(r"Issue \d+ invoice"))
    expect(office.page.locator("main")).to_contain_text("Issued", timeout=PATIENCE_MS)
    office.open("/invoices")
    office.picture("office-invoices")


def she_pays(handset: Handset) -> None:
    handset.dial()
    handset.say("4")
    handset.shows("Bills and usage")
    handset.say("1")
    handset.shows("You owe")
    handset.say("1")
    handset.shows("Pay:")
    handset.say("2")
    handset.shows("Amount in KES")
    handset.say("101")
    handset.shows("Pay KES 101")
    handset.say("1")
    handset.shows("Enter your M-Pesa PIN when asked")
    expect(handset.part("prompt")).to_be_visible(timeout=PATIENCE_MS)
    handset.picture("handset-prompt")
    handset.part("prompt-pin").fill("1234")
    handset.part("prompt-ok").click()
    expect(handset.page.get_by_test_id("timeline")).to_contain_text("Received KES 101", timeout=PATIENCE_MS)
    handset.part("hangup").click()
    handset.part("soft-left").click()
    expect(handset.part("sms")).to_contain_text("Received KES 101")
    handset.picture("handset-receipt")


def clerk_sees_it(office: Office, account: str) -> None:
    office.open("/payments")
    expect(office.page.locator("main")).to_contain_text("KES 101")
    office.picture("office-payments")
    office.page.locator("[type=search]").first.fill(account)
    office.page.locator("[type=search]").first.press("Enter")
    expect(office.page.locator("main")).to_contain_text("Neema Wekesa")
    office.picture("office-customer")
    office.open("/conversations")
    expect(office.page.locator("main")).to_contain_text(re.compile("Neema|0722"), timeout=PATIENCE_MS)
    office.picture("office-conversations")
    office.open("/")
    office.picture("office-home")
