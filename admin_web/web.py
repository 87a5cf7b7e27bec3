"""The office's blueprint with all its pages; registering it on the application is all that is needed."""

import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import cast

import structlog
from flask import Flask, Response, g, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from admin_web import (
    account,
    anomalies,
    approvals,
    audit,
    bank,
    bulk,
    bulk_edits,
    cashier,
    connections,
    conversations,
    corrections,
    customer_actions,
    customer_page,
    customers,
    debtors,
    desk_papers,
    dunning,
    estimates,
    faults,
    flow_map,
    funnel,
    home,
    import_files,
    imports,
    inbox,
    invoices,
    ledger_pages,
    levies,
    links,
    login,
    looks,
    message_counter,
    message_templates,
    messages,
    meters,
    mpesa_statement,
    notices,
    once,
    papers,
    payments,
    reading_corrections,
    reading_sheet,
    readings,
    reconciliation,
    runs,
    search,
    second_step,
    sessions,
    suspense,
    tariff_editor,
    tariffs,
    users,
)
from admin_web.access import PUBLIC, can, office, page
from admin_web.navigation import open_ways
from core.config import settings

__all__ = ["office"]

PAGES = (
    home, debtors, search, customers, customer_page, customer_actions, connections, meters,
    readings, reading_sheet, reading_corrections, estimates, anomalies, faults, links,
    tariffs, tariff_editor, levies, imports, import_files, bulk_edits,
    runs, invoices, payments, conversations, account, corrections, dunning, ledger_pages, papers,
    messages, inbox, bulk, message_templates, message_counter,
    funnel, flow_map,
    suspense, approvals, cashier, desk_papers, notices, bank, reconciliation, mpesa_statement,
    users, audit, login, sessions, second_step,
)  # fmt: skip

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WRONG = {
    400: ("This could not be read", "Go back, load the page again and repeat what you did."),
    403: ("This page is not for your role", "Ask an administrator if you need it."),
    404: ("There is no such page", "The address may be mistyped, or the thing was never there."),
    405: ("This cannot be done here", "Go back and use the page's own buttons."),
    409: ("This was done already", "Look at the list before you send it again."),
}

log = structlog.get_logger("office")
csrf = CSRFProtect()


@office.record_once
def prepare(state: BlueprintSetupState) -> None:
    """What the office needs of the application: a signed cookie of its own, CSRF tokens, filters."""
    app = cast(Flask, state.app)
    app.secret_key = app.secret_key or settings().secret_key
    app.config.update(
        SESSION_COOKIE_NAME="mita_office",
        SESSION_COOKIE_PATH="/office",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings().public_base_url.startswith("https://"),
        WTF_CSRF_CHECK_DEFAULT=False,  # gateways post to this application too, and have no cookie
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as the login it belongs to
    )
    csrf.init_app(app)
    looks.install(app)
    app.jinja_env.globals.update(asset=asset, can=can, ways_open=open_ways, once_token=once.new_token, **audit.WORDS)


@office.before_request
def protect() -> None:
    g.request_id = g.get("request_id") or request.headers.get("X-Request-Id", "")[:40] or secrets.token_hex(6)
    if request.endpoint != "office.static":
        csrf.protect()


@office.after_request
def harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint == "office.static":
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


@office.context_processor
def on_every_page() -> dict[str, object]:
    theme = request.cookies.get("mita_theme", "")
    return {
        "currency": settings().currency,
        "utility": settings().utility_name,
        "service_code": settings().service_code,
        "zone_name": looks.zone_name(),
        "officer": g.get("officer"),
        "theme": theme if theme in ("light", "dark") else "",
        "in_part": "HX-Request" in request.headers,
    }


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so browsers may keep it for ever."""
    return url_for("office.static", filename=name, v=_fingerprint(name))


@office.errorhandler(CSRFError)
def form_is_stale(_error: CSRFError) -> tuple[str, int]:
    return sorry(400, "This form is too old", "You were logged out or had the page open for long. Load it again.")


@office.errorhandler(HTTPException)
def refused(error: HTTPException) -> tuple[str, int] | HTTPException:
    code = error.code or 500
    if code < 400:
        return error
    title, advice = WRONG.get(code, (error.name, "Go back and try again."))
    own_words = isinstance(error.description, str) and error.description != type(error).description
    return sorry(code, title, str(error.description) if own_words else advice)


@office.errorhandler(Exception)
def broken(error: Exception) -> tuple[str, int]:
    log.error("office.page_failed", path=request.path, request_id=g.get("request_id"), exc_info=error)
    return sorry(
        500,
        "Something went wrong on our side",
        "Nothing of what you sent was kept. Try again; if it happens again, tell your administrator the number below.",
    )


def sorry(code: int, title: str, advice: str) -> tuple[str, int]:
    """A page that says in words what went wrong and what to do."""
    number = g.get("request_id") if code >= 500 else None
    return render_template("office/sorry.html", title=title, advice=advice, number=number, code=code), code


@page("/<path:rest>", roles=PUBLIC)
def nowhere(_session: object, rest: str) -> tuple[str, int]:
    """Addresses under /office that lead nowhere get the office's page, not the server's."""
    return sorry(404, *WRONG[404])
