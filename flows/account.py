"""What she settles for herself: language, name, PIN, warnings, connections, messages."""

from core.i18n import Text, _
from flows import pin
from flows.actions import Actions
from flows.answers import account_number, languages, person_name, units
from flows.talk import End, Talk, ask, call, choose, confirm, speak
from flows.values import Caller


def choose_change(caller: Caller) -> Talk[str]:
    return (
        yield from choose(
            _("My account"),
            {
                "language": _("Language"),
                "name": _("My name"),
                "pin": _("PIN"),
                "alert": _("Usage warning"),
                "link": _("Add a connection"),
                "messages": _("Messages"),
            },
        )
    )


def change(caller: Caller, what: str) -> Talk[End]:
    """Change what was chosen (the language is changed by the menu itself, which goes on in it)."""
    match what:
        case "name":
            return (yield from change_name(caller))
        case "pin":
            return (yield from pin.change(caller))
        case "alert":
            return (yield from change_alert(caller))
        case "link":
            return (yield from link(caller))
        case _:
            return (yield from change_messages(caller))


def change_language(caller: Caller) -> Talk[None]:
    language = yield from choose(_("Choose your language"), languages(caller.languages))
    yield from call(Actions.set_language, language)
    yield from speak(language)


def change_name(caller: Caller) -> Talk[End]:
    if (barred := (yield from pin.asked(caller))) is not None:
        return barred
    name = yield from ask(_("We have you as {name}. Your name:", name=caller.name[:40]), person_name, "name")
    yield from call(Actions.rename, name)
    return End(_("Thank you, {name}. Your name is changed.", name=name))


def change_alert(caller: Caller) -> Talk[End]:
    """A warning by SMS once a month's usage is above her own limit."""
    options = {"on": _("Warn me above a limit"), "off": _("No warnings")}
    if (yield from choose(_alert_now(caller), options)) == "off":
        yield from call(Actions.set_alert, None)
        return End(_("We will not warn you about your usage."))
    above = yield from ask(_("Warn me when a month's usage is above how many units?"), units, "units")
    yield from call(Actions.set_alert, above)
    return End(_("We will SMS you when a month's usage is above {units} units.", units=above))


def _alert_now(caller: Caller) -> Text:
    if caller.alert_above is None:
        return _("You get no warnings about your usage.")
    return _("We warn you when a month's usage is above {units} units.", units=caller.alert_above)


def link(caller: Caller) -> Talk[End]:
    """One more connection for this phone."""
    account_no = yield from ask(_("Your connection number (it is on your bill):"), account_number, "account")
    found = yield from call(Actions.find_connection, account_no)
    if found is None:
        return End(_("We do not know the connection {account}. Please visit our office.", account=account_no))
    if not (yield from confirm(_("Add connection {account} to this phone?", account=found.account_no), "adding")):
        return End(_("Nothing was changed."))
    result = yield from call(Actions.link_connection, found.account_no)
    match result.kind:
        case "linked":
            return End(_("Connection {account} is added to this phone.", account=found.account_no))
        case "waits":
            return End(_("Thank you. Our office will check it and SMS you."))
        case _:
            return End(
                _("Connection {account} belongs to another phone. Please visit our office.", account=found.account_no)
            )


def change_messages(caller: Caller) -> Talk[End]:
    """Bills and notices by SMS or not; receipts and answers come all the same."""
    if caller.stopped:
        if (yield from confirm(_("You get no bills and notices by SMS. Shall we send them again?"), "starting")):
            yield from call(Actions.start_messages)
            return End(STARTED)
    elif (yield from confirm(_("We SMS you bills and notices. Shall we stop? Receipts will still come."), "stopping")):
        yield from call(Actions.stop_messages)
        return End(STOPPED)
    return End(_("Nothing was changed."))


STARTED = _("We will SMS you bills and notices again.")
STOPPED = _("We will send no more bills and notices by SMS. Text START to get them again.")
