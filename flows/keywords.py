"""Keywords by SMS: other doors into the same conversations."""

import re
from collections.abc import Callable
from functools import partial
from typing import cast

from core.i18n import Text, _
from flows import account, bill, fault, help, receipt
from flows.actions import Actions
from flows.answers import amount, meter_value
from flows.pay import pay, request_at_once
from flows.player import Door
from flows.reading import submit_reading
from flows.talk import End, Refused, Screen, Talk, call, choose, speak
from flows.values import Caller
from flows.which import which
from flows.words import BY_WORD, Keyword, near, plain, split

Task = Callable[[Caller, str, str], Talk[End]]
"""What a keyword does for a caller, one of her accounts, and the words after the keyword."""


WORDY = {"ask:place", "choose:place", "ask:name"}
"""Questions that are answered in words, among which may be a keyword."""


def known(text: str) -> bool:
    """Whether a text begins with a keyword."""
    return split(text)[0] in BY_WORD


def interrupts(text: str, screen: str) -> bool:
    """Whether a text begins something new, although a question on `screen` is open."""
    _word, rest = split(text)
    return known(text) and (screen not in WORDY or not rest or rest[0].isdigit())


def task_of(text: str) -> str:
    """The task that a text opens; "office" for one that people are to read."""
    keyword = BY_WORD.get(split(text)[0])
    return keyword.task if keyword else "office"


def ends_all(text: str) -> bool:
    """Whether nothing of what was begun before is to go on."""
    return task_of(text) == "stop"


def is_late_answer(text: str) -> bool:
    """Whether a text looks like the answer to a question: one short word or number, and no keyword."""
    return bool(re.fullmatch(r"\s*[\w.,-]{1,12}\s*", text)) and not known(text) and not near(split(text)[0])


def door(text: str) -> Door:
    """The conversation that a text opens. One without a keyword goes to people in the office."""
    return partial(_opened, text)


def closed(opening: str) -> Door:
    """For an answer that comes when its question is no longer open."""
    return partial(_closed, opening)


def advertised(text: str, language: str) -> str:
    """The keyword that a text began with, as it is called in `language`."""
    keyword = BY_WORD.get(split(text)[0])
    return keyword.word(language) if keyword else ""


def _closed(opening: str) -> Talk[End]:
    caller = yield from call(Actions.identify)
    yield from speak(caller.language)
    word = advertised(opening, caller.language) or advertised("HELP", caller.language)
    return End(_("That question is no longer open. Text {word} to begin again.", word=word))


def _opened(text: str) -> Talk[End]:
    caller = yield from call(Actions.identify)
    yield from speak(caller.language)
    return (yield from _without_secrets(_answered(caller, text), caller))


def _without_secrets(talk: Talk[End], caller: Caller) -> Talk[End]:
    """An SMS stays in the phone and at the gateway, so no PIN is asked for in one."""
    sent = None
    while True:
        try:
            asked = talk.send(sent)
        except StopIteration as stop:
            return cast(End, stop.value)
        if isinstance(asked, Screen) and asked.secret:
            return End(_("A PIN is never sent by SMS. Please dial {code} for this.", code=caller.service_code))
        sent = yield asked


def _answered(caller: Caller, text: str) -> Talk[End]:
    word, rest = split(text)
    keyword = BY_WORD.get(word) or (yield from _meant(caller, word))
    if keyword is None:
        meant_for_us = any(map(str.isalpha, text)) and not is_late_answer(text)
        return (yield from _to_the_office(caller)) if meant_for_us else End(help.usage(caller))
    if keyword.task in FOR_ANYBODY:
        return (yield from FOR_ANYBODY[keyword.task](caller, rest))
    if not caller.known or not caller.connections:
        return End(_("This phone is not registered. Dial {code} to register.", code=caller.service_code))
    account_no, rest = _account(caller, rest)
    if not account_no:
        account_no = yield from which(caller)
    return (yield from OF_ONE[keyword.task](caller, account_no, rest))


def _meant(caller: Caller, word: str) -> Talk[Keyword | None]:
    """The keyword that she probably meant; asked about, unless there is one only and it does no harm."""
    found = near(word)
    if len(found) == 1 and found[0].harmless:
        return found[0]
    if not found:
        return None
    options = {keyword.task: Text("{word}", {"word": keyword.word(caller.language)}) for keyword in found}
    said = yield from choose(_("We do not know {word}. Did you mean:", word=word[:20]),
                             options | {"none": _("Something else")}, key="meant")  # fmt: skip
    return next((keyword for keyword in found if keyword.task == said), None)


def _to_the_office(caller: Caller) -> Talk[End]:
    yield from call(Actions.pass_to_office)
    return End(_("Thank you, our office will read this. {usage}", usage=help.usage(caller)))


def _help(caller: Caller, rest: str) -> Talk[End]:
    return End(help.usage(caller))
    yield


def _stop(caller: Caller, rest: str) -> Talk[End]:
    yield from call(Actions.stop_messages)
    return End(account.STOPPED)


def _start(caller: Caller, rest: str) -> Talk[End]:
    yield from call(Actions.start_messages)
    return End(account.STARTED)


def _fault(caller: Caller, rest: str) -> Talk[End]:
    if not rest:
        return (yield from fault.report(caller))
    account_no, words = _account(caller, rest)
    return (yield from fault.send("other", account_no or _only(caller), words[:160]))


FOR_ANYBODY: dict[str, Callable[[Caller, str], Talk[End]]] = {
    "help": _help, "stop": _stop, "start": _start, "fault": _fault,
}  # fmt: skip


def _balance(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    return End(bill.balance_text(account_no, (yield from call(Actions.balance, account_no))))


def _bill(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    return End(bill.bill_text(account_no, (yield from call(Actions.current_bill, account_no))))


def _usage(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    return (yield from bill.usage(caller, account_no))


def _paid(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    return (yield from bill.last_payment(caller, account_no))


def _read(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    try:
        value = meter_value(rest) if rest else None
    except Refused as refused:
        return End(refused.why)
    return (yield from submit_reading(account_no, value))


def _pay(caller: Caller, account_no: str, rest: str) -> Talk[End]:
    """With an amount the prompt goes out at once: her PIN there is the confirmation."""
    if not rest:
        return (yield from pay(caller, account_no))
    try:
        return (yield from request_at_once(account_no, amount(rest, caller.currency), caller.phone))
    except Refused as refused:
        return End(refused.why)


OF_ONE: dict[str, Task] = {
    "balance": _balance, "bill": _bill, "read": _read, "pay": _pay, "usage": _usage, "paid": _paid,
    "receipt": receipt.by_keyword,
}  # fmt: skip


def _only(caller: Caller) -> str:
    return caller.connections[0].account_no if len(caller.connections) == 1 else ""


def _account(caller: Caller, rest: str) -> tuple[str, str]:
    """One of her own account numbers as the first or the last word, and the words without it."""
    words = rest.split()
    own = {place.account_no for place in caller.connections}
    for at in (-1, 0):
        if words and plain(words[at]) in own:
            account_no = plain(words.pop(at))
            return account_no, " ".join(words)
    return "", rest
