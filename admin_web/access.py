"""A page: its address, who may use it, its transaction, and a form that counts once. Every page is made here."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web import once
from admin_web.logins import Officer, current_officer
from admin_web.models import ROLES
from core.audit import act_as
from core.database import transaction

office = Blueprint("office", __name__, url_prefix="/office", template_folder="templates", static_folder="static")

ADMINISTRATORS = frozenset({"administrator"})
BILLING = frozenset({"administrator", "billing"})
"""Tariffs, runs, bills and what corrects them."""
MONEY = frozenset({"administrator", "accountant"})
"""Payments, deposits, plans, and the decision about what somebody else proposed."""
DEBTS = BILLING | MONEY
SUPPORT = frozenset({"administrator", "billing", "support"})
"""Customers, their phones and connections, and what they ask."""
READINGS = frozenset({"administrator", "billing", "field"})
"""Meters and what they show."""
FIELDWORK = READINGS | SUPPORT
"""Orders that are done at the customer's: a fault, a supply cut or put back."""
IMPORTERS = BILLING | MONEY | READINGS | SUPPORT
"""Lists brought as files; each kind is for those who may type the same in."""
AUDITORS = frozenset({"administrator", "auditor"})
"""Who did what."""
EVERYONE = frozenset(ROLES)
DESK = EVERYONE - {"field"}
"""Everybody who works in the office: the books, conversations and messages are not for the road."""
PUBLIC = frozenset({"public"})
"""Pages that are used before the login."""

BEFORE_SECOND_STEP = {"office.second_step", "office.set_up_second_step", "office.logout"}
"""What an officer may use who has to set up a second step and has not yet."""

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
                g.session = session
                if g.officer is not None:
                    act_as(session, g.officer.actor, request.remote_addr or "")
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


def can(endpoint: str) -> bool:
    """Whether the one who looks at this page may use the office's `endpoint`. KeyError where there is none."""
    who: Officer | None = g.get("officer")
    return who is not None and who.role in ROLES_OF[f"office.{endpoint}"]


def may_open(address: str) -> bool:
    """The same for an address of the office, with its query and anchor."""
    path = address.partition("#")[0].partition("?")[0]
    endpoint, _ = current_app.url_map.bind("").match(path, method="GET")
    return can(str(endpoint).removeprefix("office."))


def _admit(session: Session, roles: frozenset[str]) -> Response | None:
    g.officer = current_officer(session)
    if roles == PUBLIC:
        return None
    if g.officer is None:
        return _to_login()
    if g.officer.role not in roles:
        abort(403)
    if g.officer.lacks_second_step and request.endpoint not in BEFORE_SECOND_STEP:
        return _to("office.second_step")
    return None


def _to_login() -> Response:
    back = request.full_path.rstrip("?") if request.method == "GET" else url_for("office.home")
    return _to("office.login", next=back)


def _to(endpoint: str, **parts: Any) -> Response:
    address = url_for(endpoint, **parts)
    if "HX-Request" in request.headers:  # a part of a page would show the login inside itself
        return Response(status=204, headers={"HX-Redirect": address})
    return make_response(redirect(address, 303))
