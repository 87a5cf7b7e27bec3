"""Pay by M-Pesa: the bill, or any amount."""

from decimal import ROUND_CEILING
from functools import partial

from core.i18n import _
from core.money import Money
from flows.actions import Actions, Caller
from flows.answers import amount as whole_amount
from flows.talk import End, Talk, ask, call, choose, confirm


def pay(caller: Caller, account_no: str) -> Talk[End]:
    bill = yield from call(Actions.current_bill, account_no)
    full = shillings_up(bill.owed)
    how = "part"
    if full.minor > 0:
        how = yield from choose(
            _("Connection {account}\nYou owe {owed}. Pay:", account=account_no, owed=bill.owed),
            {"full": _("{owed} (all)", owed=full), "part": _("Another amount")},
        )
    paid = full
    if how == "part":
        amount_in = partial(whole_amount, currency=full.currency)
        paid = yield from ask(_("Amount in {currency}:", currency=full.currency), amount_in, "amount")
    if not (yield from confirm(_("Pay {amount} for {account} from {phone}?", amount=paid, account=account_no,
                                 phone=caller.phone))):  # fmt: skip
        return End(_("Nothing was paid."))
    return (yield from request(caller, account_no, paid))


def request(caller: Caller, account_no: str, amount: Money) -> Talk[End]:
    """Have the prompt sent to her phone; her PIN there is the real yes."""
    result = yield from call(Actions.request_payment, account_no, amount, caller.phone)
    if result.kind == "requested":
        return End(_("Enter your M-Pesa PIN when asked. We will SMS your receipt."))
    if result.reason == "duplicate_recent":
        return End(_("You asked to pay {amount} just now. Please wait 2 minutes before you try again.", amount=amount))
    return End(_("We could not ask M-Pesa for {amount}. Please try again later.", amount=amount))


def shillings_up(owed: Money) -> Money:
    """M-Pesa moves whole units only, so cents are paid as the next whole one; the rest stays as credit."""
    return Money.of(owed.major.to_integral_value(ROUND_CEILING), owed.currency)
