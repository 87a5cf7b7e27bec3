"""What is owed: the balance and the last bill."""

from core.i18n import Text, _
from flows.actions import Actions, BalanceView, BillSummary, Caller
from flows.pay import pay
from flows.talk import End, Talk, call, choose


def balance(caller: Caller, account_no: str) -> Talk[End]:
    view = yield from call(Actions.balance, account_no)
    said = balance_text(account_no, view)
    return (yield from offer_to_pay(caller, account_no, said)) if view.owed.minor > 0 else End(said)


def last_bill(caller: Caller, account_no: str) -> Talk[End]:
    bill = yield from call(Actions.current_bill, account_no)
    said = bill_text(account_no, bill)
    return (yield from offer_to_pay(caller, account_no, said)) if bill.owed.minor > 0 else End(said)


def offer_to_pay(caller: Caller, account_no: str, said: Text) -> Talk[End]:
    yield from choose(said, {"pay": _("Pay")})
    return (yield from pay(caller, account_no))


def balance_text(account_no: str, view: BalanceView) -> Text:
    if view.last_paid is None or view.last_paid_on is None:
        return _("Connection {account}\n{state}", account=account_no, state=_state(view))
    return _(
        "Connection {account}\n{state}\nLast payment {paid} on {day}.",
        account=account_no,
        state=_state(view),
        paid=view.last_paid,
        day=view.last_paid_on,
    )


def bill_text(account_no: str, bill: BillSummary) -> Text:
    if bill.number is None or bill.due_on is None:
        return _("Connection {account} has no bill yet.", account=account_no)
    return _(
        "Bill {number}\nUsed {usage} m3: {amount}\nYou owe {owed} in all\nDue {due}",
        number=bill.number,
        usage=bill.usage,
        amount=bill.amount,
        owed=bill.owed,
        due=bill.due_on,
    )


def _state(view: BalanceView) -> Text:
    if view.owed.minor > 0:
        return _("You owe {owed}.", owed=view.owed)
    if view.owed.minor < 0:
        return _("You have {credit} in credit.", credit=-view.owed)
    return _("You owe nothing.")
