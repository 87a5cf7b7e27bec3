"""Pay by mobile money: the bill or any amount, for herself or another, from this phone or another."""

from decimal import ROUND_CEILING
from functools import partial

from core.i18n import Text, _
from core.money import Money
from core.phone import Phone
from flows import pin
from flows.actions import Actions
from flows.answers import account_number, phone_number
from flows.answers import amount as whole_amount
from flows.talk import End, Talk, ask, call, choose, choose_or, resumable
from flows.values import Caller, WalletChoice


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
    question = _("Pay {amount} for {account} from {phone}?", amount=paid, account=account_no, phone=phone)
    return (yield from agreed(question, account_no, paid, phone, "paying"))


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
    question = _("Pay {amount} for {account}, {name}?", amount=paid, account=payee.account_no, name=payee.name)
    return (yield from agreed(question, payee.account_no, paid, caller.phone, "paying_other"))


def agreed(question: Text, account_no: str, amount: Money, phone: Phone, key: str) -> Talk[End]:
    """Where there are several wallets, choosing one is the yes: it costs her no step more. Hers comes first."""
    offered = yield from call(Actions.wallets, phone)
    if len(offered) > 1:
        options = {wallet.name: Text("{name}", {"name": wallet.label}) for wallet in offered}
    else:
        options = {wallet.name: _("Yes") for wallet in offered}
    if not options:
        return End(_("We cannot ask for mobile money from {phone}.", phone=phone))
    chosen = yield from choose(question, options | {"no": _("No")}, key=key)
    for wallet in offered:
        if wallet.name == chosen:
            return (yield from request(account_no, amount, phone, wallet))
    return End(_("Nothing was paid."))


def request_at_once(account_no: str, amount: Money, phone: Phone) -> Talk[End]:
    """From the wallet of the phone's own network, without a question more."""
    offered = yield from call(Actions.wallets, phone)
    if not offered:
        return End(_("We cannot ask for mobile money from {phone}.", phone=phone))
    return (yield from request(account_no, amount, phone, offered[0]))


def request(account_no: str, amount: Money, phone: Phone, wallet: WalletChoice) -> Talk[End]:
    """Have the prompt sent to the phone that pays; the PIN typed there is the real yes."""
    result = yield from call(Actions.request_payment, account_no, amount, phone, wallet.name)
    if result.kind == "requested":
        return End(_("Enter your {wallet} PIN when asked. We will SMS your receipt.", wallet=wallet.label))
    if result.reason == "duplicate_recent":
        return End(_("You asked to pay {amount} just now. Please wait 2 minutes before you try again.", amount=amount))
    return End(_("We could not ask {wallet} for {amount}. Please try again later.", wallet=wallet.label,
                 amount=amount))  # fmt: skip


def shillings_up(owed: Money) -> Money:
    """Mobile money moves whole units only, so cents are paid as the next whole one; the rest stays as credit."""
    return Money.of(owed.major.to_integral_value(ROUND_CEILING), owed.currency)
