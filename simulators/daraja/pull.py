"""Pull Transactions: what the paybill received, for those who missed the callback."""

from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from simulators.daraja import errors
from simulators.daraja.bank import NAIROBI, Payment
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.oauth import Tokens

ROWS = 100
"""Rows of one answer; the next ones are asked for with their offset."""


def blueprint(mpesa: Mpesa, tokens: Tokens) -> Blueprint:
    web = Blueprint("pull", __name__)

    @web.post("/pulltransactions/v1/query")
    def pull() -> Response:
        tokens.check(request.headers.get("Authorization", ""))
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict) or str(body.get("ShortCode")) != mpesa.settings.shortcode:
            raise errors.invalid("ShortCode")
        begins, ends = _moment(body, "StartDate"), _moment(body, "EndDate")
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
