"""A receipt once more: picked from the last ones and sent by SMS, or asked for in an SMS."""

from core.i18n import Text, _
from flows.actions import Actions
from flows.bill import no_payment, paid_text
from flows.talk import End, Talk, call, choose
from flows.values import Caller, ReceiptLine


def by_menu(caller: Caller, account_no: str) -> Talk[End]:
    """The last receipts to pick from; the one that she picks comes by SMS."""
    lines = yield from call(Actions.receipts, account_no)
    if not lines:
        return End(no_payment(account_no))
    shown = {line.number: Text("{day} {amount}", {"day": line.on, "amount": line.amount}) for line in lines}
    number = yield from choose(_("Receipt by SMS"), shown, key="receipt")
    yield from call(Actions.send_receipt, account_no, number)
    return End(_("We will SMS you the receipt {receipt}.", receipt=number))


def by_keyword(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    """The newest receipt, or the one of that number, as the answer itself."""
    number = "".join(rest.upper().split())
    if not number:
        lines = yield from call(Actions.receipts, account_no)
        return End(_said(account_no, lines[0]) if lines else no_payment(account_no))
    line = yield from call(Actions.find_receipt, account_no, number)
    if line is None:
        return End(_("We know no receipt {receipt} for connection {account}.", receipt=number[:20], account=account_no))
    return End(_said(account_no, line))


def _said(account_no: str, line: ReceiptLine) -> Text:
    return paid_text(account_no, line.amount, line.on, line.number)
