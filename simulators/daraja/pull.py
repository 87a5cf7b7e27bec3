"""Pull Transactions: what the paybill received, for those who missed the callback."""

import re
from datetime import datetime, timedelta

from flask import Blueprint, Response, jsonify, request

from simulators.daraja import errors
from simulators.daraja.bank import NAIROBI, Payment
from simulators.daraja.checks import is_callback_url, said
from simulators.daraja.limits import Limits
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.oauth import Tokens

ROWS = 100
"""Rows of one answer; the next ones are asked for with their offset."""
REACH = timedelta(hours=48)


def blueprint(mpesa: Mpesa, tokens: Tokens, limits: Limits) -> Blueprint:
    web = Blueprint("pull", __name__)
    registered = set[str]()

    @web.post("/pulltransactions/v1/register")
    def register() -> Response:
        tokens.check(request.headers.get("Authorization", ""))
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict) or said(body, "ShortCode") != mpesa.settings.shortcode:
            raise errors.invalid("ShortCode")
        if body.get("RequestType") != "Pull" or not re.fullmatch(r"254\d{9}", said(body, "NominatedNumber")):
            raise errors.invalid("NominatedNumber")
        if not is_callback_url(said(body, "CallBackURL")):
            raise errors.invalid("CallBackURL")
        code = "1001" if registered else "1000"
        registered.add(said(body, "NominatedNumber"))
        words = "ShortCode already Registered" if code == "1001" else "Success"
        return jsonify(ResponseRefID="18633-7271215-1", ResponseStatus=code, ResponseDescription=words)

    @web.post("/pulltransactions/v1/query")
    def pull() -> Response:
        tokens.check(request.headers.get("Authorization", ""))
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict) or str(body.get("ShortCode")) != mpesa.settings.shortcode:
            raise errors.invalid("ShortCode")
        limits.check("pull", "")
        begins, ends = _moment(body, "StartDate"), _moment(body, "EndDate")
        begins = max(begins, datetime.now(NAIROBI) - REACH)
        rows = [_row(payment) for payment in mpesa.bank.book() if begins <= payment.paid_at <= ends]
        offset = str(body.get("OffSetValue", "0"))
        page = rows[int(offset) :][:ROWS] if offset.isdigit() else []
        return jsonify(
            ResponseRefID="26178-42530161-2",
            ResponseCode="1000" if page else "1001",
            ResponseMessage="Success" if page else "No transactions",
            Response=[page],
        )

    return web


def _row(payment: Payment) -> dict[str, object]:
    return {
        "transactionId": payment.receipt,
        "trxDate": f"{payment.paid_at:%Y-%m-%dT%H:%M:%SZ}",
        "msisdn": payment.phone,
        "sender": "MPESA",
        "transactiontype": "c2b-pay-bill-debit",
        "billreference": payment.account,
        "amount": f"{payment.amount}.0",
        "organizationname": "Daraja Pull API Test",
    }


def _moment(body: dict[str, object], name: str) -> datetime:
    try:
        return datetime.strptime(str(body.get(name)), "%Y-%m-%d %H:%M:%S").replace(tzinfo=NAIROBI)
    except ValueError:
        raise errors.invalid(name) from None
