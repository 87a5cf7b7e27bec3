"""Into the office: who gets in, how long it lasts, what guessing costs."""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin_web import passwords, throttle
from admin_web.logins import idle, longest
from admin_web.models import OfficeSession, OfficeUser
from admin_web.users import create_first_administrator
from core.clock import frozen, now
from core.database import transaction
from tests.admin_web.conftest import PASSWORD, Browser

AddUser = Callable[[str, str], OfficeUser]


def test_the_right_password_enters_and_another_does_not(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "billing")
    refused = browser.log_in("amina", "not it")
    assert refused.status_code == 422
    assert "do not belong together" in refused.text
    assert browser.get("/").status_code == 303
    assert browser.log_in("AMINA").status_code == 303
    assert browser.get("/").status_code == 200


def test_the_page_asked_for_comes_after_the_login(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "billing")
    asked = browser.get("/messages?show=failed")
    assert asked.location == "/office/login?next=/office/messages?show%3Dfailed"
    entered = browser.post("/login", username="amina", password=PASSWORD, next="/office/messages?show=failed")
    assert entered.location == "/office/messages?show=failed"


def test_a_login_never_leads_out_of_the_office(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "billing")
    for bad in ("https://evil.example/", "//evil.example/", "/office//evil.example", "/office/\\evil", "javascript:0"):
        assert browser.post("/login", username="amina", password=PASSWORD, next=bad).location == "/office/"
        browser.post("/logout", form_on="/password")


def test_the_cookie_starts_anew_at_login(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "billing")
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
    office_user("amina", "billing")
    browser.log_in("amina")
    stolen = browser.client.get_cookie("mita_office", path="/office")
    assert stolen is not None
    assert browser.post("/logout", form_on="/password").status_code == 303
    browser.client.set_cookie("mita_office", stolen.value, path="/office")
    assert browser.get("/").status_code == 303
    assert session.scalar(select(func.count()).select_from(OfficeSession)) == 0


def test_it_expires_when_idle_and_after_half_a_day(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "billing")
    browser.log_in("amina")
    start = now()
    step = idle() - timedelta(minutes=5)
    moment = start
    while moment + step < start + longest():
        moment += step
        with frozen(moment):
            assert browser.get("/password").status_code == 200, f"after {moment - start}"
    with frozen(start + longest() + timedelta(minutes=1)):
        assert browser.get("/password").status_code == 303
    browser.client.delete_cookie("mita_office", path="/office")
    browser.log_in("amina")
    with frozen(now() + idle() + timedelta(minutes=1)):
        assert browser.get("/password").status_code == 303


def test_deactivated_users_are_out_at_once(browser: Browser, office_user: AddUser) -> None:
    user = office_user("amina", "billing")
    browser.log_in("amina")
    with transaction() as own:
        own.get_one(OfficeUser, user.id).active = False
    assert browser.get("/password").status_code == 303
    assert browser.log_in("amina").status_code == 422


def test_guessing_locks_the_user_for_longer_and_longer(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "billing")
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
    office_user("amina", "billing")
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
    office_user("amina", "billing")
    other = Browser(app.test_client())
    browser.log_in("amina")
    other.log_in("amina")
    short = browser.post("/password", current=PASSWORD, new="short", again="short")
    assert short.status_code == 422
    assert "At least 12 characters" in short.text
    done = browser.post("/password", current=PASSWORD, new="a better one now", again="a better one now")
    assert done.status_code == 303
    assert browser.get("/password").status_code == 200
    assert other.get("/password").status_code == 303


def test_passwords_are_judged_by_length_and_by_what_is_common() -> None:
    fine = ("four words are enough", "k7mq-2xhd-9fpa-wz3t", "maji ya mvua kisimani", "Zawadi!Zawadi9Kisumu")
    for password in fine:
        assert passwords.fault_in(password, "amina", "Maji Safi Water") is None, password
    for password in ("short", "password1234", "123456789012", "qwertyuiopas", "aaaaaaaaaaaaaaa", "iloveyou1234",
                     "P@ssw0rd2026!", "amina amina amina", "x" * 201):  # fmt: skip
        assert passwords.fault_in(password, "amina", "Maji Safi Water"), password


def test_the_lists_of_common_passwords_are_loaded_by_nobody_else() -> None:
    loaded = "import sys, admin_web.web; sys.exit('zxcvbn' in sys.modules)"
    subprocess.run([sys.executable, "-c", loaded], check=True, timeout=60)


def test_what_is_said_does_not_tell_who_exists(browser: Browser, office_user: AddUser) -> None:
    office_user("amina", "billing")

    def told(username: str) -> str:
        text = browser.log_in(username, "guess").text
        return re.sub(r'value="[^"]*"|[0-9]{2}:[0-9]{2}:[0-9]{2}', "", text)

    for _ in range(throttle.FREE_TRIES["user"] + 1):
        assert told("amina") == told("nobody")


def test_light_or_dark_is_kept_in_this_browser(browser: Browser) -> None:
    answer = browser.post("/theme", form_on="/login", theme="dark", back="/office/login")
    assert answer.location == "/office/login" or answer.location == "/office/"
    assert 'data-theme="dark"' in browser.get("/login").text
