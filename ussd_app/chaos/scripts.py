"""What a customer wants, and how she answers each screen, whatever happened before it."""

from dataclasses import dataclass
from random import Random

from ussd_app.chaos.town import LAST_READING, Neighbour

MENU, YES, FROM_MPESA = "choose:read,", "1. Yes", "1. M-Pesa"
START_AGAIN = {"choose:continue,again": "2"}
KINDS = ("leak", "no_supply", "low_supply", "quality", "meter", "bill", "other")
LANGUAGES = ("en", "sw", "fr", "rw", "id")


@dataclass(frozen=True, slots=True)
class Write:
    """A row that is to be in the books once: the effect's action, and what is in the row."""

    action: str
    detail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """`answers`: how she knows a screen -> what she types there. She knows it by its name's beginning, or by a line.

    `wants` is what shall be done in the end, None where she only looks. `decides` are those of her answers that may
    do it. `enough` is the answer behind which she hangs up; without it she goes on to the end.
    """

    name: str
    answers: dict[str, str]
    wants: Write | None
    decides: tuple[str, ...] = ()
    enough: str = ""

    def knows(self, name: str, screen: str) -> str | None:
        """The entry of `answers` for a screen; None where she does not know what to do."""
        lines = screen.split("\n")
        return next((known for known in self.answers if name.startswith(known) or known in lines), None)


def script_for(neighbour: Neighbour, chance: Random) -> Script:
    """One of the mix: readings, payments, faults, languages, balances."""
    return chance.choice((_reading, _reading, payment, payment, _fault, _language, _balance))(neighbour, chance)


def _reading(_neighbour: Neighbour, chance: Random) -> Script:
    value = str(LAST_READING + chance.randint(12, 28))
    answers = {MENU: "71", "ask:reading": value, YES: "1", **START_AGAIN}
    return Script("reading", answers, Write("submit_reading", (value,)), decides=("ask:reading", YES))


def payment(_neighbour: Neighbour, chance: Random) -> Script:
    """She wants to pay for her own connection."""
    shillings = str(chance.randint(20, 1_200))
    answers = {MENU: "72", "choose:amount": shillings, YES: "1", FROM_MPESA: "1", **START_AGAIN}
    return Script("payment", answers, Write("request_payment", (shillings,)), decides=(YES, FROM_MPESA))


def _fault(neighbour: Neighbour, chance: Random) -> Script:
    at, place = chance.randrange(len(KINDS)), f"Beside the gate of {neighbour.surname}"
    answers = {MENU: "76", "choose:leak,": str(at + 1), "choose:place": place, **START_AGAIN}
    return Script("fault", answers, Write("report_fault", (KINDS[at], place)), decides=("choose:place",))


def _language(_neighbour: Neighbour, chance: Random) -> Script:
    at, choice = chance.randrange(1, len(LANGUAGES)), "choose:en,"
    answers = {MENU: "77", choice: str(at + 1), **START_AGAIN}
    return Script("language", answers, Write("set_language", (LANGUAGES[at],)), decides=(choice,), enough=choice)


def _balance(_neighbour: Neighbour, _chance: Random) -> Script:
    return Script("balance", {MENU: "73", **START_AGAIN}, None, enough=MENU)
