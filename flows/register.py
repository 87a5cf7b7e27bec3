"""A phone that nobody knows becomes a customer's."""

from core.i18n import LANGUAGES, Text, _
from flows import fault
from flows.actions import Actions
from flows.answers import account_number, languages, person_name
from flows.talk import End, Talk, ask, call, choose, confirm, resumable, speak
from flows.values import Caller


def welcome(caller: Caller) -> Talk[End]:
    options = {
        "register": _("Register"),
        "language": own_names(caller.languages),
        "fault": _("Report a fault"),
        "help": _("Help"),
    }
    question = _("Welcome. This phone is not registered yet.")
    while (what := (yield from choose(question, options))) == "language":
        yield from speak((yield from choose(_("Choose your language"), languages(caller.languages))))
    if what == "help":
        return End(_("Register with the connection number on your bill. Or visit our office with your ID."))
    return (yield from fault.report(caller)) if what == "fault" else (yield from register(caller))


def no_connection(caller: Caller) -> Talk[End]:
    """A customer without a connection, or somebody on the way to become one: she waits for the office, or adds one."""
    if not caller.waiting:
        return (yield from register(caller))
    question = _("Our office is checking connection {account}. We will SMS you.", account=caller.waiting[0])
    what = yield from choose(question, {"register": _("Another connection"), "fault": _("Report a fault")})
    return (yield from fault.report(caller)) if what == "fault" else (yield from register(caller))


def register(caller: Caller) -> Talk[End]:
    """Name, language, connection number, consent; linked only when all four are given."""
    yield from resumable("ask")
    name = yield from ask(_("Your full name:"), person_name, "name")
    language = yield from choose(_("Choose your language"), languages(caller.languages))
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
        _("May we keep your name and number to send bills and receipts for {account}?", account=found.account_no),
        "consent",
    )
    if not agreed:
        return End(_("Nothing was kept. Dial again whenever you like."))
    result = yield from call(Actions.register, name, language, found.account_no)
    if result.kind == "linked":
        return End(_("Welcome, {name}. Connection {account} is linked to this phone. Dial again to read your meter "
                     "or pay.", name=name, account=found.account_no))  # fmt: skip
    if result.kind == "waits":
        return End(_("Thank you, {name}. Our office will check it and SMS you.", name=name))
    if result.kind == "taken":
        return End(
            _("Connection {account} belongs to another phone. Please visit our office.", account=found.account_no)
        )
    return End(_("We do not know the connection {account}. Please visit our office.", account=found.account_no))


def own_names(offered: tuple[str, ...]) -> Text:
    """The languages by their own names, for one who cannot read the rest of the menu."""
    return Text("{names}", {"names": " / ".join(LANGUAGES[code].split()[-1] for code in offered)})
