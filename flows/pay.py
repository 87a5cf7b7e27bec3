"""Pay by mobile money: the bill or any amount, for herself or another, from this phone or another."""

from decimal import ROUND_CEILING
from functools import partial

from core.i18n import _
from core.money import Money
from core.phone import Phone
from flows import pin
from flows.actions import Actions, Caller
from flows.answers import account_number, phone_number
from flows.answers import amount as whole_amount
from flows.talk import End, Talk, ask, call, choose_or, confirm, resumable


def pay(caller: Caller, account_no: str) -> Talk[End]:
    """An amount typed instead of an option is paid as well, so *384*7*2*500# comes to the question at once."""
    yield from resumable("ask")
    bill = yield from call(Actions.current_bill, account_no)
    full = shillings_up(bill.owed)
    question, options = _("Connection {account}\nPay:", account=account_no), {"part": _("Another amount")}
    if full.minor > 0:
        question = _("Connection {account}\nYou owe {owed}. Pay:", account=account_no, owed=bill.owed)
        options = {"full": _("{owed} (all)", owed=full)} | options
    options |= {"other": _("Another account"), "phone": _("From another phone")}
    amount_in = partial(whole_amount, currency=caller.currency)
    how = yield from choose_or(question, options, amount_in, "amount")
    if how == "other":
        return (yield from pay_for_another(caller))
    phone = caller.phone
    if how == "phone":
        if (barred := (yield from pin.asked(caller))) is not None:
            return barred
        phone = yield from ask(_("Phone to pay from:"), partial(phone_number, near=caller.phone), "phone")
    if isinstance(how, Money):
        paid = how
    elif how == "full":
        paid = full
    else:
        paid = yield from ask(_("Amount in {currency}:", currency=caller.currency), amount_in, "amount")
    sure = yield from confirm(_("Pay {amount} for {account} from {phone}?", amount=paid, account=account_no,
                                phone=phone), "paying")  # fmt: skip
    return (yield from request(account_no, paid, phone)) if sure else End(_("Nothing was paid."))


def pay_for_another(caller: Caller) -> Talk[End]:
    """Somebody else's connection: its owner is shown by her initials, so that a slip of the thumb is noticed."""
    account_no = yield from ask(_("Connection number to pay for:"), account_number, "account")
    payee = yield from call(Actions.payee, account_no)
    while payee is None:
        account_no = yield from ask(
            _("We do not know the connection {account}. Check it and enter it again:", account=account_no),
            account_number,
            "account_again",
        )
        payee = yield from call(Actions.payee, account_no)
    amount_in = partial(whole_amount, currency=caller.currency)
    paid = yield from ask(_("Amount in {currency}:", currency=caller.currency), amount_in, "amount")
    sure = yield from confirm(_("Pay {amount} for {account}, {name}?", amount=paid, account=payee.account_no,
                                name=payee.name), "paying_other")  # fmt: skip
    return (yield from request(payee.account_no, paid, caller.phone)) if sure else End(_("Nothing was paid."))


def request(account_no: str, amount: Money, phone: Phone) -> Talk[End]:
    """Have the prompt sent to the phone that pays; the PIN typed there is the real yes."""
    result = yield from call(Actions.request_payment, account_no, amount, phone)
    if result.kind == "requested":
        return End(_("Enter your M-Pesa PIN when asked. We will SMS your receipt."))
    if result.reason == "duplicate_recent":
        return End(_("You asked to pay {amount} just now. Please wait 2 minutes before you try again.", amount=amount))
    return End(_("We could not ask M-Pesa for {amount}. Please try again later.", amount=amount))


def shillings_up(owed: Money) -> Money:
    """M-Pesa moves whole units only, so cents are paid as the next whole one; the rest stays as credit."""
    return Money.of(owed.major.to_integral_value(ROUND_CEILING), owed.currency)
