"""A customer reports what is wrong, and gets a number to ask after it."""

from core.i18n import _
from flows.actions import Actions
from flows.answers import note as few_words
from flows.talk import End, Talk, ask, call, choose, choose_or, resumable
from flows.values import Caller
from flows.which import which


def report(caller: Caller) -> Talk[End]:
    yield from resumable("ask")
    kind = yield from choose(
        _("What is wrong?"),
        {
            "leak": _("Leak or burst pipe"),
            "no_supply": _("No supply"),
            "low_supply": _("Weak supply"),
            "quality": _("Bad quality"),
            "meter": _("Meter"),
            "bill": _("Bill"),
            "other": _("Something else"),
        },
    )
    account_no, words = "", ""
    if caller.connections:
        account_no = yield from which(caller)
        place = _("Where is it? Say it in a few words, or:")
        answer = yield from choose_or(place, {"here": _("At my connection")}, few_words, "place")
        words = "" if answer == "here" else answer
    else:
        words = yield from ask(_("Where is it? Name the street and a landmark:"), few_words, "place")
    return (yield from send(kind, account_no, words))


def send(kind: str, account_no: str, words: str) -> Talk[End]:
    ticket = yield from call(Actions.report_fault, kind, account_no, words)
    return End(_("Thank you. Your report has number {ticket}. We will SMS you when it is done.", ticket=ticket.number))
