"""Officers in a real browser: the second step by keyboard alone, and their pages, on a phone and a desk."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from pyotp import TOTP
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from admin_web.models import OfficeUser
from billing.models import Customer
from core.audit import acting
from core.clock import now
from core.database import transaction
from tests.admin_web.conftest import PASSWORD
from tests.billing.estate import Estate

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PICTURES = Path(__file__).parents[2] / "screenshots" / "office"
SIZES = {"phone": (390, 844), "desk": (1280, 860)}
PAGES = ("/users", "/users/1", "/sessions", "/audit", "/audit?thing=customer&key=1", "/customers/1")

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"needs Chromium at {CHROMIUM}")


@pytest.fixture
def site(app: Flask, session: Session, office_user: Callable[[str, str], OfficeUser]) -> Iterator[str]:
    """The address of the office, served for real, with some changes behind it."""
    for name, role in (("amina", "administrator"), ("zawadi", "accountant"), ("otieno", "field")):
        office_user(name, role)
    with transaction() as own, acting("office zawadi", "10.0.0.9"):
        Estate(own).metered("+254700000001")
        own.execute(update(Customer).values(name="Amina Otieno Wanjala", kind="commercial", consent_at=now()))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/office"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    """A browser that ends the test with an error where it had anything to complain about."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        page.set_default_timeout(30_000)
        expect.set_options(timeout=20_000)
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert complaints == []


def photograph(page: Page, name: str) -> None:
    """On a phone and a desk, light and dark; nothing may be wider than its screen."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")

        assert wide <= width, f"{name} is {wide} wide on {width}"
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{name}-{size}-{theme}.png", full_page=True)


def log_in_by_keyboard(page: Page, site: str) -> None:
    page.goto(site + "/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("amina")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def test_the_second_step_by_keyboard_alone(site: str, page: Page) -> None:
    log_in_by_keyboard(page, site)
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    page.goto(site + "/second-step")
    photograph(page, "second-step-set-up")
    secret = page.get_by_test_id("secret").inner_text().replace(" ", "")
    page.get_by_label("The six digits it shows").focus()
    page.keyboard.type(TOTP(secret).at(now()))
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("recovery-codes").get_by_role("listitem")).to_have_count(10)
    photograph(page, "recovery-codes")
    page.locator("details.me summary").press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    log_in_by_keyboard(page, site)
    expect(page.get_by_label("The six digits on your phone")).to_be_focused()
    photograph(page, "login-code")
    page.keyboard.type(TOTP(secret).at(now() + timedelta(seconds=30)))  # that of this step is used up
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()


def test_pages_of_officers_and_of_changes_fit(site: str, page: Page) -> None:
    log_in_by_keyboard(page, site)
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    for path in PAGES:
        page.goto(site + path)
        photograph(page, re.sub(r"\W+", "-", path).strip("-"))
    page.goto(site + "/audit?thing=customer&key=1")
    expect(page.get_by_text("Amina Otieno Wanjala")).to_be_visible()
    page.get_by_role("link", name="office zawadi").first.click()
    expect(page.get_by_label("By", exact=False).first).to_have_value("office zawadi")
