"""The login of one browser: opened, looked up at each request, expired, closed."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from flask import request
from flask import session as cookie
from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session

from admin_web.models import OfficeSession, OfficeUser
from core.clock import now
from core.config import settings

NOTED_EVERY = timedelta(minutes=1)
IN_COOKIE = "login"
HALF = "half_login"
HALF_LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Officer:
    """Who is working: enough for pages and for the actor of a change. `login` is the id of this browser's login."""

    id: int
    username: str
    role: str
    login: int
    lacks_second_step: bool

    @property
    def actor(self) -> str:
        """As readings, runs and receipts name her."""
        return f"office {self.username}"


def idle() -> timedelta:
    """How long an officer may do nothing."""
    return timedelta(minutes=settings().office_idle_minutes)


def longest() -> timedelta:
    """How long a login lasts."""
    return timedelta(hours=settings().office_login_hours)


def needs_second_step(role: str) -> bool:
    """Whether officers of this role must have one."""
    return role in [one.strip() for one in settings().second_step_roles.split(",")]


def alive() -> ColumnElement[bool]:
    """Of logins: neither idle for too long nor too old."""
    return and_(OfficeSession.seen_at > now() - idle(), OfficeSession.created_at > now() - longest())


def open_login(session: Session, user: OfficeUser) -> None:
    """Log this browser in. The cookie starts anew, so nobody can have planted its token before."""
    close_login(session)
    token = secrets.token_urlsafe(32)
    session.execute(delete(OfficeSession).where(OfficeSession.created_at < now() - longest()))
    session.add(
        OfficeSession(
            token_digest=_digest(token),
            user_id=user.id,
            created_at=now(),
            seen_at=now(),
            address=request.remote_addr or "",
            browser=request.headers.get("User-Agent", "")[:300],
        )
    )
    user.last_login_at = now()
    cookie[IN_COOKIE] = token


def current_officer(session: Session) -> Officer | None:
    """Who is logged in here, or None: nobody, no longer active, idle for too long, or since too long."""
    token = cookie.get(IN_COOKIE)
    if not isinstance(token, str):
        return None
    found = session.execute(
        select(OfficeSession, OfficeUser)
        .join(OfficeUser, OfficeUser.id == OfficeSession.user_id)
        .where(OfficeSession.token_digest == _digest(token), alive(), OfficeUser.active)
    ).one_or_none()
    if found is None:
        return None
    login, user = found
    if now() - login.seen_at > NOTED_EVERY:
        login.seen_at, login.address = now(), request.remote_addr or login.address
    lacks = user.totp_sealed is None and needs_second_step(user.role)
    return Officer(user.id, user.username, user.role, login.id, lacks)


def close_login(session: Session) -> None:
    """Log this browser out and empty its cookie."""
    token = cookie.get(IN_COOKIE)
    if isinstance(token, str):
        session.execute(delete(OfficeSession).where(OfficeSession.token_digest == _digest(token)))
    cookie.clear()


def close_all(session: Session, user_id: int) -> None:
    """Log the user out everywhere: her password or her place has changed."""
    session.execute(delete(OfficeSession).where(OfficeSession.user_id == user_id))


def half_way(session: Session, user: OfficeUser, following: str) -> None:
    """The password was right; the second step is to come, within five minutes, in this browser."""
    close_login(session)
    cookie[HALF] = [user.id, _digest(user.password_hash)[:16], now().isoformat(), following]


def who_is_half_way(session: Session) -> tuple[OfficeUser, str] | None:
    """Whose second step is to come here, and the page she asked for; None where nobody's, or too late."""
    match cookie.get(HALF):
        case [int(user_id), str(password), str(since), str(following)]:
            user = session.get(OfficeUser, user_id)
            fresh = now() - datetime.fromisoformat(since) < HALF_LASTS
            if user is not None and user.active and fresh and _digest(user.password_hash)[:16] == password:
                return user, following
    return None


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
