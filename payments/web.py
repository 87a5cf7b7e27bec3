"""The providers' callbacks: kept, committed, and only then answered; what they mean is worked out after."""

import hmac

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from core.config import settings
from core.database import transaction
from payments.forms import Unreadable, read_object
from payments.notices import store_notice
from payments.validation import objection
from payments.wallets.registry import wallets

callbacks = Blueprint("callbacks", __name__, url_prefix="/callbacks/<secret>")
LARGEST_BODY = 64 * 1024
Answer = Response | tuple[Response, int]
ACCEPTED = {"ResultCode": 0, "ResultDesc": "Accepted"}


@callbacks.before_request
def guard() -> None:
    """The secret in the address is all that authenticates a callback; a wrong one learns nothing."""
    request.max_content_length = LARGEST_BODY
    given = request.view_args or {}
    said, provider = given.pop("secret", ""), given.get("provider", "mpesa")
    if provider not in wallets() and provider != "mpesa":
        abort(404)
    if not any(hmac.compare_digest(said.encode(), known.encode()) for known in settings().secrets_of(provider)):
        abort(404)


@callbacks.post("/stk/<token>")
def push_outcome(token: str) -> Answer:
    return _kept("stk", token[:100].replace("\0", "?"))  # no text of the database holds a NUL


@callbacks.route("/wallet/<provider>", methods=["POST", "PUT"])
@callbacks.route("/wallet/<provider>/<token>", methods=["POST", "PUT"])
def outcome(provider: str, token: str | None = None) -> Answer:
    """A wallet's callback; MTN sends it by PUT or POST. It is the wallet's own status that is entered."""
    return _kept("wallet", token and token[:100].replace("\0", "?"), provider)


@callbacks.post("/paybill/confirmation")
def confirmation() -> Response:
    """The money is ours already, so there is nothing to refuse: whatever it says is kept, and taken."""
    _keep("paybill", None, "mpesa", _body())
    return jsonify(ACCEPTED)


@callbacks.post("/result/<token>")
def result(token: str) -> Answer:
    """What became of an operation: status, reversal, balance."""
    return _kept("result", token[:100].replace("\0", "?"))


@callbacks.post("/late/<token>")
def late(token: str) -> Answer:
    """An operation has waited too long in M-Pesa's queue."""
    return _kept("late", token[:100].replace("\0", "?"))


@callbacks.post("/paybill/validation")
def validation() -> Response:
    """May this payment be made?"""
    code = objection(_body())
    return jsonify(ResultCode=code or "0", ResultDesc="Rejected" if code else "Accepted")


def _kept(kind: str, token: str | None, provider: str = "mpesa") -> Answer:
    """Keep the notice whatever it is; only what is no JSON at all is refused, and kept even so."""
    body = _body()
    _keep(kind, token, provider, body)
    try:
        read_object(body)
    except Unreadable:
        return jsonify(ResultCode=1, ResultDesc="Not a JSON object"), 400
    return jsonify(ACCEPTED)


def _keep(kind: str, token: str | None, provider: str, body: bytes) -> None:
    """Commit a notice as it came."""
    headers, remote_addr = dict(request.headers), request.remote_addr or ""
    with transaction() as session:
        store_notice(session, kind, body, token=token, headers=headers, remote_addr=remote_addr, provider=provider)


def _body() -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        abort(413)
