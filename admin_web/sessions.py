"""Where an officer is logged in: she sees it and ends it; an administrator ends anybody's."""

import re

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import ADMINISTRATORS, EVERYONE, can, officer, page
from admin_web.logins import alive, close_all
from admin_web.models import OfficeSession, OfficeUser

# The first that fits; most browsers name others as well, so the order matters.
BROWSERS = (
    ("Edg", "Edge"), ("OPR|Opera", "Opera"), ("SamsungBrowser", "Samsung browser"), ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS", "Chrome"), ("Safari", "Safari"), ("curl|python|Werkzeug", "a program"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone|iPad", "iOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_in_words(user_agent: str) -> str:
    """ "Chrome on Android" from what the browser says of itself."""
    browser = next((words for sign, words in BROWSERS if re.search(sign, user_agent)), "Unknown browser")
    system = next((words for sign, words in SYSTEMS if re.search(sign, user_agent)), "")
    return f"{browser} on {system}" if system else browser


def logins_of(session: Session, user_id: int) -> list[tuple[OfficeSession, str]]:
    """Her logins that are alive, the last seen first, each with its browser in words."""
    query = select(OfficeSession).where(OfficeSession.user_id == user_id, alive())
    return [
        (login, browser_in_words(login.browser))
        for login in session.scalars(query.order_by(OfficeSession.seen_at.desc()))
    ]


@page("/sessions", roles=EVERYONE)
def sessions(session: Session) -> ResponseReturnValue:
    """One's own logins."""
    return render_template("office/sessions.html", logins=logins_of(session, officer().id), here=officer().login)


@page("/sessions/<int:login_id>/end", roles=EVERYONE, methods=("POST",))
def end_session(session: Session, login_id: int) -> ResponseReturnValue:
    """Log one browser out: one's own, or anybody's for an administrator."""
    login = session.scalar(select(OfficeSession).where(OfficeSession.id == login_id))
    own = login is not None and login.user_id == officer().id
    if login is None or not (own or can("end_all_sessions")):
        abort(404)
    session.delete(login)
    flash("That browser is logged out.", "good")
    back = url_for("office.sessions") if own else url_for("office.officer_page", user_id=login.user_id)
    return redirect(back, 303)


@page("/sessions/end-others", roles=EVERYONE, methods=("POST",))
def end_other_sessions(session: Session) -> ResponseReturnValue:
    """Stay logged in here only."""
    for login, _ in logins_of(session, officer().id):
        if login.id != officer().login:
            session.delete(login)
    flash("You are logged in here only.", "good")
    return redirect(url_for("office.sessions"), 303)


@page("/users/<int:user_id>/sessions/end", roles=ADMINISTRATORS, methods=("POST",))
def end_all_sessions(session: Session, user_id: int) -> ResponseReturnValue:
    """Log an officer out everywhere."""
    user = session.get(OfficeUser, user_id) or abort(404)
    close_all(session, user.id)
    flash(f"{user.username} is logged out everywhere.", "good")
    return redirect(url_for("office.officer_page", user_id=user.id), 303)
