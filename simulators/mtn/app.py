"""The web application of the simulated MTN."""

from flask import Flask, Response

from simulators.journal import watch
from simulators.momo import control
from simulators.momo.provider import Provider
from simulators.mtn import collection, users
from simulators.mtn.bodies import callback
from simulators.mtn.errors import MtnError
from simulators.mtn.settings import MtnSettings


def create_mtn(settings: MtnSettings) -> Flask:
    """One MTN with its own wallets and book."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    provider, known = Provider(settings, callback(settings.callback_method)), users.Users(settings)
    watch(app, provider.journal, name_of)
    app.register_blueprint(users.blueprint(settings, known))
    app.register_blueprint(collection.blueprint(provider, settings, known))
    app.register_blueprint(control.blueprint(provider))

    @app.errorhandler(MtnError)
    def refused(error: MtnError) -> Response:
        return error.response()

    return app


def name_of(path: str) -> str | None:
    """What a request is called in the journal."""
    if path == "/collection/token/":
        return "MTN token"
    if path == collection.PAY:
        return "MTN request to pay"
    return "MTN status" if path.startswith(f"{collection.PAY}/") else None
