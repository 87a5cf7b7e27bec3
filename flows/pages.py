"""Pages: what fits one screen of a plain phone, counted in septets."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice

from core.text import septets, to_gsm7


@dataclass(frozen=True, slots=True)
class Keys:
    """What one types to go back, to the first screen, to the next page. Options are numbered around them."""

    back: str = "0"
    home: str = "00"
    more: str = "98"

    def numbers(self, most: int) -> tuple[str, ...]:
        """The numbers of so many options: 1, 2, 3 and on, without those that mean something else."""
        return _numbers((self.back, self.home, self.more), most)

    def index(self, said: str, most: int) -> str:
        """The place of an option (from 1) for the number that is shown before it; anything else stays as it is."""
        numbers = self.numbers(most)
        return str(numbers.index(said) + 1) if said in numbers else said


@lru_cache(maxsize=256)
def _numbers(taken: tuple[str, ...], most: int) -> tuple[str, ...]:
    return tuple(islice((str(at) for at in count(1) if str(at) not in taken), most))


KEYS = Keys()

SAFARICOM = "63902"
ROOMY = frozenset(
    {"63903", "63907", "63999", "62120", "62130", "62150", "62160", "63510", "63513", "63514", "64002", "64003",
     "64004", "64005", "64007", "64009", "64101", "64110", "64111", "64114", "65001", "65010", "99999"}
)  # fmt: skip
"""Networks known to show a whole USSD string; Safaricom and the unknown show 160."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many septets one reply may take; `pages` is false where there is no next page, as in an SMS."""

    septets: int
    pages: bool = True
    keys: Keys = KEYS

    def cut(self, text: str) -> str:
        """The text in GSM-7, within the budget."""
        text = to_gsm7(text)
        while width(text) > self.septets:
            text = text[:-1]
        return text


SMS = Budget(459, pages=False)
"""Three parts at the most."""


@lru_cache(maxsize=256)
def budget_for(network_code: str, keys: Keys = KEYS) -> Budget:
    """160 septets on Safaricom and unknown networks, 182 elsewhere; four are kept for the `CON ` before the text."""
    return Budget(178 if network_code in ROOMY else 156, True, keys)


def width(text: str) -> int:
    return septets(text) or 0


def paginate(text: str, options: Sequence[str], navigation: Sequence[str], more: str, budget: Budget) -> list[str]:
    """The pages of one screen: text first, options after it, navigation on each page. No option is split."""
    lines = [to_gsm7(line) for line in [*text.split("\n"), *options]]
    navigation = [to_gsm7(line) for line in navigation]
    whole = "\n".join([*lines, *navigation])
    if not budget.pages or width(whole) <= budget.septets:
        return [budget.cut(whole)]
    footer = [to_gsm7(more), *navigation]
    room = budget.septets - sum(width(line) + 1 for line in footer)
    pages: list[list[str]] = [[]]
    for piece in (piece for line in lines for piece in _pieces(line, room)):
        if pages[-1] and width("\n".join([*pages[-1], piece])) > room:
            pages.append([])
        pages[-1].append(piece)
    last = len(pages) - 1
    return ["\n".join([*page, *(footer if at < last else navigation)]) for at, page in enumerate(pages)]


def _pieces(line: str, room: int) -> list[str]:
    """A line that alone is too long, cut between words where it can be."""
    pieces = []
    while width(line) > room:
        end = max(at for at in range(1, len(line) + 1) if width(line[:at]) <= room)
        space = line.rfind(" ", 1, end)
        end = space if space > 0 else end
        pieces.append(line[:end])
        line = line[end:].lstrip()
    return [*pieces, line]
