"""Airtel's API over HTTP: token, payment, enquiry, refund."""

import hmac
import re
from decimal import Decimal

from flask import Blueprint, Response, g, jsonify, request

from simulators.airtel.bodies import OK, envelope, status_of
from simulators.airtel.settings import AirtelSettings
from simulators.momo.provider import Provider
from simulators.momo.requests import Ask
from simulators.momo.taking import take

PAY, STATUS, REFUND = "/merchant/v1/payments/", "/standard/v1/payments/", "/standard/v1/payments/refund"
Answer = tuple[Response, int]


def blueprint(provider: Provider, settings: AirtelSettings) -> Blueprint:
    web = Blueprint("merchant", __name__)

    @web.post("/auth/oauth2/token")
    def token() -> Answer:
        said = _body()
        given = f"{said.get('client_id')}:{said.get('client_secret')}".encode()
        right = hmac.compare_digest(given, f"{settings.client_id}:{settings.client_secret}".encode())
        if not right or said.get("grant_type") != "client_credentials":
            return jsonify(error="invalid_client", error_description="Client authentication failed"), 401
        issued, lives = provider.tokens.issue(), str(int(settings.token_s))
        return jsonify({"access_token": issued, "expires_in": lives, "token_type": "bearer"}), 200

    @web.post(PAY)
    def pay() -> Answer:
        return _refused(provider, settings) or _pay(provider, settings)

    @web.get(f"{STATUS}<reference>")
    def enquire(reference: str) -> Answer:
        return _refused(provider, settings) or _enquire(provider, reference)

    @web.post(REFUND)
    def refund() -> Answer:
        return _refused(provider, settings) or _refund(provider)

    return web


def _pay(provider: Provider, settings: AirtelSettings) -> Answer:
    ask = _read(_body(), settings)
    if isinstance(ask, str):
        return _no(400, "ESB000008", "1004", ask)
    g.exchange.phone = ask.phone
    match take(provider, ask):
        case "too_many":
            return _too_many()
        case "broken":
            return _no(500, "ESB000001", "1000", "Something went wrong")
        case "exists":
            return _no(400, "ESB000041", "1000", "External Transaction ID already exists")
    return jsonify(envelope(*OK, {"id": ask.reference, "status": "SUCCESS"})), 200


def _enquire(provider: Provider, reference: str) -> Answer:
    if provider.status_is_too_fast() or provider.strikes("too_many", f"status:{reference}"):
        return _too_many()
    known = provider.requests.find(reference)
    if known is None:
        return _no(200, "ESB000010", "1025", "Transaction not found")
    g.exchange.phone = known.ask.phone
    vague = known.ending is None and provider.strikes("vague_status", known.about)
    return jsonify(status_of(known, vague=vague)), 200


def _refund(provider: Provider) -> Answer:
    transaction = _body().get("transaction")
    number = str(transaction.get("airtel_money_id", "")) if isinstance(transaction, dict) else ""
    if not provider.give_back(number):
        return _no(200, "ESB000008", "1025", "Transaction not found, or refunded before")
    done: dict[str, object] = {"airtel_money_id": number, "status": "SUCCESS"}
    return jsonify(envelope("200", "SUCCESS", "ESB000010", "1001", True, done)), 200


def _too_many() -> Answer:
    return jsonify(error="Rate limit exceeded"), 429


def _refused(provider: Provider, settings: AirtelSettings) -> Answer | None:
    """The answer to a request whose token or headers are wrong."""
    if not provider.tokens.good(request.headers.get("Authorization", "")):
        return jsonify(error="invalid_token", error_description="The access token is invalid or has expired"), 401
    place = (request.headers.get("X-Country"), request.headers.get("X-Currency"))
    return None if place == (settings.country, settings.currency) else _no(400, "ESB000034", "1004", "Invalid country")


def _no(http: int, result: str, response: str, message: str) -> Answer:
    return jsonify(envelope(str(http), message, result, response, False)), http


def _body() -> dict[str, object]:
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _read(body: dict[str, object], settings: AirtelSettings) -> Ask | str:
    """The payment that is asked for, or what is wrong with it. Numbers come without the country's code."""
    subscriber, transaction = body.get("subscriber"), body.get("transaction")
    if not isinstance(subscriber, dict) or not isinstance(transaction, dict):
        return "subscriber and transaction are required"
    national, reference, amount = subscriber.get("msisdn"), transaction.get("id"), transaction.get("amount")
    if not isinstance(national, str) or not re.fullmatch(r"[1-9]\d{6,11}", national):
        return "Invalid msisdn"
    if not isinstance(reference, str) or not re.fullmatch(r"[A-Za-z0-9-]{5,64}", reference):
        return "Invalid transaction id"
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0:
        return "Invalid amount"
    if subscriber.get("country") != settings.country or transaction.get("currency") != settings.currency:
        return "Invalid country or currency"
    phone = f"{settings.country_code}{national}"
    return Ask(reference, phone, Decimal(str(amount)), str(body.get("reference", "")), settings.callback_url)
