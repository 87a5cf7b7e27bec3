"""A customer reads her own meter and sees at once what it will cost."""

from decimal import Decimal

from core.i18n import Text, _
from flows.actions import Actions
from flows.answers import meter_value
from flows.talk import End, Talk, ask, call, confirm, resumable
from flows.values import MeterFace, ReadingCheck


def submit_reading(account_no: str, value: Decimal | None = None) -> Talk[End]:
    """Ask for the dials (unless `value` is given), doubt what is odd, enter it, and say the provisional bill."""
    yield from resumable("ask")
    meter = yield from call(Actions.last_reading, account_no)
    if meter is None:
        return End(_("There is no meter at connection {account}. Please call our office.", account=account_no))
    question = _asked(meter)
    while True:
        if value is None:
            value = yield from ask(question, meter_value, "reading")
        check = yield from call(Actions.check_reading, account_no, value)
        if (problem := _problem(check, meter)) is None:
            break
        question, value = problem, None
    if check.kind in ("high", "low"):
        sure = yield from confirm(_doubt(check, value), "doubt")
        if not sure:
            return End(_("Nothing was entered. Please look at the meter again."))
    result = yield from call(Actions.submit_reading, account_no, value, check.kind in ("high", "low"))
    if result.kind == "refused" or result.usage is None:
        return End(_("This reading could not be entered. Please call our office."))
    if result.kind == "review":
        return End(_("Thank you. Reading {value} is noted; our office will check it.", value=value))
    if result.provisional is None:
        return End(_("Thank you. Reading {value}, used {usage} units.", value=value, usage=result.usage))
    return End(_("Thank you. Reading {value}, used {usage} units. Bill so far: {amount}.",
                 value=value, usage=result.usage, amount=result.provisional))  # fmt: skip


def _asked(meter: MeterFace) -> Text:
    if meter.value is None or meter.taken_on is None:
        return _("Meter {serial}. What does it show now?", serial=meter.serial)
    return _("Meter {serial}. Last reading {value} on {day}. What does it show now?",
             serial=meter.serial, value=meter.value, day=meter.taken_on)  # fmt: skip


def _problem(check: ReadingCheck, meter: MeterFace) -> Text | None:
    """Why the question is asked again, or None."""
    match check.kind:
        case "below":
            return _("That is below the last reading, {value}. Please read the meter again:", value=check.previous)
        case "too_many_digits":
            return _("This meter has {digits} digits. Please read it again:", digits=meter.digits)
        case _:
            return None


def _doubt(check: ReadingCheck, value: Decimal) -> Text:
    if check.kind == "high":
        return _("{value} means {usage} units, much more than usual. Are you sure?", value=value, usage=check.usage)
    return _("{value} means {usage} units, much less than usual. Are you sure?", value=value, usage=check.usage)
