"""STK push and STK query over HTTP."""

from flask import Blueprint, Response, g, jsonify, request

from simulators.daraja import errors
from simulators.daraja.checks import Body, check_merchant, read_push
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.oauth import Tokens

ACCEPTED = "Success. Request accepted for processing"


def blueprint(mpesa: Mpesa, tokens: Tokens) -> Blueprint:
    web = Blueprint("stk", __name__)

    @web.post("/mpesa/stkpush/v1/processrequest")
    def push() -> Response:
        body = _body(mpesa, tokens)
        accepted = read_push(body, mpesa.settings)
        g.exchange.phone = accepted.phone
        if not mpesa.push(accepted):
            raise errors.DarajaError(*errors.LOCKED)
        return jsonify(
            MerchantRequestID=accepted.merchant_id,
            CheckoutRequestID=accepted.checkout_id,
            ResponseCode="0",
            ResponseDescription=ACCEPTED,
            CustomerMessage=ACCEPTED,
        )

    @web.post("/mpesa/stkpushquery/v1/query")
    def query() -> Response:
        body = _body(mpesa, tokens)
        prompt = mpesa.prompts.find(str(body.get("CheckoutRequestID")))
        if prompt is None:
            raise errors.invalid("CheckoutRequestID")
        g.exchange.phone = prompt.push.phone
        code, text = "4999", "The transaction is still under processing"
        if prompt.result is not None:
            code, text = str(prompt.result.code), prompt.result.text
        elif mpesa.faults.pending_shape == "500":
            raise errors.DarajaError(*errors.PROCESSING)
        elif mpesa.faults.pending_shape == "400":
            raise errors.invalid("CheckoutRequestID")
        return jsonify(
            ResponseCode="0",
            ResponseDescription="The service request has been accepted successsfully",
            MerchantRequestID=prompt.push.merchant_id,
            CheckoutRequestID=prompt.push.checkout_id,
            ResultCode=code,
            ResultDesc=text,
        )

    return web


def _body(mpesa: Mpesa, tokens: Tokens) -> Body:
    """The JSON object of an authorised request. Raises DarajaError."""
    tokens.check(request.headers.get("Authorization", ""))
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise errors.invalid("Request Body")
    check_merchant(body, mpesa.settings)
    return body
