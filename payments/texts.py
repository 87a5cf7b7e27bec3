"""What a customer is told about her payment, each within one SMS."""

from core.i18n import Text, _
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
