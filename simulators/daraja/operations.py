"""Transaction status, reversal and account balance: taken at once, answered at the ResultURL in a while."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from simulators.daraja import errors
from simulators.daraja.bank import NAIROBI, Payment
from simulators.daraja.checks import Body, is_callback_url, said
from simulators.daraja.keys import Keys
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.oauth import Tokens

Outcome = tuple[object, str, str, dict[str, object]]
"""Result code, its words, the receipt, the parameters."""
DONE = "The service request is processed successfully."
WRONG_INITIATOR: Outcome = (2001, "The initiator information is invalid.", "", {})
COMMANDS = {
    "/mpesa/transactionstatus/v1/query": "TransactionStatusQuery",
    "/mpesa/reversal/v1/request": "TransactionReversal",
    "/mpesa/accountbalance/v1/query": "AccountBalance",
}


def blueprint(mpesa: Mpesa, tokens: Tokens, keys: Keys) -> Blueprint:
    web = Blueprint("operations", __name__)

    def taken(body: Body, act: Callable[[], Outcome]) -> Response:
        """Answer at once, and send the result to its URL."""
        conversation = f"AG_{datetime.now(NAIROBI):%Y%m%d}_{errors.request_id()}"
        originator = errors.request_id()
        genuine = said(body, "Initiator") == mpesa.settings.initiator and keys.opens(said(body, "SecurityCredential"))
        code, text, receipt, parameters = act() if genuine else WRONG_INITIATOR
        result: dict[str, object] = {
            "ResultType": 0, "ResultCode": code, "ResultDesc": text, "OriginatorConversationID": originator,
            "ConversationID": conversation, "TransactionID": receipt or "0000000000",
        }  # fmt: skip
        if parameters:
            listed = [{"Key": name, "Value": value} for name, value in parameters.items()]
            result["ResultParameters"] = {"ResultParameter": listed}
        mpesa.callbacks.send(f"{body['CommandID']} result", said(body, "ResultURL"), {"Result": result})
        return jsonify(
            OriginatorConversationID=originator,
            ConversationID=conversation,
            ResponseCode="0",
            ResponseDescription="Accept the service request successfully.",
        )

    @web.post("/mpesa/transactionstatus/v1/query")
    def status() -> Response:
        body = _read(mpesa, tokens, "PartyA", "4")
        return taken(body, lambda: _status(mpesa.bank.find(said(body, "TransactionID"))))

    @web.post("/mpesa/reversal/v1/request")
    def reversal() -> Response:
        body = _read(mpesa, tokens, "ReceiverParty", "11")
        return taken(body, lambda: _reverse(mpesa, said(body, "TransactionID"), said(body, "Amount")))

    @web.post("/mpesa/accountbalance/v1/query")
    def balance() -> Response:
        return taken(_read(mpesa, tokens, "PartyA", "4"), lambda: _balance(mpesa.bank.holds()))

    return web


def _read(mpesa: Mpesa, tokens: Tokens, party: str, kind: str) -> Body:
    """The body of an authorised request for our short code. Raises DarajaError."""
    tokens.check(request.headers.get("Authorization", ""))
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict) or body.get("CommandID") != COMMANDS[request.path]:
        raise errors.invalid("CommandID")
    if said(body, party) != mpesa.settings.shortcode:
        raise errors.invalid(party)
    identifier = "RecieverIdentifierType" if party == "ReceiverParty" else "IdentifierType"  # misspelt as at Daraja
    if said(body, identifier) != kind:
        raise errors.invalid(identifier)
    for name in ("ResultURL", "QueueTimeOutURL"):
        if not is_callback_url(said(body, name)):
            raise errors.invalid(name)
    if not said(body, "Remarks"):
        raise errors.invalid("Remarks")
    return body


def _status(payment: Payment | None) -> Outcome:
    if payment is None:
        return "R000002", "The OriginalTransactionID is invalid.", "", {}
    return 0, DONE, payment.receipt, {
        "ReceiptNo": payment.receipt, "TransactionStatus": "Completed", "Amount": f"{payment.amount}.0",
        "DebitPartyName": f"{payment.phone} - DEMO", "FinalisedTime": f"{payment.paid_at:%Y%m%d%H%M%S}",
        "ReasonType": "Pay Bill Online", "DebitPartyCharges": "",
    }  # fmt: skip


def _reverse(mpesa: Mpesa, receipt: str, amount: str) -> Outcome:
    known = mpesa.bank.find(receipt)
    if known is None or amount.removesuffix(".00") != str(known.amount):
        return "R000002", "The OriginalTransactionID is invalid.", "", {}
    given_back = mpesa.bank.reverse(receipt)
    if given_back is None:
        return "R000001", "The transaction has already been reversed.", "", {}
    number = mpesa.bank.draft(known.phone, known.amount, known.account).receipt
    return 0, DONE, number, {
        "Amount": f"{known.amount}.0", "OriginalTransactionID": receipt, "Charge": "0.00",
        "CreditPartyPublicName": f"{known.phone} - DEMO", "DebitPartyPublicName": mpesa.settings.business_name,
    }  # fmt: skip


def _balance(holds: int) -> Outcome:
    said = f"Working Account|KES|0.00|0.00|0.00|0.00&Utility Account|KES|{holds}.00|{holds}.00|0.00|0.00"
    return 0, DONE, "", {"AccountBalance": said, "BOCompletedTime": f"{datetime.now(NAIROBI):%Y%m%d%H%M%S}"}
