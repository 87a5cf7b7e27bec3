"""A page: its address, who may use it, its transaction, and a form that counts once. Every page is made here."""

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, Response, abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web import once
from admin_web.logins import Officer, current_officer
from admin_web.models import ROLES
from core.database import transaction

office = Blueprint("office", __name__, url_prefix="/office", template_folder="templates", static_folder="static")

ADMINISTRATORS = frozenset({"administrator"})
CLERKS = frozenset({"administrator", "clerk"})
EVERYONE = frozenset(ROLES)
PUBLIC = frozenset({"public"})
"""Pages that are used before the login."""

View = Callable[..., ResponseReturnValue]
ROLES_OF: dict[str, frozenset[str]] = {}
"""Which roles may use each endpoint; a test holds that every route of the office is here."""


def page(
    rule: str, *, roles: frozenset[str], methods: tuple[str, ...] = ("GET",), repeatable: bool = False
) -> Callable[[View], View]:
    """Make `view(session, **parts of the rule)` a page for `roles`.

    The view runs in one transaction, committed before the answer leaves and rolled back where that is an error.
    A POST acts once for each form that was handed out, unless the page is `repeatable` (it changes nothing).
    """

    def register(view: View) -> View:
        @wraps(view)
        def respond(**parts: object) -> Response:
            with transaction() as session:
                refused = _admit(session, roles)
                if refused is not None:
                    return refused
                if request.method == "POST" and roles != PUBLIC and not repeatable:
                    response = once.only(session, officer().id, lambda: make_response(view(session, **parts)))
                else:
                    response = make_response(view(session, **parts))
                if response.status_code >= 400:
                    session.rollback()
            return response

        ROLES_OF[f"office.{view.__name__}"] = roles
        office.add_url_rule(rule, view.__name__, respond, methods=list(methods))
        return view

    return register


def officer() -> Officer:
    """Who is using this page."""
    who: Officer = g.officer
    return who


def may(roles: frozenset[str]) -> bool:
    """Whether the one who looks at this page belongs to `roles`."""
    who: Officer | None = g.get("officer")
    return who is not None and who.role in roles


def _admit(session: Session, roles: frozenset[str]) -> Response | None:
    g.officer = current_officer(session)
    if roles == PUBLIC:
        return None
    if g.officer is None:
        return _to_login()
    if g.officer.role not in roles:
        abort(403)
    return None


def _to_login() -> Response:
    back = request.full_path.rstrip("?") if request.method == "GET" else url_for("office.home")
    address = url_for("office.login", next=back)
    if "HX-Request" in request.headers:  # a part of a page would show the login inside itself
        return Response(status=204, headers={"HX-Redirect": address})
    return make_response(redirect(address, 303))
