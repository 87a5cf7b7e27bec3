"""An officer's own second step: set up with her phone, its recovery codes, taken off; taken away for a lost phone."""

import segno
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields
from sqlalchemy.orm import Session

from admin_web import passwords, second_factor
from admin_web.access import ADMINISTRATORS, EVERYONE, officer, page
from admin_web.forms import NEEDED, Form, FormSchema, read
from admin_web.logins import close_all, needs_second_step, open_login
from admin_web.models import OfficeUser
from core import seal

PURPOSE = "enrolment"


class EnrolForm(FormSchema):
    sealed = fields.String(required=True)
    password = fields.String(required=True, error_messages=NEEDED)
    code = fields.String(required=True, error_messages=NEEDED)


class OwnPasswordForm(FormSchema):
    password = fields.String(required=True, error_messages=NEEDED)


@page("/second-step", roles=EVERYONE)
def second_step(session: Session) -> ResponseReturnValue:
    """How it stands, or the way to set it up."""
    user = session.get_one(OfficeUser, officer().id)
    if user.totp_sealed is None:
        return _set_up_page(user, second_factor.new_secret(), Form())
    return _page(session, user, Form())


@page("/second-step", roles=EVERYONE, methods=("POST",))
def set_up_second_step(session: Session) -> ResponseReturnValue:
    """Take up the secret of the page, once a code of it has come back. The answer shows the recovery codes."""
    user = session.get_one(OfficeUser, officer().id, with_for_update=True)
    form = read(EnrolForm(), request.form)
    secret = _opened(user, form.raw.get("sealed", ""))
    if user.totp_sealed is not None or secret is None:
        return redirect(url_for("office.second_step"), 303)
    if form.fine and not passwords.matches(user.password_hash, form.values["password"]):
        form.refuse("password", "This is not your password.")
    codes = second_factor.enrol(session, user, secret, form.values["code"]) if form.fine else None
    if codes is None:
        form.refuse("code", "This is not the code of now. Wait for the next one.")
        return _set_up_page(user, secret, form), 422
    close_all(session, user.id)
    open_login(session, user)
    return render_template("office/recovery_codes.html", codes=codes)


@page("/second-step/codes", roles=EVERYONE, methods=("POST",))
def renew_recovery_codes(session: Session) -> ResponseReturnValue:
    """Ten new recovery codes, shown this once."""
    user, form = _own(session)
    if not form.fine:
        return _page(session, user, form), 422
    return render_template("office/recovery_codes.html", codes=second_factor.new_recovery_codes(session, user))


@page("/second-step/off", roles=EVERYONE, methods=("POST",))
def drop_second_step(session: Session) -> ResponseReturnValue:
    """Log in with the password alone again, where the role may."""
    user, form = _own(session)
    if needs_second_step(user.role):
        form.refuse("password", "Your role needs the second step.")
    if not form.fine:
        return _page(session, user, form), 422
    second_factor.take_away(session, user)
    flash("You log in with your password alone.", "good")
    return redirect(url_for("office.second_step"), 303)


@page("/users/<int:user_id>/second-step", roles=ADMINISTRATORS, methods=("POST",))
def take_second_step_away(session: Session, user_id: int) -> ResponseReturnValue:
    """For an officer whose phone is lost: it is taken away, and she is logged out everywhere."""
    user = session.get(OfficeUser, user_id, with_for_update=True) or abort(404)
    second_factor.take_away(session, user)
    close_all(session, user.id)
    flash(f"{user.username} logs in without a code, and can set it up anew.", "good")
    return redirect(url_for("office.officer_page", user_id=user.id), 303)


def _own(session: Session) -> tuple[OfficeUser, Form]:
    """Who is here, and a form that is fine where she has given her password and has a second step."""
    user = session.get_one(OfficeUser, officer().id, with_for_update=True)
    form = read(OwnPasswordForm(), request.form)
    if form.fine and not passwords.matches(user.password_hash, form.values["password"]):
        form.refuse("password", "This is not your password.")
    if user.totp_sealed is None:
        form.refuse("password", "There is no second step to change.")
    return user, form


def _page(session: Session, user: OfficeUser, form: Form) -> str:
    return render_template(
        "office/second_step.html",
        form=form,
        left=second_factor.codes_left(session, user.id),
        needed=needs_second_step(user.role),
    )


def _set_up_page(user: OfficeUser, secret: str, form: Form) -> str:
    """The secret travels sealed in the form, so that nobody can have chosen it, and nothing is kept before it works."""
    form.raw = {**form.raw, "sealed": seal.shut(PURPOSE, f"{user.id} {secret}").decode()}
    return render_template(
        "office/second_step_set_up.html",
        form=form,
        secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        code=segno.make(second_factor.address(user.username, secret), error="m").svg_data_uri(
            scale=5, border=4, light="white"
        ),
        needed=needs_second_step(user.role),
    )


def _opened(user: OfficeUser, sealed: str) -> str | None:
    try:
        owner, _, secret = seal.opened(PURPOSE, sealed.encode()).partition(" ")
    except ValueError:
        return None
    return secret if owner == str(user.id) else None
