"""The web application of the simulated Daraja."""

from flask import Flask, Response
from werkzeug.exceptions import MethodNotAllowed, NotFound

from simulators.daraja import c2b, control, oauth, operations, pull, stk
from simulators.daraja.errors import DarajaError
from simulators.daraja.keys import Keys
from simulators.daraja.limits import Limits
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.settings import DarajaSettings
from simulators.journal import watch

NAMES = {
    "/oauth/v1/generate": "Daraja token",
    "/mpesa/stkpush/v1/processrequest": "STK push",
    "/mpesa/stkpushquery/v1/query": "STK query",
    "/pulltransactions/v1/query": "Pull transactions",
    "/pulltransactions/v1/register": "Pull registration",
    "/mpesa/c2b/v1/registerurl": "URL registration",
    "/mpesa/c2b/v2/registerurl": "URL registration",
    "/mpesa/transactionstatus/v1/query": "Transaction status",
    "/mpesa/reversal/v1/request": "Reversal",
    "/mpesa/accountbalance/v1/query": "Account balance",
}


def create_daraja(settings: DarajaSettings) -> Flask:
    """One Daraja with its own wallets and book."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    mpesa, tokens, keys = Mpesa(settings), oauth.Tokens(), Keys(settings)
    limits = Limits(mpesa)
    watch(app, mpesa.journal, NAMES.get)
    app.register_blueprint(oauth.blueprint(settings, tokens))
    app.register_blueprint(stk.blueprint(mpesa, tokens, limits))
    app.register_blueprint(pull.blueprint(mpesa, tokens, limits))
    app.register_blueprint(c2b.blueprint(mpesa, tokens))
    app.register_blueprint(operations.blueprint(mpesa, tokens, keys))
    app.register_blueprint(control.blueprint(mpesa, tokens, keys))

    @app.errorhandler(DarajaError)
    def refused(error: DarajaError) -> Response:
        return error.response()

    @app.errorhandler(NotFound)
    def missing(_error: NotFound) -> Response:
        return DarajaError(404, "404.001.01", "Resource not found").response()

    @app.errorhandler(MethodNotAllowed)
    def wrong_method(_error: MethodNotAllowed) -> Response:
        return DarajaError(405, "405.001", "Method Not Allowed").response()

    return app
