"""Help: where else to turn, how to pay, how to save."""

from core.i18n import Text, _
from flows.talk import End, Talk, choose
from flows.values import Caller
from flows.words import in_short

TIPS = {
    "leaks": (_("Find a leak"), _("Close all taps and look at the meter. If it still turns, water is leaking.")),
    "tap": (_("Dripping taps"), _("A tap that drips once a second wastes 30 litres a day. A new washer mends it.")),
    "toilet": (
        _("Toilet"),
        _("Put colour into the toilet tank. If it shows in the bowl, the tank leaks day and night."),
    ),
    "night": (_("Read at night"), _("Read your meter at night and in the morning. More means a leak.")),
}


TOPICS = {
    "keywords": _("By SMS"), "paying": _("How to pay"), "tips": _("Saving tips"), "dial": _("Dial faster"),
}  # fmt: skip


def topics(caller: Caller) -> Talk[End]:
    match (yield from choose(_("Help"), TOPICS)):
        case "keywords":
            return End(usage(caller))
        case "paying":
            return End(paying(caller))
        case "dial":
            return End(dialling(caller))
        case _:
            tip = yield from choose(_("Saving tips"), {name: title for name, (title, _tip) in TIPS.items()})
            return End(TIPS[tip][1])


def paying(caller: Caller) -> Text:
    return _("M-Pesa, Pay Bill {paybill}, account {account}. Or choose Pay in the menu and enter your PIN when asked.",
             paybill=caller.paybill, account=caller.connections[0].account_no)  # fmt: skip


def dialling(caller: Caller) -> Text:
    """Codes that mean the same whatever the order of the menu."""
    return _("Dial {read} to read your meter, {pay} to pay 500, {balance} for your balance.",
             read=_dial(caller, "71"), pay=_dial(caller, "72*500"), balance=_dial(caller, "73"))  # fmt: skip


def usage(caller: Caller) -> Text:
    """The keywords, which work without a session."""
    return _("Text to {number}: {keywords}.", number=caller.short_code, keywords=in_short(caller.language))


def _dial(caller: Caller, steps: str) -> str:
    return f"{caller.service_code.removesuffix('#')}*{steps}#"
