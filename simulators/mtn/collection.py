"""The Collections product over HTTP."""

import hmac
import re
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, g, jsonify, request

from simulators.momo.provider import Provider
from simulators.momo.requests import Ask, Ending
from simulators.momo.taking import take
from simulators.mtn import errors
from simulators.mtn.bodies import told
from simulators.mtn.errors import MtnError
from simulators.mtn.settings import MtnSettings
from simulators.mtn.users import Users

PAY = "/collection/v1_0/requesttopay"
NOT_TAKEN = {"exists": errors.EXISTS, "too_many": errors.TOO_MANY, "broken": errors.BROKEN}
FOREVER_S = 10.0**9
SANDBOX_NUMBERS: dict[str, tuple[Ending, float]] = {
    "46733123450": ("refused", 0.0),
    "46733123451": ("cancelled", 0.0),
    "46733123452": ("expired", 0.0),
    "46733123453": ("expired", FOREVER_S),
    "46733123454": ("paid", 25.0),
}
"""What the sandbox's own numbers do, and after how long; any other number of that block pays at once."""
SANDBOX_BLOCK = "46733123"


def blueprint(provider: Provider, settings: MtnSettings, users: Users) -> Blueprint:
    web = Blueprint("collection", __name__)

    @web.post("/collection/token/")
    def token() -> Response:
        _subscribed(settings)
        basic = request.authorization
        if basic is None or basic.type != "basic" or not users.knows(basic.username or "", basic.password or ""):
            raise MtnError(*errors.DENIED)
        issued = provider.tokens.issue()
        return jsonify({"access_token": issued, "token_type": "access_token", "expires_in": int(settings.token_s)})

    @web.post(PAY)
    def pay() -> Response:
        _allowed(provider, settings)
        ask = _read(settings, users)
        g.exchange.phone = ask.phone
        taken = take(provider, ask, _decided(ask.phone))
        if taken != "taken":
            raise MtnError(*NOT_TAKEN[taken])
        return Response(status=202)

    @web.get(f"{PAY}/<reference>")
    def status(reference: str) -> Response:
        _allowed(provider, settings)
        return jsonify(_status(provider, reference))

    @web.get("/collection/v1_0/accountholder/msisdn/<phone>/active")
    def active(phone: str) -> Response:
        _allowed(provider, settings)
        return jsonify(result=phone != "46733123450")

    return web


def _status(provider: Provider, reference: str) -> dict[str, object]:
    """Raises MtnError where it is asked too often, or was never heard of."""
    if provider.status_is_too_fast() or provider.strikes("too_many", f"status:{reference}"):
        raise MtnError(*errors.TOO_MANY)
    known = provider.requests.find(reference)
    if known is None:
        raise MtnError(*errors.NOT_FOUND)
    g.exchange.phone = known.ask.phone
    vague = known.ending is None and provider.strikes("vague_status", known.about)
    body = told(provider, known, known.ending, vague)
    if "reason" in body:  # an object here, a word in the callback: both have been seen
        body["reason"] = {"code": body["reason"], "message": ""}
    return body


def _decided(phone: str) -> tuple[Ending, float] | None:
    if not phone.startswith(SANDBOX_BLOCK):
        return None
    return SANDBOX_NUMBERS.get(phone, ("paid", 0.0))


def _subscribed(settings: MtnSettings) -> None:
    given = request.headers.get("Ocp-Apim-Subscription-Key", "")
    if not hmac.compare_digest(given.encode(), settings.subscription_key.encode()):
        raise MtnError(*errors.DENIED)


def _allowed(provider: Provider, settings: MtnSettings) -> None:
    """Raises MtnError unless key, token and environment are right."""
    _subscribed(settings)
    if not provider.tokens.good(request.headers.get("Authorization", "")):
        raise MtnError(*errors.DENIED)
    if request.headers.get("X-Target-Environment") != settings.target_environment:
        raise MtnError(*errors.WRONG_ENVIRONMENT)


def _read(settings: MtnSettings, users: Users) -> Ask:
    """The request to pay of headers and body. Raises MtnError for the first thing that is wrong."""
    reference, callback_url = request.headers.get("X-Reference-Id", ""), request.headers.get("X-Callback-Url", "")
    try:
        is_v4 = UUID(reference).version == 4
    except ValueError:
        is_v4 = False
    if not is_v4:
        raise errors.invalid("X-Reference-Id")
    if callback_url and not users.may_call(urlsplit(callback_url).hostname or ""):
        raise MtnError(*errors.WRONG_HOST)
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise errors.invalid("The body")
    payer = body.get("payer")
    phone = str(payer.get("partyId", "")) if isinstance(payer, dict) else ""
    if not isinstance(payer, dict) or payer.get("partyIdType") != "MSISDN" or not re.fullmatch(r"\d{9,15}", phone):
        raise errors.invalid("payer")
    if body.get("currency") != settings.currency:
        raise MtnError(*errors.WRONG_CURRENCY)
    external = body.get("externalId")
    if not isinstance(external, str) or not external or " " in external:
        raise errors.invalid("externalId")
    return Ask(reference, phone, _amount(body.get("amount")), str(body.get("payerMessage", "")), callback_url, external)


def _amount(said: object) -> Decimal:
    try:
        amount = Decimal(said) if isinstance(said, str) else Decimal(0)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise errors.invalid("amount")
    return amount
