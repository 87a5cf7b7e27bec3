"""STK push and STK query over HTTP."""

from flask import Blueprint, Response, g, jsonify, request

from simulators.daraja import errors, prompts
from simulators.daraja.checks import Body, check_merchant, read_push
from simulators.daraja.limits import Limits
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.oauth import Tokens
from simulators.serving import hang_up

ACCEPTED = "Success. Request accepted for processing"
LONGEST_WAIT_S = 10.0


def blueprint(mpesa: Mpesa, tokens: Tokens, limits: Limits) -> Blueprint:
    web = Blueprint("stk", __name__)

    @web.post("/mpesa/stkpush/v1/processrequest")
    def push() -> Response:
        body = _body(mpesa, tokens)
        accepted = read_push(body, mpesa.settings)
        g.exchange.phone = accepted.phone
        limits.check("push", accepted.phone)
        if mpesa.faults.strikes("broken", limits.about("broken", accepted.phone)):
            raise errors.DarajaError(*errors.INTERNAL)
        prompt = mpesa.push(accepted)
        if prompt is None:
            raise errors.DarajaError(*errors.LOCKED)
        if mpesa.faults.strikes("answer_after_callback", prompt.about):
            prompt.delivered.wait(LONGEST_WAIT_S)
        if mpesa.faults.strikes("answer_lost", prompt.about):
            hang_up()
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
        limits.check_queries()
        if prompt is None:
            raise errors.invalid("CheckoutRequestID")
        g.exchange.phone = prompt.push.phone
        limits.check("query", prompt.about)
        code, text = "4999", "The transaction is still under processing"
        if prompt.result is not None:
            denied = prompt.result.payment and mpesa.faults.strikes("query_denies", prompt.about)
            result = prompts.UNREACHABLE if denied else prompt.result
            code, text = str(result.code), result.text
        else:
            _undecided(mpesa.faults.shape(limits.about("shape", prompt.about)))
        return jsonify(
            ResponseCode="0",
            ResponseDescription="The service request has been accepted successsfully",
            MerchantRequestID=prompt.push.merchant_id,
            CheckoutRequestID=prompt.push.checkout_id,
            ResultCode=code,
            ResultDesc=text,
        )

    return web


def _undecided(shape: str) -> None:
    """Two of the three ways to say so are errors. Raises DarajaError."""
    if shape == "500":
        raise errors.DarajaError(*errors.PROCESSING)
    if shape == "400":
        raise errors.invalid("CheckoutRequestID")


def _body(mpesa: Mpesa, tokens: Tokens) -> Body:
    """The JSON object of an authorised request. Raises DarajaError."""
    tokens.check(request.headers.get("Authorization", ""))
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise errors.invalid("Request Body")
    check_merchant(body, mpesa.settings)
    return body
