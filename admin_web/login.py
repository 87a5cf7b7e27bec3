"""Into the office and out of it, one's own password, and light or dark."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response

from admin_web import once, passwords, second_factor, throttle
from admin_web.access import EVERYONE, PUBLIC, officer, page
from admin_web.forms import NEEDED, Form, FormSchema, choice, filled, read, word
from admin_web.logins import close_all, close_login, current_officer, half_way, open_login, who_is_half_way
from admin_web.models import OfficeUser
from core.audit import act_as
from core.config import settings
from core.database import transaction

WRONG = "This user name and password do not belong together."
WRONG_CODE = "This is not the code of now. Wait for the next one, or check that the phone's clock is right."
THEMES = {"light": "Light", "dark": "Dark", "auto": "As the device"}


class LoginForm(FormSchema):
    username = word(60)
    password = fields.String(required=True, error_messages={"required": "Fill this in."})
    next = fields.String(load_default="")


class CodeForm(FormSchema):
    code = fields.String(required=True, error_messages=NEEDED)


class PasswordForm(FormSchema):
    current = fields.String(required=True, error_messages={"required": "Fill this in."})
    new = fields.String(required=True, error_messages={"required": "Fill this in."})
    again = fields.String(required=True, error_messages={"required": "Fill this in."})


class ThemeForm(FormSchema):
    theme = choice(THEMES)
    back = fields.String(load_default="")


@page("/login", roles=PUBLIC, methods=("GET", "POST"))
def login(session: Session) -> ResponseReturnValue:
    """The user name and the password. Wrong ones are counted in a transaction of their own."""
    if request.method == "GET":
        if current_officer(session) is not None:
            return redirect(url_for("office.home"), 303)
        return _login_page(filled(next=request.args.get("next", "")))
    form = read(LoginForm(), request.form)
    if not form.fine:
        return _login_page(form), 422
    username = form.values["username"].lower()
    user_id, why = _check(username, lambda own: _by_password(own, username, form.values["password"]), WRONG)
    if user_id is None:
        form.refuse("username", why)
        return _login_page(form), 429 if why != WRONG else 422
    user = session.get_one(OfficeUser, user_id)
    if user.totp_sealed is not None:
        half_way(session, user, form.values["next"])
        return redirect(url_for("office.login_code"), 303)
    return _let_in(session, user, form.values["next"])


@page("/login/code", roles=PUBLIC, methods=("GET", "POST"))
def login_code(session: Session) -> ResponseReturnValue:
    """The second step, for whoever has just given the right password here."""
    known = who_is_half_way(session)
    if known is None:
        return redirect(url_for("office.login"), 303)
    user, following = known
    if request.method == "GET":
        return render_template("office/login_code.html", form=Form())
    form = read(CodeForm(), request.form)
    if form.fine:
        code = form.values["code"]
        passed, why = _check(
            user.username, lambda own: user.id if second_factor.passes(own, user.id, code) else None, WRONG_CODE
        )
        if passed is not None:
            session.refresh(user)
            return _let_in(session, user, following)
        form.refuse("code", why)
    return render_template("office/login_code.html", form=form), 429 if form.errors["code"].startswith("Too") else 422


def _login_page(form: Form) -> str:
    return render_template("office/login.html", form=form)


def _let_in(session: Session, user: OfficeUser, following: str) -> Response:
    throttle.forgive(session, user.username)
    open_login(session, user)
    once.forget_old(session)
    return redirect(_inside(following), 303)


def _check(username: str, proved: Callable[[Session], int | None], otherwise: str) -> tuple[int | None, str]:
    """The id of the user who `proved` who she is, or why not. Commits by itself: a failure must count.

    Neither what is said nor how long it takes tells whether there is such a user.
    """
    with transaction() as session:
        counted = throttle.subjects(username, request.remote_addr or "")
        until = throttle.locked_until(session, counted)
        if until is not None:
            return None, f"Too many wrong tries. Try again after {_clock(until)}."
        user_id = proved(session)
        if user_id is None:
            throttle.count_failure(session, counted)
            return None, otherwise
        act_as(session, f"office {username}", request.remote_addr or "")
        return user_id, ""


def _by_password(session: Session, username: str, password: str) -> int | None:
    user = session.scalar(select(OfficeUser).where(OfficeUser.username == username, OfficeUser.active))
    fine = passwords.matches(user.password_hash if user else None, password)
    return user.id if user is not None and fine else None


def _clock(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(settings().utility_zone)):%H:%M:%S %Z}"


def _inside(address: str) -> str:
    """Where to go next: only to a page of the office, whoever wrote the link."""
    fine = address.startswith("/office/") and "\\" not in address and "//" not in address
    return address if fine else url_for("office.home")


@page("/logout", roles=EVERYONE, methods=("POST",), repeatable=True)
def logout(session: Session) -> ResponseReturnValue:
    close_login(session)
    return redirect(url_for("office.login"), 303)


@page("/password", roles=EVERYONE, methods=("GET", "POST"))
def own_password(session: Session) -> ResponseReturnValue:
    """Change one's own password: every other browser is logged out."""
    if request.method == "GET":
        return render_template("office/password.html", form=Form())
    form = read(PasswordForm(), request.form)
    user = session.get_one(OfficeUser, officer().id)
    if form.fine and not passwords.matches(user.password_hash, form.values["current"]):
        form.refuse("current", "This is not your password.")
    if form.fine and (fault := passwords.fault_in(form.values["new"], user.username, settings().utility_name)):
        form.refuse("new", fault)
    if form.fine and form.values["new"] != form.values["again"]:
        form.refuse("again", "This is not the same as above.")
    if not form.fine:
        return render_template("office/password.html", form=form), 422
    user.password_hash = passwords.digest(form.values["new"])
    close_all(session, user.id)
    open_login(session, user)
    flash("Your password is changed.", "good")
    return redirect(url_for("office.home"), 303)


@page("/theme", roles=PUBLIC, methods=("POST",))
def theme(session: Session) -> ResponseReturnValue:
    """Light, dark, or as the device has it; kept in a cookie of this browser."""
    form = read(ThemeForm(), request.form)
    response = make_response(redirect(_inside(form.raw.get("back", "")), 303))
    if form.fine:
        response.set_cookie(
            "mita_theme",
            form.values["theme"],
            max_age=365 * 24 * 3600,
            path="/office",
            httponly=True,
            samesite="Lax",
            secure=settings().public_base_url.startswith("https://"),
        )
    return response
