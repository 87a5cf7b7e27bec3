"""Keywords by SMS: other doors into the same conversations."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.i18n import _
from flows import bill
from flows.actions import Actions, Caller
from flows.answers import amount, meter_value
from flows.menu import usage, which
from flows.pay import pay, request
from flows.player import Door
from flows.reading import submit_reading
from flows.talk import End, Refused, Talk, call, speak

Task = Callable[[Caller, str, str], Talk[End]]
"""What a keyword does for a caller, one of her accounts, and the words after the keyword."""


@dataclass(frozen=True, slots=True)
class Keyword:
    task: Task
    example: str


KEYWORDS: dict[str, Keyword] = {}


def keyword(*names: str, example: str = "") -> Callable[[Task], Task]:
    """Register a task under its names; the first is the one that help shows."""

    def register(task: Task) -> Task:
        KEYWORDS.update({name: Keyword(task, example) for name in names})
        return task

    return register


@keyword("BAL", "BALANCE", "SALIO")
def balance(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    return End(bill.balance_text(account_no, (yield from call(Actions.balance, account_no))))


@keyword("BILL", "ANKARA", "BILI")
def last_bill(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    return End(bill.bill_text(account_no, (yield from call(Actions.current_bill, account_no))))


@keyword("READ", "READING", "SOMA", example="1234")
def reading(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    try:
        value = meter_value(rest) if rest else None
    except Refused as refused:
        return End(refused.why)
    return (yield from submit_reading(account_no, value))


@keyword("PAY", "LIPA", example="500")
def pay_by_sms(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    """With an amount the prompt goes out at once: her PIN there is the confirmation."""
    if not rest:
        return (yield from pay(caller, account_no))
    try:
        return (yield from request(caller, account_no, amount(rest, caller.currency)))
    except Refused as refused:
        return End(refused.why)


def known(text: str) -> bool:
    """Whether a text begins with a keyword (HELP among them)."""
    name, _rest = split(text)
    return name in KEYWORDS or name in HELP


HELP = frozenset({"HELP", "MSAADA", "INFO"})


def door(text: str) -> Door:
    """The conversation that a text opens; for a text without a keyword it is the help."""
    return partial(_opened, text)


def _opened(text: str) -> Talk[End]:
    caller = yield from call(Actions.identify)
    yield from speak(caller.language)
    if not caller.known or not caller.connections:
        return End(_("This phone is not registered. Dial {code} to register.", code=caller.service_code))
    name, rest = split(text)
    if name not in KEYWORDS:
        return End(usage(caller))
    account_no, rest = _account(caller, rest)
    if not account_no:
        account_no = yield from which(caller)
    return (yield from KEYWORDS[name].task(caller, account_no, rest))


def split(text: str) -> tuple[str, str]:
    """The keyword in capitals and what follows it: "pay500" is ("PAY", "500")."""
    words = re.match(r"\s*([^\W\d_]*)[\s:.,-]*(.*)", text, re.DOTALL)
    return (words[1].upper(), words[2].strip()) if words else ("", "")


def _account(caller: Caller, rest: str) -> tuple[str, str]:
    """One of her own account numbers as the last word, and the words without it."""
    words = rest.split()
    own = {place.account_no for place in caller.connections}
    if words and words[-1] in own:
        return words[-1], " ".join(words[:-1])
    return "", rest
