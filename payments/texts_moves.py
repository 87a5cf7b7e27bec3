"""What a customer is told when money moves after it came, each within one SMS."""

from core.config import settings
from core.i18n import Text, _
from core.message_templates import template
from core.money import Money
from payments.texts import balance_text


def moved_text(amount: Money, account_no: str, receipt: str, balance: Money) -> Text:
    """It was put to her account in error."""
    return _("{amount} of receipt {receipt} came to connection {account} by mistake and was moved. {left}",
             amount=amount, receipt=receipt, account=account_no, left=balance_text(balance))  # fmt: skip


def refunded_text(amount: Money, receipt: str, balance: Money | None) -> Text:
    """It is on its way back to her; `balance` is her account's after it, where it had one."""
    if balance is None:
        return _("We give you back {amount} of receipt {receipt}.", amount=amount, receipt=receipt)
    return _("We give you back {amount} of receipt {receipt}. {left}",
             amount=amount, receipt=receipt, left=balance_text(balance))  # fmt: skip


def bounced_text(amount: Money, account_no: str, cheque: str, balance: Money) -> Text:
    """Her cheque was no money."""
    return _("Your bank did not pay cheque {cheque} of {amount} for connection {account}. {left}",
             cheque=cheque, amount=amount, account=account_no, left=balance_text(balance))  # fmt: skip


def _most() -> Money:
    return Money.of("250000", settings().currency)


def _owed() -> Money:
    return Money.of("1234567.89", settings().currency)


template("moved", "Payment moved to its right account", lambda: moved_text(_most(), "1000015", "NLJ7RT61SV", _owed()))
template("refunded", "Money given back", lambda: refunded_text(_most(), "NLJ7RT61SV", _owed()))
template("bounced", "Cheque not paid", lambda: bounced_text(_most(), "1000015", "00012345", _owed()))
