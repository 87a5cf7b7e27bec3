"""The keywords of SMS in every language, and how a text is split and understood despite a typing error."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keyword:
    """A task by its words in each language, the one to advertise first; `example` is what may follow it.

    A task that is not `harmless` does something, so it is not begun on a word that was merely similar.
    """

    task: str
    words: dict[str, str]
    example: str = ""
    harmless: bool = True

    def word(self, language: str) -> str:
        return self.words.get(language, self.words["en"]).split()[0]


KEYWORDS = (
    Keyword("balance", {"en": "BAL BALANCE", "sw": "SALIO", "fr": "SOLDE", "rw": "ASIGAYE UMWENDA", "id": "SALDO"}),
    Keyword("bill", {"en": "BILL", "sw": "BILI ANKARA", "fr": "FACTURE", "rw": "FAGITIRE", "id": "TAGIHAN"}),
    Keyword("read", {"en": "READ READING", "sw": "SOMA", "fr": "RELEVE INDEX", "rw": "MUBAZI KONTERI",
                     "id": "BACA METER"}, "1234", harmless=False),
    Keyword("pay", {"en": "PAY", "sw": "LIPA", "fr": "PAYER", "rw": "ISHYURA KWISHYURA", "id": "BAYAR"},
            "500", harmless=False),
    Keyword("usage", {"en": "USAGE USE", "sw": "MATUMIZI", "fr": "CONSO", "rw": "IKORESHWA", "id": "PAKAI PEMAKAIAN"}),
    Keyword("paid", {"en": "PAID", "sw": "MALIPO", "fr": "PAIEMENT", "rw": "NISHYUYE", "id": "LUNAS"}),
    Keyword("receipt", {"en": "RECEIPT", "sw": "RISITI STAKABADHI", "fr": "RECU", "rw": "INYEMEZABWISHYU GITANSI",
                        "id": "KUITANSI BUKTI"}),
    Keyword("fault", {"en": "FAULT LEAK REPORT", "sw": "HITILAFU KUVUJA", "fr": "PANNE FUITE", "rw": "IKIBAZO",
                      "id": "LAPOR BOCOR"}, harmless=False),
    Keyword("help", {"en": "HELP INFO", "sw": "MSAADA", "fr": "AIDE", "rw": "UBUFASHA", "id": "BANTUAN"}),
    Keyword("stop", {"en": "STOP UNSUBSCRIBE", "sw": "ACHA SITISHA", "fr": "ARRET", "rw": "HAGARIKA",
                     "id": "BERHENTI"}, harmless=False),
    Keyword("start", {"en": "START", "sw": "ANZA", "fr": "REPRENDRE", "rw": "TANGIRA", "id": "MULAI"}, harmless=False),
)  # fmt: skip

BY_WORD = {word: keyword for keyword in KEYWORDS for words in keyword.words.values() for word in words.split()}
SHOWN_IN_SHORT = ("balance", "bill", "read", "pay", "fault", "help")
SHORTEST_GUESS = 4


def in_short(language: str) -> str:
    """The keywords to advertise, each with what may follow it: "BAL, BILL, READ 1234"."""
    shown = [keyword for keyword in KEYWORDS if keyword.task in SHOWN_IN_SHORT]
    return ", ".join(f"{keyword.word(language)} {keyword.example}".strip() for keyword in shown)


def split(text: str) -> tuple[str, str]:
    """The first word in plain capitals and what follows it: "pay500" is ("PAY", "500")."""
    words = re.match(r"\W*([^\W\d_]*)[\s:.,=-]*(.*)", text, re.DOTALL)
    return (plain(words[1]), words[2].strip()) if words else ("", "")


def plain(word: str) -> str:
    """Capitals without accents: "Relevé" is "RELEVE"."""
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part)).upper()


def near(word: str) -> list[Keyword]:
    """The keywords that differ from `word` by a single slip of the thumb; a doubled letter is the likeliest."""
    doubled = {other for other in BY_WORD if len(word) > len(other) and _single(word) == _single(other)}
    if not doubled and len(word) < SHORTEST_GUESS:
        return []
    return list({BY_WORD[other].task: BY_WORD[other] for other in doubled or slips(word) if other in BY_WORD}.values())


def _single(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", word)


def slips(word: str) -> Iterator[str]:
    """Everything that is one letter too few, too many, wrong or swapped away from `word`."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        yield head + tail[1:]
        yield from (head + letter + tail[1:] for letter in letters)
        yield from (head + letter + tail for letter in letters)
        yield head + tail[1:2] + tail[:1] + tail[2:]
