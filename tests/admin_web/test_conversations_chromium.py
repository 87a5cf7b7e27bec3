"""Conversations, the funnel and the map of the menus in a real browser, on a phone and a desk, light and dark."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from admin_web.flow_map import EXTENSION
from admin_web.models import OfficeUser
from core.clock import now
from flows.chart import chart
from tests.admin_web.conftest import PASSWORD
from tests.admin_web.talks import AMOUNT, DONE, MENU, Seen, talk

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PICTURES = Path(__file__).parents[2] / "screenshots" / "office"
SIZES = {"phone": (390, 844), "desk": (1280, 860)}
CONFIRM: Seen = ("choose:yes|no", "CON Pay KES 500.00 for 1000017?\n1. Yes\n2. No\n0. Back\n00. Home", 21)
READ: Seen = ("ask:reading", "CON Meter KNT-2019-0001234. Last reading 1,200 on 31 Oct 2026. What does it show now?", 6)

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"needs Chromium at {CHROMIUM}")


@pytest.fixture
def site(app: Flask, session: Session, office_user: Callable[[str, str], OfficeUser]) -> Iterator[str]:
    """The address of the office, served for real, with a day's conversations."""
    for at in range(30):
        began = now() - timedelta(minutes=20 * at)
        seen, outcome = ((MENU, AMOUNT, CONFIRM, DONE), "completed") if at % 3 else ((MENU, AMOUNT), "dropped")
        talk(session, *seen, outcome=outcome, began=began)
        talk(session, MENU, READ, *(() if at % 4 else (DONE,)), outcome="timed_out" if at % 4 else "completed",
             flow="read", began=began, network="63903")  # fmt: skip
    talk(session, MENU, AMOUNT, CONFIRM, outcome="timed_out", gateway_status="Incomplete", gateway_duration_ms=61_200,
         gateway_hops=3, gateway_cost="KES 0.10")  # fmt: skip
    office_user("amina", "administrator")
    app.extensions[EXTENSION] = chart
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/office"
    server.shutdown()
    thread.join()
    server.server_close()
    for name in (EXTENSION, f"{EXTENSION}.drawn"):
        app.extensions.pop(name, None)


def test_the_pages_fit_are_quiet_and_lead_on(site: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        for size, (width, height) in SIZES.items():
            page, complaints = browser.new_page(viewport={"width": width, "height": height}), list[str]()
            page.on("console", lambda told, to=complaints: to.append(told.text) if told.type == "error" else None)
            page.goto(site + "/conversations")
            page.get_by_label("User name").fill("amina")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            for path in ("/conversations", "/conversations/61", "/funnel", "/flows?language=sw"):
                page.goto(site + path)
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path} is {wide} wide on {width}"
                for theme in ("light", "dark"):
                    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                    name = path.split("?")[0].strip("/").replace("/", "-")
                    page.screenshot(path=PICTURES / f"talks-{name}-{size}-{theme}.png", full_page="flows" not in path)
            first = page.locator(".flow-card a").first
            anchor = (first.get_attribute("href") or "").removeprefix("#")
            first.click()
            expect(page.locator(f"article[id='{anchor}']")).to_be_in_viewport()
            assert complaints == []
            page.close()
        browser.close()
