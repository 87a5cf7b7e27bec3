"""What she sees when she dials: the menu for who she is."""

from core.i18n import Text, _
from flows.actions import Actions, Caller
from flows.answers import languages
from flows.bill import balance, last_bill
from flows.pay import pay
from flows.reading import submit_reading
from flows.register import register, welcome
from flows.talk import End, Talk, call, choose, speak


def ussd_menu() -> Talk[End]:
    caller = yield from call(Actions.identify)
    yield from speak(caller.language)
    if not caller.known:
        return (yield from welcome(caller))
    if not caller.connections:
        return (yield from register(caller))
    while (task := (yield from main_menu(caller))) == "language":
        yield from change_language()
    if task == "help":
        return End(usage(caller))
    account_no = yield from which(caller)
    match task:
        case "read":
            return (yield from submit_reading(account_no))
        case "pay":
            return (yield from pay(caller, account_no))
        case "balance":
            return (yield from balance(caller, account_no))
        case _:
            return (yield from last_bill(caller, account_no))


def main_menu(caller: Caller) -> Talk[str]:
    return (
        yield from choose(
            _("{utility}\n{name}", utility=caller.utility[:20], name=caller.name[:24]),
            {
                "read": _("Read my meter"),
                "pay": _("Pay"),
                "balance": _("Balance"),
                "bill": _("My last bill"),
                "language": _("Language"),
                "help": _("Help"),
            },
        )
    )


def which(caller: Caller) -> Talk[str]:
    """The account meant: her only one, or the one she picks."""
    if len(caller.connections) == 1:
        return caller.connections[0].account_no
    places = {
        place.account_no: _("{account} {place}", account=place.account_no, place=place.label[:20])
        for place in caller.connections
    }
    return (yield from choose(_("Which connection?"), places))


def change_language() -> Talk[None]:
    language = yield from choose(_("Choose your language"), languages())
    yield from call(Actions.set_language, language)
    yield from speak(language)


def usage(caller: Caller) -> Text:
    """Where else to turn; the keywords work without a session."""
    return _(
        "{utility}: you can also text BAL, BILL, READ 1234 or PAY 500 to {number}. M-Pesa PayBill {paybill}.",
        utility=caller.utility,
        number=caller.short_code,
        paybill=caller.paybill,
    )
