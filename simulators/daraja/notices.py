"""The bodies of Daraja's callbacks, byte for byte as a utility receives them."""

import hashlib

from simulators.daraja.bank import Payment
from simulators.daraja.prompts import Push, Result


def stk_notice(push: Push, result: Result, *, wrong_by: int = 0) -> dict[str, object]:
    """Numbers are numbers, the amount a float, the balance has no value; a failure has no metadata at all.

    `wrong_by` shillings are added to the amount that it names.
    """
    callback: dict[str, object] = {
        "MerchantRequestID": push.merchant_id,
        "CheckoutRequestID": push.checkout_id,
        "ResultCode": result.code,
        "ResultDesc": result.text,
    }
    if result.payment:
        items: list[dict[str, object]] = [
            {"Name": "Amount", "Value": float(result.payment.amount + wrong_by)},
            {"Name": "MpesaReceiptNumber", "Value": result.payment.receipt},
            {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": int(f"{result.payment.paid_at:%Y%m%d%H%M%S}")},
            {"Name": "PhoneNumber", "Value": int(result.payment.phone)},
        ]
        callback["CallbackMetadata"] = {"Item": items}
    return {"Body": {"stkCallback": callback}}


def paybill_notice(
    payment: Payment, shortcode: str, *, third_party_id: str = "", hashed: bool = False, till: bool = False
) -> dict[str, object]:
    """Every value is a string. Version 2 masks the phone, version 1 (`hashed`) gives its SHA-256."""
    phone = payment.phone
    return {
        "TransactionType": "Buy Goods" if till else "Pay Bill",
        "TransID": payment.receipt,
        "TransTime": f"{payment.paid_at:%Y%m%d%H%M%S}",
        "TransAmount": f"{payment.amount}.00",
        "BusinessShortCode": shortcode,
        "BillRefNumber": "" if till else payment.account,
        "InvoiceNumber": "",
        "OrgAccountBalance": "" if payment.org_balance is None else f"{payment.org_balance}.00",
        "ThirdPartyTransID": third_party_id,
        "MSISDN": hashlib.sha256(phone.encode()).hexdigest() if hashed else f"{phone[:4]} ***** {phone[-3:]}",
        "FirstName": "DEMO",
        "MiddleName": "",
        "LastName": "",
    }
