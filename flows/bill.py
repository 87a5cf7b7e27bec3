"""What is owed, what was used, what was paid: the balance, the bills, the months, the forecast."""

from datetime import date
from decimal import Decimal

from core.i18n import Month, Text, _
from core.money import Money
from flows.actions import Actions
from flows.pay import pay
from flows.talk import End, Talk, call, choose
from flows.values import BalanceView, BillSummary, Caller, LastPayment, MonthUsage, PastBill

LONGEST_BAR = 8


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


def past_bills(caller: Caller, account_no: str) -> Talk[End]:
    """A list of months to pick a bill from."""
    bills = yield from call(Actions.past_bills, account_no)
    if not bills:
        return End(_("Connection {account} has no bill yet.", account=account_no))
    lines = {
        bill.number: Text("{month} {amount}", {"month": Month(bill.period), "amount": bill.amount}) for bill in bills
    }
    number = yield from choose(_("Connection {account}", account=account_no), lines, key="past_bill")
    return End(_past(next(bill for bill in bills if bill.number == number)))


def _past(bill: PastBill) -> Text:
    return _("Bill {number}\n{month}: used {usage} units\nAmount {amount}",
             number=bill.number, month=Month(bill.period), usage=bill.usage, amount=bill.amount)  # fmt: skip


def usage(caller: Caller, account_no: str) -> Talk[End]:
    """The last months as bars of text."""
    months = yield from call(Actions.usage, account_no)
    if not months:
        return End(_("There is no reading of connection {account} yet.", account=account_no))
    most = max(month.usage for month in months)
    said = _("Units used, {account}", account=account_no)
    for month in months:
        said = Text("{above}\n{line}", {"above": said, "line": _bar(month, most)})
    return End(said)


def _bar(month: MonthUsage, most: Decimal) -> Text:
    """One line; the month of the most usage has the longest bar."""
    bar = "=" * max(int(LONGEST_BAR * month.usage / most), 1) if month.usage else "-"
    return Text("{month} {bar} {usage}", {"month": Month(month.month), "bar": bar, "usage": month.usage})


def forecast(caller: Caller, account_no: str) -> Talk[End]:
    """What the next bill will come to if the days go on like the last ones."""
    view = yield from call(Actions.forecast, account_no)
    if view.kind == "no_tariff":
        return End(_("We cannot say yet what it will be. Please call our office."))
    if view.kind == "too_early" or view.usage is None or view.amount is None or view.until is None:
        return End(_("It is too early to say. Read your meter first, then ask again."))
    return End(_("If you go on as now you will use {usage} units until {until}. Your next bill: about {amount}.",
                 usage=view.usage, until=view.until, amount=view.amount))  # fmt: skip


def last_payment(caller: Caller, account_no: str) -> Talk[End]:
    return End(payment_text(account_no, (yield from call(Actions.last_payment, account_no))))


def payment_text(account_no: str, last: LastPayment) -> Text:
    match last.kind:
        case "paid":
            return paid_text(account_no, last.amount, last.on, last.reference)
        case "waiting":
            return _("Connection {account}: {amount} asked for on {day} is not confirmed yet. We will SMS you.",
                     account=account_no, amount=last.amount, day=last.on)  # fmt: skip
        case "failed":
            return _("Connection {account}: the payment of {amount} on {day} did not go through. Nothing was taken.",
                     account=account_no, amount=last.amount, day=last.on)  # fmt: skip
        case _:
            return no_payment(account_no)


def paid_text(account_no: str, amount: Money | None, day: date | None, reference: str) -> Text:
    """That it was paid, and its receipt where it has one."""
    if not reference:
        return _("Connection {account}: {amount} was paid on {day}.", account=account_no, amount=amount, day=day)
    return _("Connection {account}: {amount} was paid on {day}. Receipt {reference}.",
             account=account_no, amount=amount, day=day, reference=reference)  # fmt: skip


def no_payment(account_no: str) -> Text:
    return _("There is no payment for connection {account} yet.", account=account_no)


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
