"""Into the office: who gets in, how long it lasts, what guessing costs."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin_web import throttle
from admin_web.logins import IDLE, LONGEST
from admin_web.models import OfficeSession, OfficeUser
from admin_web.users import create_first_administrator
from core.clock import frozen, now
from core.database import transaction
from tests.admin_web.conftest import PASSWORD, Browser

AddUser = Callable[[str, str], OfficeUser]


def test_the_right_password_enters_and_another_does_not(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    refused = browser.log_in("amina", "not it")
    assert refused.status_code == 422
    assert "do not belong together" in refused.text
    assert browser.get("/").status_code == 303
    assert browser.log_in("AMINA").status_code == 303
    assert browser.get("/").status_code == 200


def test_the_page_asked_for_comes_after_the_login(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    asked = browser.get("/messages?show=failed")
    assert asked.location == "/office/login?next=/office/messages?show%3Dfailed"
    entered = browser.post("/login", username="amina", password=PASSWORD, next="/office/messages?show=failed")
    assert entered.location == "/office/messages?show=failed"


def test_a_login_never_leads_out_of_the_office(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    for bad in ("https://evil.example/", "//evil.example/", "/office//evil.example", "/office/\\evil", "javascript:0"):
        assert browser.post("/login", username="amina", password=PASSWORD, next=bad).location == "/office/"
        browser.post("/logout", form_on="/password")


def test_the_cookie_starts_anew_at_login(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    browser.get("/login")
    before = browser.client.get_cookie("mita_office", path="/office")
    browser.log_in("amina")
    after = browser.client.get_cookie("mita_office", path="/office")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert after.http_only
    assert after.same_site == "Lax"
    browser.client.set_cookie("mita_office", before.value, path="/office")
    assert browser.get("/").status_code == 303, "what was planted before the login opens nothing"


def test_logout_ends_it_on_the_server(browser: Browser, office_user: AddUser, session: Session) -> None:
    office_user("amina", "clerk")
    browser.log_in("amina")
    stolen = browser.client.get_cookie("mita_office", path="/office")
    assert stolen is not None
    assert browser.post("/logout", form_on="/password").status_code == 303
    browser.client.set_cookie("mita_office", stolen.value, path="/office")
    assert browser.get("/").status_code == 303
    assert session.scalar(select(func.count()).select_from(OfficeSession)) == 0


def test_it_expires_when_idle_and_after_half_a_day(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    browser.log_in("amina")
    start = now()
    step = IDLE - timedelta(minutes=5)
    moment = start
    while moment + step < start + LONGEST:
        moment += step
        with frozen(moment):
            assert browser.get("/password").status_code == 200, f"after {moment - start}"
    with frozen(start + LONGEST + timedelta(minutes=1)):
        assert browser.get("/password").status_code == 303
    browser.client.delete_cookie("mita_office", path="/office")
    browser.log_in("amina")
    with frozen(now() + IDLE + timedelta(minutes=1)):
        assert browser.get("/password").status_code == 303


def test_deactivated_users_are_out_at_once(browser: Browser, office_user: AddUser) -> None:
    user = office_user("amina", "clerk")
    browser.log_in("amina")
    with transaction() as own:
        own.get_one(OfficeUser, user.id).active = False
    assert browser.get("/password").status_code == 303
    assert browser.log_in("amina").status_code == 422


def test_guessing_locks_the_user_for_longer_and_longer(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    for _ in range(throttle.FREE_TRIES["user"]):
        assert browser.log_in("amina", "guess").status_code == 422
    locked = browser.log_in("amina")
    assert locked.status_code == 429, "even the right password waits"
    assert "Try again after" in locked.text
    assert "EAT" in locked.text
    with frozen(now() + throttle.FIRST_WAIT + timedelta(seconds=1)):
        assert browser.log_in("amina", "guess").status_code == 422
        assert browser.log_in("amina").status_code == 429
    with frozen(now() + throttle.FIRST_WAIT * 4):
        assert browser.log_in("amina").status_code == 303


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    waits = [throttle.wait(beyond) for beyond in range(20)]
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert max(waits) == waits[-1] == timedelta(minutes=15)


def test_guessing_many_users_locks_the_address(app: Flask, browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    for number in range(throttle.FREE_TRIES["address"]):
        browser.log_in(f"nobody{number}", "guess")
    assert browser.log_in("amina").status_code == 429
    elsewhere = Browser(app.test_client())
    elsewhere.client.environ_base["REMOTE_ADDR"] = "10.1.2.3"
    assert elsewhere.log_in("amina").status_code == 303


def test_the_first_administrator_is_made_once(session: Session) -> None:
    password = create_first_administrator(session)
    assert password is not None
    assert len(password) >= 16
    assert create_first_administrator(session) is None


def test_a_new_password_closes_the_other_browsers(app: Flask, browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "clerk")
    other = Browser(app.test_client())
    browser.log_in("amina")
    other.log_in("amina")
    short = browser.post("/password", current=PASSWORD, new="short", again="short")
    assert short.status_code == 422
    assert "At least 10 characters" in short.text
    done = browser.post("/password", current=PASSWORD, new="a better one now", again="a better one now")
    assert done.status_code == 303
    assert browser.get("/password").status_code == 200
    assert other.get("/password").status_code == 303


def test_light_or_dark_is_kept_in_this_browser(browser: Browser) -> None:
    answer = browser.post("/theme", form_on="/login", theme="dark", back="/office/login")
    assert answer.location == "/office/login" or answer.location == "/office/"
    assert 'data-theme="dark"' in browser.get("/login").text
