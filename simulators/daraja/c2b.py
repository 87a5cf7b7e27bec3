"""C2B: where a short code's payments are announced."""

from flask import Blueprint, Response, jsonify, request

from simulators.daraja import errors
from simulators.daraja.callbacks import Urls
from simulators.daraja.checks import is_callback_url, said
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.oauth import Tokens

RESPONSE_TYPES = ("Completed", "Cancelled")  # in sentence case, or they are refused


def blueprint(mpesa: Mpesa, tokens: Tokens) -> Blueprint:
    web = Blueprint("c2b", __name__)

    @web.post("/mpesa/c2b/<version>/registerurl")
    def register(version: str) -> Response:
        tokens.check(request.headers.get("Authorization", ""))
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict) or said(body, "ShortCode") != mpesa.settings.shortcode:
            raise errors.invalid("ShortCode")
        if body.get("ResponseType") not in RESPONSE_TYPES:
            raise errors.invalid("ResponseType")
        for name in ("ConfirmationURL", "ValidationURL"):
            if not is_callback_url(said(body, name)):
                raise errors.invalid(name)
        urls = Urls(
            said(body, "ValidationURL"),
            said(body, "ConfirmationURL"),
            completes=body["ResponseType"] == "Completed",
            hashed=version == "v1",
        )
        if not mpesa.callbacks.register(urls):
            raise errors.DarajaError(*errors.REGISTERED)
        return jsonify(OriginatorCoversationID=errors.request_id(), ResponseCode="0", ResponseDescription="Success")

    return web
