"""The web application of the simulated Airtel."""

from flask import Flask

from simulators.airtel import merchant
from simulators.airtel.bodies import wire
from simulators.airtel.settings import AirtelSettings
from simulators.journal import watch
from simulators.momo import control
from simulators.momo.provider import Provider

NAMES = {"/auth/oauth2/token": "Airtel token", merchant.PAY: "Airtel payment", merchant.REFUND: "Airtel refund"}


def create_airtel(settings: AirtelSettings) -> Flask:
    """One Airtel with its own wallets and book."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    provider = Provider(settings, wire(settings))
    watch(app, provider.journal, name_of)
    app.register_blueprint(merchant.blueprint(provider, settings))
    app.register_blueprint(control.blueprint(provider))
    return app


def name_of(path: str) -> str | None:
    """What a request is called in the journal."""
    if path in NAMES:
        return NAMES[path]
    return "Airtel enquiry" if path.startswith(merchant.STATUS) else None
