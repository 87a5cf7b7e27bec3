"""The application: its blueprints, and what goes for every request."""

import re
import secrets
from time import perf_counter

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

import admin_web.web
import payments.web
from admin_web.flow_map import EXTENSION as FLOW_CHART
from core.config import Settings
from flows.chart import chart
from ussd_app import logs
from ussd_app.demo import demo
from ussd_app.gateways import web as gateways
from ussd_app.health import health

REQUEST_ID = re.compile(r"\A[\w.-]{1,40}\Z")
QUIET = {"health.alive", "health.ready", "office.static"}

log = structlog.get_logger("web")


def create_app(settings: Settings) -> Flask:
    """The whole service as one WSGI application."""
    logs.configure()
    app = Flask("ussd_app", static_folder=None)
    app.secret_key = settings.secret_key
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.before_request(begin)
    app.after_request(finish)
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(Exception, broken)
    app.register_blueprint(health)
    app.register_blueprint(gateways.gateway)
    app.register_blueprint(payments.web.callbacks)
    app.register_blueprint(admin_web.web.office)
    app.extensions[FLOW_CHART] = chart
    if settings.demo:
        app.register_blueprint(demo)
    return app


def begin() -> None:
    """Give the request a number that its log lines and its answer share; a proxy's own is kept."""
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.match(given) else secrets.token_hex(8)
    g.began = perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    if request.endpoint not in QUIET:
        # The rule and not the path: paths of callbacks hold secrets.
        rule = request.url_rule.rule if request.url_rule else None
        log.info("request", method=request.method, rule=rule, status=response.status_code,
                 ms=round((perf_counter() - g.began) * 1000, 1))  # fmt: skip
    return response


def refused(error: HTTPException) -> Response:
    """Wrong address, method or size: the bare facts as text. Pages of the office have words of their own."""
    status = error.code or 500
    answer = Response(f"{error.name}\n", status, content_type="text/plain; charset=utf-8")
    for name, value in error.get_headers():
        if name.lower() in ("allow", "location", "retry-after"):
            answer.headers[name] = value
    return answer


def broken(_error: Exception) -> Response:
    """A bug or an outage: the trace goes to the log, a number to the caller."""
    log.exception("request.failed", rule=request.url_rule.rule if request.url_rule else None)
    body = f"Something went wrong here. Number: {g.get('request_id', '-')}\n"
    return Response(body, 500, content_type="text/plain; charset=utf-8")
