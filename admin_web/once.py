"""A form acts once: its token is a row, and the second click finds the row."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from flask import Response, abort, flash, make_response, redirect, request
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from admin_web.models import SentForm
from core.clock import now

FIELD = "once"
KEPT = timedelta(days=7)


def new_token() -> str:
    """What a form carries in its hidden field."""
    return secrets.token_urlsafe(18)


def only(session: Session, user_id: int, act: Callable[[], Response]) -> Response:
    """Run `act` unless this form was sent before; then lead to where the first led. 400 without a token.

    A second click at the same moment waits on the row's index until the first has committed. When the first
    is refused its row is rolled back with the rest, so the form may be mended and sent again.
    """
    token = request.form.get(FIELD, "")
    if not 16 <= len(token) <= 64:
        abort(400, "This form is not complete. Load the page again and repeat what you did.")
    fresh = session.execute(
        insert(SentForm)
        .values(token=token, user_id=user_id, path=request.path, sent_at=now())
        .on_conflict_do_nothing()
        .returning(SentForm.token)
    ).one_or_none()
    if fresh is None:
        return _sent_before(session, token, user_id)
    response = act()
    if response.location:
        session.execute(update(SentForm).where(SentForm.token == token).values(location=response.location))
    return response


def _sent_before(session: Session, token: str, user_id: int) -> Response:
    location = session.scalar(select(SentForm.location).where(SentForm.token == token, SentForm.user_id == user_id))
    if location is None:
        abort(409, "This form was sent already and was done once. Look at the list before you send it again.")
    flash("You had sent this form already. It was done once.", "note")
    return make_response(redirect(location, 303))


def forget_old(session: Session) -> None:
    """Drop the tokens that nobody can still have on a screen."""
    session.execute(delete(SentForm).where(SentForm.sent_at < now() - KEPT))
