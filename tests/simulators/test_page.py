"""The handset page in a real browser: keys, keyboard, sessions, messages, the PIN prompt, several phones."""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
import requests
from flask import Flask, Response, jsonify
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from simulators.phone_network.app import create_phone_network

from .conftest import Daraja, Service, network_settings

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
CUSTOMERS = [
    {"phone": "+254700000001", "name": "Wanjiru Kamau", "language": "sw", "account_no": "1000017",
     "meter": "MW-1", "balance": "KES 1,250.50"},
    {"phone": "+254700000002", "name": "Otieno Ouma", "language": "en", "account_no": "1000025",
     "meter": "MW-2", "balance": "KES 0"},
    {"phone": "+254700000002", "name": "Otieno Ouma", "language": "en", "account_no": "1000033",
     "meter": "MW-3", "balance": "KES 12"},
]  # fmt: skip

pytestmark = pytest.mark.skipif(not os.path.exists(CHROMIUM), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def address(start: Callable[[Flask], str], service: Service, daraja: Daraja) -> str:
    service.answers["/demo/customers"] = lambda: jsonify(CUSTOMERS)
    service.answers["/demo/effects"] = lambda: jsonify(effects=[])
    return start(create_phone_network(network_settings(service, daraja.url, demo_url=f"{service.url}/demo")))


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
    open_page(page, address)
    yield page
    context.close()
    assert troubles == []


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("body[data-ready]")


def part(page: Page, name: str, phone: int = 0) -> Locator:
    return page.get_by_test_id(f"phone-{phone}-{name}")


def shows(page: Page, text: str, phone: int = 0) -> None:
    expect(part(page, "text", phone)).to_contain_text(text)


def press(page: Page, keys: str, phone: int = 0) -> None:
    for key in keys:
        part(page, "key-" + {"*": "star", "#": "hash"}.get(key, key), phone).click()


def says(service: Service, text: str) -> None:
    service.answers["/ussd"] = lambda: Response(text, content_type="text/plain")


def test_by_the_keys(page: Page, service: Service) -> None:
    says(service, "CON Karibu\n1. Bili")
    press(page, "*384*7#")
    expect(part(page, "input")).to_have_value("*384*7#")
    part(page, "dial").click()
    shows(page, "1. Bili")
    expect(part(page, "counter-text")).to_have_text("14/160 septets")
    says(service, "END Asante")
    press(page, "12")
    part(page, "clear").click()
    part(page, "soft-left").click()
    shows(page, "Asante")
    assert service.at("/ussd")[1].form["text"] == "1"
    part(page, "dial").click()
    expect(part(page, "screen")).to_have_attribute("data-view", "idle")


def test_by_the_keyboard_alone(page: Page, service: Service) -> None:
    says(service, "CON Karibu")
    part(page, "input").focus()
    page.keyboard.type("*384*7#")
    page.keyboard.press("Enter")
    shows(page, "Karibu")
    expect(part(page, "input")).to_be_focused()
    page.keyboard.type("Wanjiru K")
    page.keyboard.press("Enter")
    service.wait_for("/ussd", 2)
    assert service.at("/ussd")[1].form["text"] == "Wanjiru K"
    page.keyboard.press("Escape")
    assert service.wait_for("/events")[0].form["status"] == "Incomplete"
    expect(part(page, "screen")).to_have_attribute("data-view", "idle")


def test_the_green_key_offers_the_code_and_letters_come_by_pressing_again(page: Page, service: Service) -> None:
    says(service, "CON Name?")
    part(page, "dial").click()
    part(page, "dial").click()
    shows(page, "Name?")
    part(page, "mode").click()
    press(page, "5266")
    expect(part(page, "input")).to_have_value("Jan")


def test_the_limit_is_the_networks(page: Page, service: Service) -> None:
    says(service, "CON " + "a" * 170)
    part(page, "network").select_option("63903")
    part(page, "input").fill("*384*7#")
    part(page, "dial").click()
    expect(part(page, "counter-text")).to_have_text("170/182 septets")
    part(page, "hangup").click()
    part(page, "network").select_option("63902")
    part(page, "input").fill("*384*7#")
    part(page, "dial").click()
    expect(part(page, "counter-text")).to_have_text("170/160 septets")
    expect(part(page, "counter")).to_have_attribute("data-level", "over")
    expect(page.get_by_test_id("timeline")).to_contain_text("cut off: the screen holds 160")


def test_a_broken_answer_says_why_on_the_handset(page: Page, service: Service) -> None:
    service.answers["/ussd"] = lambda: Response("oops", 500)
    part(page, "input").fill("*384*7#")
    part(page, "dial").click()
    shows(page, "Connection problem or invalid MMI code.")
    expect(part(page, "counter-text")).to_have_text("HTTP 500 instead of 200")


def test_the_prompt_comes_when_the_session_is_over(page: Page, service: Service, daraja: Daraja) -> None:
    says(service, "CON Pay?")
    part(page, "input").fill("*384*7#")
    part(page, "dial").click()
    shows(page, "Pay?")
    daraja.push()
    daraja.prompt()
    page.wait_for_timeout(1300)
    expect(part(page, "prompt")).to_be_hidden()
    says(service, "END Enter your PIN")
    part(page, "input").fill("1")
    part(page, "dial").click()
    expect(part(page, "prompt")).to_be_visible()
    expect(part(page, "prompt-text")).to_contain_text("KES 500 to MAJI SAFI WATER Account no. 1000017")
    press(page, "1234")
    expect(part(page, "prompt-pin")).to_have_value("1234")
    part(page, "prompt-ok").click()
    assert daraja.callback()["ResultCode"] == 0
    expect(part(page, "facts")).to_contain_text("KES 4,500")
    callback = page.locator("[data-kind=mpesa]", has=page.get_by_text("STK callback", exact=True))
    expect(callback).to_contain_text("HTTP 200")
    part(page, "hangup").click()
    expect(part(page, "idle-hint")).to_have_text("1 new message")
    part(page, "soft-left").click()
    expect(part(page, "sms")).to_contain_text("Confirmed. Ksh500.00")


def test_cancel_and_ignore(page: Page, daraja: Daraja) -> None:
    daraja.push()
    expect(part(page, "prompt")).to_be_visible()
    part(page, "prompt-cancel").click()
    assert daraja.callback()["ResultCode"] == 1032
    expect(part(page, "prompt")).to_be_hidden()
    daraja.push(Amount="20")
    expect(part(page, "prompt")).to_be_visible()
    part(page, "prompt-ignore").click()
    expect(part(page, "prompt")).to_be_hidden()
    page.wait_for_timeout(1300)
    expect(part(page, "prompt")).to_be_hidden()
    assert daraja.prompt()["amount"] == 20


def test_messages_both_ways(page: Page, service: Service, address: str) -> None:
    part(page, "soft-left").click()
    part(page, "sms-text").fill("BAL €")
    expect(part(page, "counter-text")).to_have_text("6/160 septets, 1 SMS")
    part(page, "sms-send").click()
    assert service.wait_for("/inbound")[0].form["text"] == "BAL €"
    form = {"username": "sandbox", "to": "+254700000001", "message": "You owe KES 5"}
    requests.post(f"{address}/version1/messaging", data=form, headers={"apiKey": "simulator-key"}, timeout=5)
    expect(part(page, "sms")).to_contain_text("You owe KES 5")
    part(page, "hangup").click()
    requests.post(f"{address}/version1/messaging", data=form, headers={"apiKey": "simulator-key"}, timeout=5)
    expect(part(page, "idle-hint")).to_have_text("1 new message")


def test_lipa_na_m_pesa(page: Page, daraja: Daraja) -> None:
    part(page, "soft-right").click()
    expect(part(page, "paybill-account")).to_have_value("1000017")
    part(page, "paybill-amount").click()
    press(page, "250")
    part(page, "paybill-pin").click()
    press(page, "1234")
    part(page, "soft-left").click()
    expect(part(page, "paybill-answer")).to_contain_text("Confirmed")
    assert daraja.see("book")["payments"][0]["amount"] == 250


def test_several_phones_share_nothing(page: Page, service: Service) -> None:
    says(service, "CON Menu one")
    part(page, "input").fill("*384*7#")
    part(page, "dial").click()
    shows(page, "Menu one")
    page.get_by_test_id("add-phone").click()
    expect(part(page, "number", 1)).to_have_value("+254700000002")
    expect(part(page, "screen", 1)).to_have_attribute("data-view", "idle")
    says(service, "CON Menu two")
    part(page, "input", 1).fill("*384*7#")
    part(page, "dial", 1).click()
    shows(page, "Menu two", 1)
    shows(page, "Menu one", 0)
    sessions = {h.form["phoneNumber"]: h.form["sessionId"] for h in service.at("/ussd")}
    assert len(set(sessions.values())) == 2
    expect(page.locator("#timeline > li")).to_have_count(1)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(part(page, "number", 1)).to_have_value("+254700000002")
    part(page, "remove", 1).click()
    expect(page.get_by_test_id("phone-1")).to_have_count(0)


def test_choosing_whose_phone_it_is(page: Page, service: Service) -> None:
    expect(part(page, "facts")).to_contain_text("KES 1,250.50")
    part(page, "customer").select_option("unknown")
    expect(part(page, "facts")).to_contain_text("not yet")
    expect(part(page, "number")).to_have_value(re.compile(r"\+25479\d{7}"))
    part(page, "number").fill("0700 000 002")
    part(page, "number").blur()
    expect(part(page, "customer")).to_have_value("+254700000002")
    expect(part(page, "customer").locator("option")).to_have_count(3)
    expect(part(page, "facts")).to_contain_text("1000033")
    expect(part(page, "facts")).to_contain_text("KES 12")


def test_a_link_dials(page: Page, service: Service, address: str) -> None:
    says(service, "END Habari")
    open_page(page, f"{address}/?dial=*384*7*2%23&phone=%2B254700000002&network=63903")
    shows(page, "Habari")
    form = service.at("/ussd")[0].form
    assert (form["text"], form["phoneNumber"], form["networkCode"]) == ("2", "+254700000002", "63903")


def test_what_happened_tells_requests_and_effects(page: Page, service: Service) -> None:
    says(service, "END Asante")
    effect = {"id": 3, "at": "2099-01-01T00:00:00Z", "what": "reading", "detail": "1234 accepted"}
    service.answers["/demo/effects"] = lambda: jsonify(effects=[effect])
    part(page, "input").fill("*384*7#")
    part(page, "dial").click()
    timeline = page.get_by_test_id("timeline")
    expect(timeline.locator("[data-kind=books]")).to_contain_text("1234 accepted")
    entry = timeline.locator("[data-kind=ussd]").filter(has_text="Dial")
    expect(entry).to_contain_text("HTTP 200")
    expect(entry).to_contain_text("6 septets")
    entry.locator("summary").click()
    expect(entry.locator("pre").first).to_contain_text("phoneNumber = +254700000001")
    expect(entry.get_by_role("button", name="Copy as curl")).to_be_visible()


def test_reset_and_a_silent_service(page: Page, service: Service, daraja: Daraja) -> None:
    part(page, "soft-left").click()
    part(page, "sms-text").fill("BAL")
    part(page, "sms-send").click()
    expect(part(page, "sms")).to_contain_text("BAL")
    page.get_by_test_id("reset").click()
    expect(part(page, "sms")).to_have_text("No messages.")
    service.answers["/demo/effects"] = lambda: Response("oops", 500)
    expect(page.get_by_test_id("problems")).to_have_text("The service does not answer.")


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_nothing_sticks_out_at(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
