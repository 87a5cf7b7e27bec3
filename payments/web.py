"""The providers' callbacks: kept, committed, and only then answered; what they mean is worked out after."""

import hmac

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from billing.customers import find_connection
from core.config import settings
from core.database import transaction
from core.money import Money
from payments.forms import PaybillPayment, Unreadable, read_object, read_paybill
from payments.notices import store_notice
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
def confirmation() -> Answer:
    return _kept("paybill", None)


@callbacks.post("/paybill/validation")
def validation() -> Response:
    """May this payment be made? Answered within the 8 s that Daraja waits, from one indexed look-up."""
    try:
        code = _objection(read_paybill(_body()))
    except Unreadable:
        code = "C2B00016"
    if code is None:
        return jsonify(ResultCode="0", ResultDesc="Accepted")
    return jsonify(ResultCode=code, ResultDesc="Rejected")


def _objection(payment: PaybillPayment) -> str | None:
    """Daraja's code for why not: the short code, the amount or the account."""
    ours = settings()
    if payment.shortcode != ours.mpesa_shortcode:
        return "C2B00015"
    try:
        Money.of(payment.amount, ours.currency)
    except ValueError:
        return "C2B00013"
    with transaction() as session:
        return None if find_connection(session, payment.account) else "C2B00012"


def _kept(kind: str, token: str | None, provider: str = "mpesa") -> Answer:
    """Keep the notice whatever it is; only what is no JSON at all is refused, and kept even so."""
    body = _body()
    with transaction() as session:
        store_notice(
            session,
            kind,
            body,
            token=token,
            headers=dict(request.headers),
            remote_addr=request.remote_addr or "",
            provider=provider,
        )
    try:
        read_object(body)
    except Unreadable:
        return jsonify(ResultCode=1, ResultDesc="Not a JSON object"), 400
    return jsonify(ACCEPTED)


def _body() -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        abort(413)
