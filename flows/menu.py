"""What she sees when she dials: the menu for who she is."""

from collections.abc import Callable

from core.i18n import Text, _
from flows import account, bill, fault, help, receipt, register
from flows.actions import Actions
from flows.pay import pay
from flows.reading import submit_reading
from flows.talk import End, Talk, call, choose, follow, resumable, speak
from flows.values import Caller
from flows.which import which

CODES = {
    "71": "read", "72": "pay", "73": "balance", "74": "last", "75": "usage", "76": "fault", "77": "language",
    "78": "help", "79": "paid", "80": "receipt",
}  # fmt: skip
"""What these digits mean never changes, whatever the order of the menu: *384*7*72*500# may stand on a poster."""

OF_ONE: dict[str, Callable[[Caller, str], Talk[End]]] = {
    "read": lambda caller, account_no: submit_reading(account_no),
    "pay": pay,
    "balance": bill.balance,
    "last": bill.last_bill,
    "past": bill.past_bills,
    "usage": bill.usage,
    "next": bill.forecast,
    "paid": bill.last_payment,
    "receipt": receipt.by_menu,
}
"""Tasks about one connection."""


def ussd_menu() -> Talk[End]:
    caller = yield from call(Actions.identify)
    yield from speak(caller.language)
    yield from take_up()
    if not caller.known and not caller.waiting:
        return (yield from register.welcome(caller))
    if not caller.connections:
        return (yield from register.no_connection(caller))
    while (task := (yield from choose_task(caller))) == "language":
        yield from account.change_language(caller)
    if task in OF_ONE:
        return (yield from OF_ONE[task](caller, (yield from which(caller))))
    if task == "fault":
        return (yield from fault.report(caller))
    if task == "help":
        return (yield from help.topics(caller))
    return (yield from account.change(caller, task))


def take_up() -> Talk[None]:
    """Offer the conversation that broke off a moment ago."""
    left = yield from call(Actions.unfinished)
    if left is None:
        return
    how = "continue"
    if left.how == "ask":
        how = yield from choose(
            _("Welcome back. Your last session was cut off."), {"continue": _("Continue"), "again": _("Start again")}
        )
    if how == "continue":
        yield from follow(left.answers)


def choose_task(caller: Caller) -> Talk[str]:
    """What she wants: from the menu, and from the menu behind that where there is one."""
    yield from resumable("none")
    task = yield from choose(greeting(caller), main_menu(caller), codes=CODES)
    if task == "bills":
        return (yield from choose(_("Bills and usage"), bill_menu(caller)))
    if task == "account":
        return (yield from account.choose_change(caller))
    return task


def greeting(caller: Caller) -> Text:
    """The utility and her name, or what she should know first."""
    if caller.connections and all(place.status == "suspended" for place in caller.connections):
        return _("{utility}\nYour supply is suspended. Pay what you owe to get it back.", utility=caller.utility[:20])
    return _("{utility}\n{name}", utility=caller.utility[:20], name=caller.name[:24])


def main_menu(caller: Caller) -> dict[str, Text]:
    tail = {
        "bills": _("Bills and usage"),
        "fault": _("Report a fault"),
        "account": _("My account"),
        "help": _("Help"),
    }
    if all(place.status == "suspended" for place in caller.connections):
        return {"pay": _("Pay"), "balance": _("Balance"), **tail}
    if all(place.prepaid for place in caller.connections):
        return {"pay": _("Buy credit"), "balance": _("Balance"), "read": _("Read my meter"), **tail}
    return {"read": _("Read my meter"), "pay": _("Pay"), "balance": _("Balance"), **tail}


def bill_menu(caller: Caller) -> dict[str, Text]:
    bills = {"last": _("My last bill"), "past": _("Earlier bills")}
    rest = {
        "usage": _("Usage by month"), "next": _("Next bill"), "paid": _("My last payment"),
        "receipt": _("Receipt by SMS"),
    }  # fmt: skip
    prepaid = all(place.prepaid for place in caller.connections)
    return {name: rest[name] for name in ("usage", "paid", "receipt")} if prepaid else bills | rest
