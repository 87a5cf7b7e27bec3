"""The PIN: chosen by the customer, asked for only where a stranger with her phone could do harm."""

from core.i18n import Text, _, n_
from flows.actions import Actions
from flows.answers import new_pin
from flows.answers import pin as four_digits
from flows.talk import End, Talk, ask_secret, call, choose
from flows.values import Caller

LOCKED = _("Your PIN is locked. Please visit our office with your ID.")


def asked(caller: Caller) -> Talk[End | None]:
    """Let her prove herself, where she has a PIN; the last word where she cannot."""
    question: Text = _("Your PIN:")
    while caller.has_pin:
        check = yield from call(Actions.check_pin, (yield from ask_secret(question, four_digits, "pin")))
        if check.kind == "right":
            break
        if check.kind == "locked":
            return End(LOCKED)
        question = n_("Wrong PIN. {n} try left. Your PIN:", "Wrong PIN. {n} tries left. Your PIN:", n=check.tries_left)
    return None


def change(caller: Caller) -> Talk[End]:
    """Set a PIN, change it, do without one, or say that it is forgotten."""
    if not caller.has_pin:
        return (yield from choose_new())
    what = yield from choose(
        _("PIN"), {"change": _("Change my PIN"), "remove": _("Remove my PIN"), "forgot": _("I forgot my PIN")}
    )
    if what == "forgot":
        ticket = yield from call(Actions.report_fault, "pin", caller.connections[0].account_no, "")
        return End(_("Please visit our office with your ID, number {ticket}. Then you can set a new PIN here.",
                     ticket=ticket.number))  # fmt: skip
    if (barred := (yield from asked(caller))) is not None:
        return barred
    if what == "change":
        return (yield from choose_new())
    yield from call(Actions.remove_pin)
    return End(_("Your PIN is removed."))


def choose_new() -> Talk[End]:
    """Typed twice, because she cannot see what she types by heart."""
    question: Text = _("Choose a PIN of 4 digits:")
    while True:
        first = yield from ask_secret(question, new_pin, "new")
        again = yield from ask_secret(_("The same PIN once more:"), four_digits, "again")
        if first.digest == again.digest:
            break
        question = _("The two were not the same. Choose a PIN of 4 digits:")
    yield from call(Actions.set_pin, again)
    return End(_("Your PIN is set. Never tell it to anybody; our staff will not ask for it."))
