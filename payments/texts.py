"""What a customer is told about her payment, each within one SMS."""

from core.config import settings
from core.i18n import Text, _
from core.message_templates import template
from core.money import Money
from payments.wallets.protocol import Cause

OFFICE = "office"
WALLETS = {"mpesa": "M-Pesa", "mtn": "MoMo", "airtel": "Airtel"}
"""How customers call the wallets, in as few letters as may be."""


def receipt_text(amount: Money, account_no: str, receipt: str, balance: Money, wallet: str = "mpesa") -> Text:
    """Thanks, with the receipt of a wallet (or of our OFFICE) and what is left to pay."""
    left = balance_text(balance)
    if wallet == OFFICE:
        return _("Received {amount} for connection {account}. Our receipt {receipt}. {left} Thank you.",
                 amount=amount, account=account_no, receipt=receipt, left=left)  # fmt: skip
    return _("Received {amount} for connection {account}. {wallet} receipt {receipt}. {left} Thank you.",
             amount=amount, account=account_no, receipt=receipt, left=left,
             wallet=WALLETS.get(wallet, wallet.upper()))  # fmt: skip


def balance_text(balance: Money) -> Text:
    """What is left to pay after it."""
    if balance.minor > 0:
        return _("You still owe {owed}.", owed=balance)
    return _("You have {credit} in credit.", credit=-balance) if balance.minor < 0 else _("You owe nothing.")


def failure_text(cause: Cause, amount: Money, account_no: str, paybill: str, wallet: str = "mpesa") -> Text:
    """Why nothing was paid, in plain words, and what to do; `paybill` is "" where the utility has none."""
    label = WALLETS.get(wallet, wallet.upper())
    said: dict[Cause, Text] = {
        "funds": _("Nothing was paid: your {wallet} balance is too low for {amount}.", wallet=label, amount=amount),
        "cancelled": _("Nothing was paid: you cancelled the payment of {amount}.", amount=amount),
        "pin": _("Nothing was paid: the {wallet} PIN was wrong. Dial again to try once more.", wallet=label),
        "blocked": _("Nothing was paid: your {wallet} PIN is locked. Please call {wallet} to unlock it.", wallet=label),
        "limit": _("Nothing was paid: {wallet} does not take {amount} from you now.", wallet=label, amount=amount),
        "no_wallet": _("Nothing was paid: this number has no {wallet}. Dial again and choose another.", wallet=label),
        "busy": _("Nothing was paid: your phone was busy. Close other menus, wait 3 minutes and dial again."),
        "repeated": _(
            "{wallet} takes the same amount only once in 2 minutes. Please wait, then check your balance first.",
            wallet=label,
        ),
    }
    return said.get(cause) or _try_otherwise(cause, account_no, paybill, label)


def _try_otherwise(cause: Cause, account_no: str, paybill: str, label: str) -> Text:
    """Where nobody knows why: later, or by the PayBill where there is one."""
    if cause == "silent" and not paybill:
        return _("Nothing was paid: {wallet} got no answer. Dial again.", wallet=label)
    if cause == "silent":
        return _(
            "Nothing was paid: {wallet} got no answer. Dial again, or use PayBill {paybill}, account {account}.",
            wallet=label,
            paybill=paybill,
            account=account_no,
        )
    if not paybill:
        return _("Nothing was paid. Please try again later.")
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


def _failed(cause: Cause) -> Text:
    return failure_text(cause, _most(), ACCOUNT, settings().mpesa_shortcode)


template("receipt", "Receipt of a payment by phone", lambda: receipt_text(_most(), ACCOUNT, RECEIPT, _owed()))
template("receipt_office", "Receipt of a payment at the office",
         lambda: receipt_text(_most(), ACCOUNT, "HQ-000123", _owed(), OFFICE))  # fmt: skip
template("failed_balance", "Payment failed: too little in the wallet", lambda: _failed("funds"))
template("failed_cancelled", "Payment failed: cancelled on the phone", lambda: _failed("cancelled"))
template("failed_pin", "Payment failed: wrong PIN of the wallet", lambda: _failed("pin"))
template("failed_blocked", "Payment failed: the wallet's PIN is locked", lambda: _failed("blocked"))
template("failed_limit", "Payment failed: beyond a limit of the wallet", lambda: _failed("limit"))
template("failed_no_wallet", "Payment failed: the number has no such wallet", lambda: _failed("no_wallet"))
template("failed_busy", "Payment failed: the phone was busy", lambda: _failed("busy"))
template("failed_repeated", "Payment failed: same amount twice in 2 minutes", lambda: _failed("repeated"))
template("failed_silent", "Payment failed: the wallet got no answer", lambda: _failed("silent"))
template("failed", "Payment failed: anything else", lambda: _failed("other"))
