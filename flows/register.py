"""A phone that nobody knows becomes a customer's."""

from core.i18n import _
from flows.actions import Actions, Caller
from flows.answers import account_number, languages, person_name
from flows.talk import End, Talk, ask, call, choose, confirm, speak


def welcome(caller: Caller) -> Talk[End]:
    what = yield from choose(
        _("Welcome. This phone is not registered yet."),
        {"register": _("Register"), "language": _("Kiswahili / English"), "help": _("Help")},
    )
    if what == "help":
        return End(_("Register with the connection number on your bill. Or visit our office with your ID."))
    if what == "language":
        yield from speak((yield from choose(_("Choose your language"), languages())))
    return (yield from register(caller))


def register(caller: Caller) -> Talk[End]:
    """Name, language, connection number, consent; linked only when all four are given."""
    name = yield from ask(_("Your full name:"), person_name, "name")
    language = yield from choose(_("Choose your language"), languages())
    yield from speak(language)
    account_no = yield from ask(_("Your connection number (it is on your bill):"), account_number, "account")
    found = yield from call(Actions.find_connection, account_no)
    while found is None:
        account_no = yield from ask(
            _("We do not know the connection {account}. Check it and enter it again:", account=account_no),
            account_number,
            "account_again",
        )
        found = yield from call(Actions.find_connection, account_no)
    agreed = yield from confirm(
        _("May we keep your name and number to send bills and receipts for {account}?", account=found.account_no)
    )
    if not agreed:
        return End(_("Nothing was kept. Dial again whenever you like."))
    result = yield from call(Actions.register, name, language, found.account_no)
    if result.kind == "linked":
        return End(_("Welcome, {name}. Connection {account} is linked to this phone. Dial again to read your meter "
                     "or pay.", name=name, account=found.account_no))  # fmt: skip
    if result.kind == "taken":
        return End(
            _("Connection {account} belongs to another phone. Please visit our office.", account=found.account_no)
        )
    return End(_("We do not know the connection {account}. Please visit our office.", account=found.account_no))
