"""Conversations to walk, and the walking of them in any weather."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from core.database import transaction
from tests.ussd_app.handset import Handset
from tests.ussd_app.town import Household
from ussd_app.effects import Effect

Said = str | tuple[str, ...]
"""What she types, or the wording of the option she picks (as a tuple: in each language)."""

WALKS: dict[str, tuple[Said, ...]] = {
    "reading": (("Read my meter",), "12o", "117"),
    "high reading": (("Read my meter",), "900", ("Yes",)),
    "reading, changed her mind": (("Read my meter",), "50", "900", ("No",)),
    "pay all": (("Pay",), ("KES 1,250 (all)",), ("Yes",)),
    "pay part": (("Pay",), ("Another amount",), "0", ("Another amount",), "abc", "300", ("Yes",)),
    "balance and pay": (("Balance",), ("Pay",), ("Another amount",), "1", ("Yes",)),
    "bill, home, help": (("Bills and usage",), ("My last bill",), "00", ("Help",), ("By SMS",)),
    "language and reading": (
        ("My account",),
        ("Language",),
        ("Kiswahili",),
        ("Read my meter", "Soma mita yangu"),
        "117",
    ),
}
WRITES = {
    "reading": 1, "high reading": 1, "reading, changed her mind": 0, "pay all": 1, "pay part": 1, "balance and pay": 1,
    "bill, home, help": 0, "language and reading": 2,
}  # fmt: skip


@dataclass
class Walk:
    """A conversation walked to its end: the hops as they were sent, and the screens."""

    hops: list[list[str]]
    screens: list[str]


Weather = Callable[[Handset, int, str], None]


def calm(_phone: Handset, _hop: int, _screen: str) -> None:
    pass


def walk(phone: Handset, steps: tuple[Said, ...], weather: Weather = calm) -> Walk:
    """Walk it; `weather` happens after each hop, and is given the phone, the hop and the screen it showed."""
    walked = Walk([[]], [phone.dial()])
    weather(phone, 0, walked.screens[0])
    for number, step in enumerate(steps, 1):
        phone.inputs.append(typed(walked.screens[-1], step))
        walked.hops.append(list(phone.inputs))
        walked.screens.append(phone.again())
        weather(phone, number, walked.screens[-1])
    return walked


def typed(screen: str, step: Said) -> str:
    """The keys for a step on this screen."""
    if isinstance(step, str):
        return step
    options = {wording: number for number, wording in re.findall(r"^(\d+)\. (.+)$", screen, re.MULTILINE)}
    [number] = [options[wording] for wording in step if wording in options] or [f"none of {step} in {screen!r}"]
    assert number.isdigit(), number
    return number


def plain(walked: Walk, home: Household) -> list[str]:
    """The screens without what differs between two households."""
    local = f"0{home.phone[4:]}"
    mine = {home.account_no: "<account>", home.serial: "<meter>", home.phone: "<phone>", local: "<phone>"}
    screens = []
    for screen in walked.screens:
        for own, name in mine.items():
            screen = screen.replace(own, name)
        screens.append(screen)
    return screens


def effects(phone: Handset) -> list[tuple[str, str]]:
    return effects_of(phone.session_id)


def effects_of(session_id: str) -> list[tuple[str, str]]:
    """The writes of a session in the order in which they were made: their keys and what they were."""
    with transaction() as session:
        rows = session.scalars(select(Effect).where(Effect.conversation.contains(session_id)).order_by(Effect.id))
        return [(effect.key, effect.action) for effect in rows]
