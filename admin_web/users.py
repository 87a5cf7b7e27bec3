"""The people of the office: added, given a new password, changed, deactivated, by administrators."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from admin_web import passwords
from admin_web.access import ADMINISTRATORS, AUDITORS, officer, page
from admin_web.forms import NEEDED, Form, FormSchema, choice, filled, read
from admin_web.logins import close_all
from admin_web.models import ROLES, OfficeUser
from admin_web.second_factor import codes_left
from admin_web.sessions import logins_of
from core.clock import now

ROLE_WORDS = {
    "administrator": "Administrator: everything, and the office's users",
    "billing": "Billing: customers, meters, readings, tariffs, bills",
    "accountant": "Accountant: payments, deposits, plans, debts",
    "field": "Field: readings, meters, faults and orders on the road",
    "support": "Support: customers, their phones, messages and faults",
    "auditor": "Auditor: sees everything, changes nothing",
}


class UserForm(FormSchema):
    username = fields.String(
        required=True,
        validate=validate.Regexp(
            r"^[a-zA-Z][a-zA-Z0-9._-]{1,39}\Z",
            error="Two to forty letters, digits, dots or dashes; a letter first.",
        ),
        error_messages=NEEDED,
    )
    role = choice(ROLE_WORDS)


class RoleForm(FormSchema):
    role = choice(ROLE_WORDS)


def create_user(session: Session, username: str, password: str, role: str, by: str = "console") -> OfficeUser | None:
    """Add a user, known by `username` in small letters. None where that name is taken. ValueError on no such role."""
    if role not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    return session.scalar(
        insert(OfficeUser)
        .values(
            username=username.lower(),
            password_hash=passwords.digest(password),
            role=role,
            active=True,
            created_at=now(),
            created_by=by,
        )
        .on_conflict_do_nothing(index_elements=["username"])
        .returning(OfficeUser)
    )


def create_first_administrator(session: Session, username: str = "admin") -> str | None:
    """The password of a new administrator where the office has no user yet, else None. It is kept nowhere."""
    if session.scalar(select(func.count()).select_from(OfficeUser)):
        return None
    password = passwords.new_password()
    return password if create_user(session, username, password, "administrator", by="setup") else None


@page("/users", roles=AUDITORS)
def users(session: Session) -> ResponseReturnValue:
    return _page(session, filled(role="billing"))


@page("/users", roles=ADMINISTRATORS, methods=("POST",))
def add_user(session: Session) -> ResponseReturnValue:
    """Add a user; the answer shows her password, this once."""
    form = read(UserForm(), request.form)
    if form.fine:
        password = passwords.new_password()
        user = create_user(session, form.values["username"], password, form.values["role"], officer().actor)
        if user is not None:
            return render_template("office/user_password.html", user=user, password=password, new=True)
        form.refuse("username", "This name is taken.")
    return _page(session, form), 422


def _page(session: Session, form: Form) -> str:
    people = session.scalars(select(OfficeUser).order_by(OfficeUser.active.desc(), OfficeUser.username)).all()
    return render_template("office/users.html", people=people, form=form, roles=ROLE_WORDS)


@page("/users/<int:user_id>", roles=AUDITORS)
def officer_page(session: Session, user_id: int) -> ResponseReturnValue:
    """One officer: her role, where she is logged in, what was changed about her."""
    user = session.get(OfficeUser, user_id) or abort(404)
    return render_template(
        "office/officer.html",
        person=user,
        form=filled(role=user.role),
        roles=ROLE_WORDS,
        logins=logins_of(session, user.id),
        codes_left=codes_left(session, user.id),
    )


@page("/users/<int:user_id>/role", roles=ADMINISTRATORS, methods=("POST",))
def change_role(session: Session, user_id: int) -> ResponseReturnValue:
    """Give an officer another role; she is logged out, for her pages change. Nobody changes her own."""
    user = session.get(OfficeUser, user_id) or abort(404)
    form = read(RoleForm(), request.form)
    if not form.fine:
        flash(form.errors["role"], "bad")
    elif user.id == officer().id:
        flash("You cannot change your own role; another administrator can.", "bad")
    elif user.role != form.values["role"]:
        user.role = form.values["role"]
        close_all(session, user.id)
        flash(f"{user.username} has another role now.", "good")
    return redirect(url_for("office.officer_page", user_id=user.id), 303)


@page("/users/<int:user_id>/reset", roles=ADMINISTRATORS, methods=("GET", "POST"))
def reset_password(session: Session, user_id: int) -> ResponseReturnValue:
    """Give a user a new password, shown this once, and log her out everywhere."""
    user = session.get(OfficeUser, user_id) or abort(404)
    if request.method == "GET":
        return render_template("office/user_reset.html", user=user)
    password = passwords.new_password()
    user.password_hash = passwords.digest(password)
    close_all(session, user.id)
    return render_template("office/user_password.html", user=user, password=password, new=False)


@page("/users/<int:user_id>/active", roles=ADMINISTRATORS, methods=("POST",))
def set_active(session: Session, user_id: int) -> ResponseReturnValue:
    """Let a user in or keep her out. Nobody can lock herself out."""
    user = session.get(OfficeUser, user_id) or abort(404)
    active = request.form.get("active") == "yes"
    if user.id == officer().id and not active:
        flash("You cannot deactivate yourself; another administrator can.", "bad")
    else:
        user.active = active
        if not active:
            close_all(session, user.id)
        flash(f"{user.username} may {'enter the office again' if active else 'no longer enter the office'}.", "good")
    return redirect(url_for("office.officer_page", user_id=user.id), 303)
