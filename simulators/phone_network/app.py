"""The web application of the simulated phone network."""

import contextlib
from datetime import UTC, datetime

import requests
from flask import Flask, Response, jsonify

from simulators.journal import Journal, watch
from simulators.later import Later
from simulators.phone_network import faults, handset, messaging
from simulators.phone_network.news import Newsroom
from simulators.phone_network.settings import NetworkSettings
from simulators.phone_network.sms import SmsCentre
from simulators.phone_network.ussd import Ussd
from simulators.wire import call

NAMES = {"/version1/messaging": "SMS to the customer"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_phone_network(settings: NetworkSettings) -> Flask:
    """One network with its own handsets, sessions and messages."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    log, later = Journal(), Later()
    ussd, centre = Ussd(settings, log, later), SmsCentre(settings, log, later)
    watch(app, log, NAMES.get)
    app.register_blueprint(messaging.blueprint(settings, centre))
    app.register_blueprint(faults.blueprint(settings))
    app.register_blueprint(handset.blueprint(settings, ussd, centre, Newsroom(settings, log, centre)))

    @app.post("/api/reset")
    def reset() -> Response:
        """Empty handsets, full wallets. The service's own books stay as they are."""
        later.clear()
        ussd.clear()
        centre.inbox.clear()
        log.clear()
        for url in settings.wallets.values():
            with contextlib.suppress(requests.RequestException):
                call("POST", f"{url}/sim/reset", timeout_s=4)
        return jsonify(ok=True, now=datetime.now(UTC).isoformat(timespec="milliseconds"))

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return app
