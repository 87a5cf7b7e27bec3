"""The callbacks to measure with: every other one a push's outcome, the rest confirmations of the PayBill."""

import json

import psycopg

from benchmarks.customers import account_of, phone_of

ATTEMPTS = """
    INSERT INTO payment_intent (token, key, provider, reference, connection_id, phone, amount_minor, currency, state,
                                checkout_request_id, created_at, updated_at)
    SELECT lpad(at::text, 40, '0'), 'bench:' || at, 'mpesa', 'bench-' || at, 1000 + at %% %(customers)s,
           '+' || (254710000000 + at %% %(customers)s), 100 * (100 + at), 'KES', 'sent', 'ws_CO_' || at, now(), now()
    FROM generate_series(0, %(last)s, 2) at
"""


def attempts(connection: "psycopg.Connection[tuple[object, ...]]", letters: int, customers: int) -> None:
    """A prompt that is out for each even letter."""
    connection.execute(ATTEMPTS, {"customers": customers, "last": letters - 1})


def letter(at: int, customers: int, secret: str, shortcode: str) -> bytes:
    """Letter number `at` as a whole HTTP request."""
    body = json.dumps(_confirmation(at, customers, shortcode) if at % 2 else _outcome(at, customers))
    path = "paybill/confirmation" if at % 2 else f"stk/{at:040}"
    return (
        f"POST /callbacks/{secret}/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _outcome(at: int, customers: int) -> dict[str, object]:
    items = {
        "Amount": float(100 + at), "MpesaReceiptNumber": f"TKL{at:07}", "TransactionDate": 20261121102115,
        "PhoneNumber": int(phone_of(at % customers).lstrip("+")),
    }  # fmt: skip
    return {
        "Body": {
            "stkCallback": {
                "MerchantRequestID": f"29115-{at}-1", "CheckoutRequestID": f"ws_CO_{at}", "ResultCode": 0,
                "ResultDesc": "The service request is processed successfully.",
                "CallbackMetadata": {"Item": [{"Name": name, "Value": value} for name, value in items.items()]},
            }
        }
    }  # fmt: skip


def _confirmation(at: int, customers: int, shortcode: str) -> dict[str, object]:
    return {
        "TransactionType": "Pay Bill", "TransID": f"TKL{at:07}", "TransTime": "20261121102115",
        "TransAmount": f"{100 + at}.00", "BusinessShortCode": shortcode, "BillRefNumber": account_of(at % customers),
        "InvoiceNumber": "", "OrgAccountBalance": "25.00", "ThirdPartyTransID": "", "MSISDN": "2547 ***** 126",
        "FirstName": "AMINA", "MiddleName": "", "LastName": "",
    }  # fmt: skip
