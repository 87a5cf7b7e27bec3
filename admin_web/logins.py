"""The login of one browser: opened, looked up at each request, expired, closed."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from flask import request
from flask import session as cookie
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from admin_web.models import OfficeSession, OfficeUser
from core.clock import now

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=1)
IN_COOKIE = "login"


@dataclass(frozen=True, slots=True)
class Officer:
    """Who is working: enough for pages and for the actor of a change."""

    id: int
    username: str
    role: str

    @property
    def actor(self) -> str:
        """As readings, runs and receipts name her."""
        return f"office {self.username}"


def open_login(session: Session, user: OfficeUser) -> None:
    """Log this browser in. The cookie starts anew, so nobody can have planted its token before."""
    close_login(session)
    token = secrets.token_urlsafe(32)
    session.execute(delete(OfficeSession).where(OfficeSession.created_at < now() - LONGEST))
    session.add(
        OfficeSession(
            token_digest=_digest(token),
            user_id=user.id,
            created_at=now(),
            seen_at=now(),
            address=request.remote_addr or "",
        )
    )
    user.last_login_at = now()
    cookie[IN_COOKIE] = token


def current_officer(session: Session) -> Officer | None:
    """Who is logged in here, or None: nobody, no longer active, idle for an hour, or since half a day."""
    token = cookie.get(IN_COOKIE)
    if not isinstance(token, str):
        return None
    found = session.execute(
        select(OfficeSession, OfficeUser)
        .join(OfficeUser, OfficeUser.id == OfficeSession.user_id)
        .where(
            OfficeSession.token_digest == _digest(token),
            OfficeSession.seen_at > now() - IDLE,
            OfficeSession.created_at > now() - LONGEST,
            OfficeUser.active,
        )
    ).one_or_none()
    if found is None:
        return None
    login, user = found
    if now() - login.seen_at > NOTED_EVERY:
        login.seen_at = now()
    return Officer(user.id, user.username, user.role)


def close_login(session: Session) -> None:
    """Log this browser out and empty its cookie."""
    token = cookie.get(IN_COOKIE)
    if isinstance(token, str):
        session.execute(delete(OfficeSession).where(OfficeSession.token_digest == _digest(token)))
    cookie.clear()


def close_all(session: Session, user_id: int) -> None:
    """Log the user out everywhere: her password or her place has changed."""
    session.execute(delete(OfficeSession).where(OfficeSession.user_id == user_id))


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
