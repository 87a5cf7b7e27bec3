"""The bodies of Daraja's callbacks, byte for byte as a utility receives them."""

from simulators.daraja.bank import Payment
from simulators.daraja.prompts import Push, Result


def stk_notice(push: Push, result: Result) -> dict[str, object]:
    """Numbers are numbers, the amount a float, the balance has no value; a failure has no metadata at all."""
    callback: dict[str, object] = {
        "MerchantRequestID": push.merchant_id,
        "CheckoutRequestID": push.checkout_id,
        "ResultCode": result.code,
        "ResultDesc": result.text,
    }
    if result.payment:
        items: list[dict[str, object]] = [
            {"Name": "Amount", "Value": float(result.payment.amount)},
            {"Name": "MpesaReceiptNumber", "Value": result.payment.receipt},
            {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": int(f"{result.payment.paid_at:%Y%m%d%H%M%S}")},
            {"Name": "PhoneNumber", "Value": int(result.payment.phone)},
        ]
        callback["CallbackMetadata"] = {"Item": items}
    return {"Body": {"stkCallback": callback}}


def paybill_notice(payment: Payment, shortcode: str, third_party_id: str = "") -> dict[str, object]:
    """Version 2, with the phone masked; every value is a string."""
    return {
        "TransactionType": "Pay Bill",
        "TransID": payment.receipt,
        "TransTime": f"{payment.paid_at:%Y%m%d%H%M%S}",
        "TransAmount": f"{payment.amount}.00",
        "BusinessShortCode": shortcode,
        "BillRefNumber": payment.account,
        "InvoiceNumber": "",
        "OrgAccountBalance": "" if payment.org_balance is None else f"{payment.org_balance}.00",
        "ThirdPartyTransID": third_party_id,
        "MSISDN": f"{payment.phone[:4]} ***** {payment.phone[-3:]}",
        "FirstName": "DEMO",
        "MiddleName": "",
        "LastName": "",
    }
