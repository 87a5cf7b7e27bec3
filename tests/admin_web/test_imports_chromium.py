"""A list brought in through a real browser: mislabelled, mended, imported while one watches, taken back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import billing.bulk_jobs
from billing.models import Connection, Customer
from tests.admin_web.test_import_pages import work
from tests.admin_web.test_pages_chromium import CHROMIUM, PICTURES, SIZES, chromium, entered, site

__all__ = ["chromium", "site"]
assert billing.bulk_jobs

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"needs Chromium at {CHROMIUM}")


def pictured(page: Page, name: str) -> None:
    """The page on a phone and a desk, light and dark; it may not be wider than the screen."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    kept = page.viewport_size
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} wide on {width}"
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{name}-{size}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    if kept is not None:
        page.set_viewport_size(kept)


def bring(page: Page, site: str, kind: str, content: str, name: str = "from the old system.csv") -> None:
    page.goto(site + "/imports")
    page.get_by_label("What is in it").select_option(kind)
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.get_by_role("button", name="Look at it").click()


def test_a_list_is_brought_mended_imported_and_taken_back(site: str, chromium: Browser, session: Session) -> None:
    page = chromium.new_page()
    complaints = entered(page, site)
    before = session.scalar(select(func.count()).select_from(Customer))
    rows = "".join(f"Customer {n:02d};0722{n:06d};note\n" for n in range(20))
    bring(page, site, "customers", "Full name;Mobile;Remarks\n" + rows + ";0700;\nAmina;12;x\n")
    expect(page.get_by_role("alert")).to_contain_text("needs a column called “name”")
    pictured(page, "import-headers")
    page.get_by_role("button", name="Read it so").click()
    expect(page.get_by_role("alert")).to_contain_text("2 rows cannot be imported")
    expect(page.locator(".row-error").first).to_contain_text("name is missing.")
    assert page.locator(".row-error").count() == 2
    pictured(page, "import-errors")
    with page.expect_download() as mend:
        page.get_by_role("link", name="Rows to mend, as CSV").click()
    assert mend.value.path().read_text(encoding="utf-8-sig").startswith("error,Full name,Mobile,Remarks")
    page.get_by_role("button", name="Import the 20 valid rows").click()
    expect(page.get_by_test_id("import-progress")).to_have_text("0 of 20 rows")
    page.reload()
    expect(page.get_by_test_id("import-progress")).to_have_text("0 of 20 rows")
    pictured(page, "import-progress")
    work(session)
    expect(page.get_by_test_id("import-result")).to_have_text("20 rows imported", timeout=10_000)
    pictured(page, "import-done")
    page.get_by_role("link", name="Take it back").click()
    pictured(page, "import-undo")
    page.get_by_role("button", name="Take it back").click()
    work(session)
    expect(page.get_by_test_id("import-result")).to_have_text("20 rows taken back", timeout=10_000)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Customer)) == before
    page.goto(site + "/imports")
    pictured(page, "imports")
    assert complaints == []


def test_connections_are_narrowed_chosen_changed_and_changed_back(
    site: str, chromium: Browser, session: Session
) -> None:
    page = chromium.new_page()
    complaints = entered(page, site)
    page.goto(site + "/connections")
    page.get_by_text("Zone", exact=True).first.click()
    page.locator("details[open]").get_by_role("link").first.click()
    expect(page.locator(".chip")).to_have_count(1)
    pictured(page, "connections-narrowed")
    page.get_by_role("link", name="all that match the filters").click()
    many = page.get_by_test_id("picked").inner_text()
    count = int("".join(c for c in many if c.isdigit()))
    page.get_by_label("What to do with them").select_option("suspend")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name=f"of {count} connections")).to_be_visible()
    pictured(page, "change-draft")
    page.get_by_role("button", name=f"of {count} connections").click()
    work(session)
    expect(page.get_by_test_id("edit-result")).to_contain_text("changed", timeout=10_000)
    pictured(page, "change-done")
    session.rollback()
    assert session.scalar(select(func.count()).where(Connection.status == "suspended")) in (count, count - 1, count + 1)
    page.get_by_role("button", name="Take it back").click()
    work(session)
    expect(page.get_by_test_id("edit-result")).to_contain_text("taken back", timeout=10_000)
    assert complaints == []


def test_the_slash_leads_to_the_search_unless_it_is_switched_off(site: str, chromium: Browser) -> None:
    page = chromium.new_page()
    complaints = entered(page, site)
    page.goto(site + "/customers/1")
    pictured(page, "customer-actions")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("0700 000 001")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site + "/customers/1")
    page.locator(".me summary").click()
    page.get_by_role("button", name="Keyboard shortcuts off").click()
    page.goto(site + "/customers/1")
    page.keyboard.press("/")
    expect(page.locator("#q")).not_to_be_focused()
    page.get_by_role("link", name="Take a payment").first.click()
    expect(page).to_have_url(re.compile(r"/desk\?account=\d+$"))
    assert complaints == []
