"""The second step: set up, asked for, drifted, replayed, recovered, taken away."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from pyotp import TOTP
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web import logins, passwords, second_factor, throttle
from admin_web.models import OfficeUser, RecoveryCode
from core.clock import frozen, now
from core.config import Settings
from core.database import transaction
from tests.admin_web.conftest import PASSWORD, Browser

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# RFC 6238, appendix B: the secret of SHA-1 is 12345678901234567890; the last six digits of its eight.
RFC_SECRET, RFC_AT, RFC_CODE = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1111111109, "081804"


@pytest.fixture
def amina(browser: Browser, office_user: Callable[[str, str], OfficeUser]) -> tuple[Browser, str, list[str]]:
    """Logged in, with a second step set up a minute ago: the browser, the secret, the recovery codes."""
    office_user("amina", "accountant")
    with frozen(now() - timedelta(minutes=1)):
        browser.log_in("amina")
        page = browser.get("/second-step").text
        found = re.search(r'data-testid="secret">([^<]+)<', page)
        assert found
        secret = found[1].replace(" ", "")
        sealed = re.search(r'name="sealed" value="([^"]+)"', page)
        assert sealed
        form = browser.tokens("/second-step") | {
            "sealed": sealed[1], "code": TOTP(secret).at(now()), "password": PASSWORD,
        }  # fmt: skip
        shown = browser.client.post("/office/second-step", data=form).text
    codes = re.findall(r"<li><code>([^<]+)</code></li>", shown)
    assert len(set(codes)) == 10
    return browser, secret, codes


def half(app: Flask) -> Browser:
    """A browser that has given the right password."""
    browser = Browser(app.test_client())
    answer = browser.log_in("amina")
    assert answer.location == "/office/login/code"
    return browser


def test_the_code_is_that_of_the_standard() -> None:
    at = datetime.fromtimestamp(RFC_AT, UTC)
    assert second_factor.step_of(RFC_SECRET, RFC_CODE, at=at) == RFC_AT // 30
    assert second_factor.step_of(RFC_SECRET, "081 804", at=at) == RFC_AT // 30


@given(drift=st.integers(-4, 4), used=st.integers(-3, 3))
def test_a_clock_may_be_one_step_off_and_no_step_passes_twice(drift: int, used: int) -> None:
    at = datetime.fromtimestamp(RFC_AT, UTC)
    here = RFC_AT // 30
    code = TOTP(SECRET).generate_otp(here + drift)
    step = second_factor.step_of(SECRET, code, after=here + used, at=at)
    assert step == (here + drift if abs(drift) <= 1 and drift > used else None)


def test_nothing_else_is_a_code() -> None:
    for said in ("", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34"):
        assert second_factor.step_of(SECRET, said) is None


def test_the_password_alone_opens_nothing(app: Flask, amina: tuple[Browser, str, list[str]]) -> None:
    browser = half(app)
    assert browser.get("/").status_code == 303
    assert browser.post("/login/code", code="000000").status_code == 422
    assert browser.get("/").status_code == 303
    assert browser.post("/login/code", code=TOTP(amina[1]).at(now())).status_code == 303
    assert browser.get("/").status_code == 200


def test_a_code_that_was_used_is_refused(app: Flask, amina: tuple[Browser, str, list[str]]) -> None:
    code = TOTP(amina[1]).at(now())
    assert half(app).post("/login/code", code=code).status_code == 303
    assert half(app).post("/login/code", code=code).status_code == 422


def test_a_recovery_code_stands_in_once(app: Flask, amina: tuple[Browser, str, list[str]], session: Session) -> None:
    code = amina[2][3].upper()
    first = half(app)
    assert first.post("/login/code", code=f" {code} ").status_code == 303
    assert half(app).post("/login/code", code=code).status_code == 422
    assert "9 of ten are unused" in first.get("/second-step").text
    kept = session.scalars(select(RecoveryCode.code_hash)).all()
    assert all(one.startswith("$argon2") for one in kept)


def test_guessing_codes_is_slowed_down_and_the_password_does_not_forgive(
    app: Flask, amina: tuple[Browser, str, list[str]]
) -> None:
    for _ in range(throttle.FREE_TRIES["user"]):
        assert half(app).post("/login/code", code="000000").status_code == 422
    locked = Browser(app.test_client()).log_in("amina")
    assert locked.status_code == 429


def test_it_must_follow_within_five_minutes_and_with_the_same_password(
    app: Flask, amina: tuple[Browser, str, list[str]]
) -> None:
    late = half(app)
    with frozen(now() + logins.HALF_LASTS + timedelta(seconds=1)):
        assert late.get("/login/code").location == "/office/login"
    other = half(app)
    with transaction() as own:
        own.scalars(select(OfficeUser)).one().password_hash = passwords.digest("another one entirely")
    assert other.post("/login/code", form_on="/login", code=TOTP(amina[1]).at(now())).location == "/office/login"


def test_the_secret_is_sealed_and_its_owners(session: Session, amina: tuple[Browser, str, list[str]]) -> None:
    user = session.scalars(select(OfficeUser)).one()
    assert user.totp_sealed is not None
    assert amina[1].encode() not in user.totp_sealed
    with transaction() as own:
        stolen = own.get_one(OfficeUser, user.id).totp_sealed
        own.add(OfficeUser(username="eve", password_hash="x", role="billing", totp_sealed=stolen, active=True,
                           created_at=now(), created_by="test"))  # fmt: skip
    eve = session.scalars(select(OfficeUser).where(OfficeUser.username == "eve")).one()
    with pytest.raises(ValueError, match="somebody else"):
        second_factor.passes(session, eve.id, TOTP(amina[1]).at(now()))


def test_she_takes_it_off_with_her_password(amina: tuple[Browser, str, list[str]], session: Session) -> None:
    browser = amina[0]
    assert browser.post("/second-step/off", form_on="/second-step", password="guess").status_code == 422
    shown = browser.post("/second-step/codes", form_on="/second-step", password=PASSWORD).text
    fresh = re.findall(r"<li><code>([^<]+)</code></li>", shown)
    assert len(fresh) == 10
    assert not set(fresh) & set(amina[2])
    assert browser.post("/second-step/off", form_on="/second-step", password=PASSWORD).status_code == 303
    assert session.scalars(select(RecoveryCode)).all() == []


def test_an_administrator_takes_it_away(
    app: Flask, amina: tuple[Browser, str, list[str]], administrator: Browser, session: Session
) -> None:
    user = session.scalars(select(OfficeUser).where(OfficeUser.username == "amina")).one()
    assert "10 recovery codes left" in administrator.get(f"/users/{user.id}").text
    administrator.post(f"/users/{user.id}/second-step", form_on=f"/users/{user.id}")
    assert amina[0].get("/").status_code == 303
    assert Browser(app.test_client()).log_in("amina").location == "/office/"


def test_a_role_may_need_it(
    browser: Browser, office_user: Callable[[str, str], OfficeUser], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    office_user("amina", "accountant")
    monkeypatch.setattr(logins, "settings", lambda: replace(settings, second_step_roles="accountant"))
    browser.log_in("amina")
    for path in ("/", "/customers", "/password"):
        assert browser.get(path).location == "/office/second-step"
    page = browser.get("/second-step").text
    assert "Your role needs it" in page
    assert 'src="data:image/svg+xml' in page
    assert browser.post("/logout", form_on="/second-step").status_code == 303


def test_the_roles_come_from_the_settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not logins.needs_second_step("administrator")
    monkeypatch.setattr(logins, "settings", lambda: replace(settings, second_step_roles="administrator, accountant"))
    assert logins.needs_second_step("accountant")
    assert not logins.needs_second_step("field")


def test_a_secret_that_was_not_given_out_is_not_taken(
    browser: Browser, office_user: Callable[[str, str], OfficeUser]
) -> None:
    office_user("amina", "accountant")
    browser.log_in("amina")
    answer = browser.post("/second-step", sealed="x" * 100, code=TOTP(SECRET).at(now()), password=PASSWORD)
    assert answer.location == "/office/second-step"
    assert "Set up the second step" in browser.get("/second-step").text
