"""What a customer is told about her payment, each within one SMS."""

from core.config import settings
from core.i18n import Text, _
from core.message_templates import template
from core.money import Money


def receipt_text(amount: Money, account_no: str, receipt: str, balance: Money) -> Text:
    """Thanks, with the receipt and what is left to pay."""
    if balance.minor > 0:
        left = _("You still owe {owed}.", owed=balance)
    elif balance.minor < 0:
        left = _("You have {credit} in credit.", credit=-balance)
    else:
        left = _("You owe nothing.")
    return _(
        "Received {amount} for connection {account}. M-Pesa receipt {receipt}. {left} Thank you.",
        amount=amount,
        account=account_no,
        receipt=receipt,
        left=left,
    )


def failure_text(code: str, amount: Money, account_no: str, paybill: str) -> Text:
    """Why nothing was paid, in plain words, and what to do (Daraja result codes)."""
    match code:
        case "1":
            return _("Nothing was paid: your M-Pesa balance is too low for {amount}.", amount=amount)
        case "1032":
            return _("Nothing was paid: you cancelled the payment of {amount}.", amount=amount)
        case "2001":
            return _("Nothing was paid: the M-Pesa PIN was wrong. Dial again to try once more.")
        case "17":
            return _("M-Pesa takes the same amount only once in 2 minutes. Please wait, then check your balance first.")
        case "1037" | "1019":
            return _(
                "Nothing was paid: M-Pesa got no answer. Dial again, or use PayBill {paybill}, account {account}.",
                paybill=paybill,
                account=account_no,
            )
        case _:
            return _(
                "Nothing was paid. Try again later, or use PayBill {paybill}, account {account}.",
                paybill=paybill,
                account=account_no,
            )


ACCOUNT, RECEIPT = "1000015", "NLJ7RT61SV"  # as long as they are


def _most() -> Money:
    return Money.of("250000", settings().currency)  # what M-Pesa takes at once


def _owed() -> Money:
    return Money.of("1234567.89", settings().currency)


def _failed(code: str) -> Text:
    return failure_text(code, _most(), ACCOUNT, settings().mpesa_shortcode)


template("receipt", "Receipt of a payment", lambda: receipt_text(_most(), ACCOUNT, RECEIPT, _owed()))
template("failed_balance", "Payment failed: too little on M-Pesa", lambda: _failed("1"))
template("failed_cancelled", "Payment failed: cancelled on the phone", lambda: _failed("1032"))
template("failed_pin", "Payment failed: wrong M-Pesa PIN", lambda: _failed("2001"))
template("failed_repeated", "Payment failed: same amount twice in 2 minutes", lambda: _failed("17"))
template("failed_silent", "Payment failed: M-Pesa got no answer", lambda: _failed("1037"))
template("failed", "Payment failed: anything else", lambda: _failed(""))
