"""Where an officer is logged in, seen and ended by her and by administrators."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.models import OfficeSession, OfficeUser
from admin_web.sessions import browser_in_words
from tests.admin_web.conftest import Browser

ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-A057F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (ANDROID, "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/131 Safari/537 Edg/131", "Edge on Windows"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_in_words(said: str, words: str) -> None:
    assert browser_in_words(said) == words


@pytest.fixture
def two(app: Flask, office_user: Callable[[str, str], OfficeUser]) -> tuple[Browser, Browser]:
    """Amina at her desk and on her phone."""
    office_user("amina", "billing")
    desk, phone = Browser(app.test_client()), Browser(app.test_client())
    phone.client.environ_base["HTTP_USER_AGENT"] = ANDROID
    phone.client.environ_base["REMOTE_ADDR"] = "10.9.8.7"
    for browser in (desk, phone):
        assert browser.log_in("amina").status_code == 303
    return desk, phone


def test_she_sees_both_and_ends_the_other(two: tuple[Browser, Browser]) -> None:
    desk, phone = two
    page = desk.get("/sessions").text
    assert "Chrome on Android" in page
    assert "10.9.8.7" in page
    assert page.count("This one") == 1
    [way] = re.findall(r'action="/office(/sessions/\d+/end)"', page)
    assert desk.post(way, form_on="/sessions").status_code == 303
    assert phone.get("/sessions").status_code == 303
    assert desk.get("/sessions").status_code == 200


def test_everywhere_else_at_once(two: tuple[Browser, Browser]) -> None:
    desk, phone = two
    assert phone.post("/sessions/end-others", form_on="/sessions").status_code == 303
    assert desk.get("/sessions").status_code == 303
    assert phone.get("/sessions").status_code == 200


def test_nobody_ends_anothers_but_an_administrator(
    two: tuple[Browser, Browser], enter: Callable[[str], Browser], session: Session
) -> None:
    logins = session.scalars(select(OfficeSession.id).order_by(OfficeSession.id)).all()
    stranger, administrator = enter("support"), enter("administrator")
    assert stranger.post(f"/sessions/{logins[0]}/end", form_on="/password").status_code == 404
    assert two[0].get("/sessions").status_code == 200
    amina = session.scalars(select(OfficeUser.id).where(OfficeUser.username == "amina")).one()
    assert "Chrome on Android" in administrator.get(f"/users/{amina}").text
    administrator.post(f"/sessions/{logins[0]}/end", form_on=f"/users/{amina}")
    assert two[0].get("/sessions").status_code == 303
    administrator.post(f"/users/{amina}/sessions/end", form_on=f"/users/{amina}")
    assert two[1].get("/sessions").status_code == 303
    assert administrator.get("/users").status_code == 200
