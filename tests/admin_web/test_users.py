"""Administrators look after the office's users."""

import re
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.models import OfficeUser
from tests.admin_web.conftest import Browser

SHOWN = re.compile(r'data-testid="new-password">([^<]+)<')


def shown_password(text: str) -> str:
    found = SHOWN.search(text)
    assert found
    return found[1]


def test_a_new_user_enters_with_the_password_shown_once(app: Flask, administrator: Browser, session: Session) -> None:
    form = administrator.tokens("/users") | {"username": "Halima", "role": "billing"}
    added = administrator.client.post("/office/users", data=form)
    password = shown_password(added.text)
    again = administrator.client.post("/office/users", data=form)
    assert again.status_code == 409
    assert "was sent already" in again.text
    newcomer = Browser(app.test_client())
    assert newcomer.log_in("halima", password).status_code == 303
    assert newcomer.get("/users").status_code == 403
    user = session.scalars(select(OfficeUser).where(OfficeUser.username == "halima")).one()
    assert user.created_by == "office user-administrator"
    assert password not in user.password_hash


def test_names_are_taken_once_and_plain(administrator: Browser) -> None:
    assert administrator.post("/users", username="halima", role="billing").status_code == 200
    assert "This name is taken" in administrator.post("/users", username="HALIMA", role="billing").text
    for bad in ("", "x", "a b", "<b>", "1abc", "a" * 50):
        assert administrator.post("/users", username=bad, role="billing").status_code == 422, bad
    assert administrator.post("/users", username="zawadi", role="owner").status_code == 422


def test_a_reset_password_logs_her_out_everywhere(
    app: Flask, administrator: Browser, office_user: Callable[[str, str], OfficeUser]
) -> None:
    user = office_user("halima", "billing")
    halima = Browser(app.test_client())
    halima.log_in("halima")
    reset = administrator.post(f"/users/{user.id}/reset")
    assert halima.get("/password").status_code == 303
    assert halima.log_in("halima").status_code == 422
    assert halima.log_in("halima", shown_password(reset.text)).status_code == 303


def test_deactivating_keeps_out_and_nobody_locks_herself_out(
    app: Flask, administrator: Browser, office_user: Callable[[str, str], OfficeUser], session: Session
) -> None:
    user = office_user("halima", "billing")
    halima = Browser(app.test_client())
    halima.log_in("halima")
    administrator.post(f"/users/{user.id}/active", form_on="/users", active="no")
    assert halima.get("/password").status_code == 303
    administrator.post(f"/users/{user.id}/active", form_on="/users", active="yes")
    assert halima.log_in("halima").status_code == 303
    own = session.scalars(select(OfficeUser).where(OfficeUser.role == "administrator")).one()
    administrator.post(f"/users/{own.id}/active", form_on="/users", active="no")
    assert "cannot deactivate yourself" in administrator.get("/users").text
    assert administrator.get("/users").status_code == 200


def test_another_role_logs_her_out_and_nobody_changes_her_own(
    app: Flask, administrator: Browser, office_user: Callable[[str, str], OfficeUser], session: Session
) -> None:
    user = office_user("halima", "billing")
    halima = Browser(app.test_client())
    halima.log_in("halima")
    administrator.post(f"/users/{user.id}/role", form_on="/users", role="auditor")
    assert halima.get("/password").status_code == 303
    halima.log_in("halima")
    assert halima.get("/runs/new").status_code == 403
    page = administrator.get(f"/users/{user.id}").text
    assert "<del>billing</del>" in page
    assert "office user-administrator" in page
    own = session.scalars(select(OfficeUser).where(OfficeUser.role == "administrator")).one()
    administrator.post(f"/users/{own.id}/role", form_on="/users", role="auditor")
    assert "cannot change your own role" in administrator.get("/users").text
    administrator.post(f"/users/{user.id}/role", form_on="/users", role="owner")
    assert "Choose one of the list" in administrator.get("/users").text
