"""The verbs of a conversation: ask, choose, confirm, call, End.

Three more are notes to the player, which neither the customer nor the journal sees: `speak` changes the language,
`resumable` says whether a dropped conversation may be taken up here, `follow` takes one up.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, TypeVar, cast

from core.i18n import LANGUAGES, Text, _, say
from core.text import to_gsm7
from flows.actions import Actions
from flows.values import Secret

Resume = Literal["none", "ask", "continue"]

T = TypeVar("T")
P = ParamSpec("P")


class Refused(Exception):
    """An answer that cannot be taken; the text says why. The screen is shown again beneath it."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.msgid)
        self.why = why


class Screen(NamedTuple):
    """A question. `key` is its structure, not its wording: an answer in the journal belongs to a key.

    `name` is the key without anything of a customer's in it, for funnels and metrics. The answer to a `secret` one is
    kept as its keyed digest only.
    """

    key: str
    name: str
    text: Text
    read: Callable[[str], object]
    options: tuple[Text, ...] = ()
    secret: bool = False


class Call(NamedTuple):
    """A request to the world; `writes` are done once for their place in the conversation."""

    name: str
    args: tuple[object, ...]
    returns: Any
    writes: bool


class Speak(NamedTuple):
    """From here on in this language."""

    language: str


class Keep(NamedTuple):
    """From here on a dropped conversation is left, offered again, or simply continued at the next dial."""

    how: Resume


class Follow(NamedTuple):
    """Give these answers, (screen key, answer), for as long as the same screens come up."""

    answers: tuple[tuple[str, str], ...]


class End(NamedTuple):
    """The last word."""

    text: Text


Talk = Generator[Screen | Call | Speak | Keep | Follow, Any, T]


def ask(text: Text, read: Callable[[str], T], key: str) -> Talk[T]:
    """Ask until `read` takes the answer; `read` raises Refused for one that will not do."""
    return cast(T, (yield Screen(f"ask:{key}", f"ask:{key}", text, read)))


def ask_secret(text: Text, read: Callable[[str], str], key: str) -> Talk[Secret]:
    """Ask for a PIN. Its text is there for the calls of this turn; later only the digest is."""
    return cast(Secret, (yield Screen(f"secret:{key}", f"secret:{key}", text, read, secret=True)))


def choose(
    text: Text, options: Mapping[str, Text], *, key: str = "", codes: Mapping[str, str] | None = None
) -> Talk[str]:
    """Offer numbered options; the name of the one chosen comes back.

    Options that differ from customer to customer go by a `key`. `codes` are digits that stand for a name whatever
    the order of the menu, for those who dial it in one go.
    """
    return cast(str, (yield _menu(text, options, key, codes or {}, None)))


def choose_or(text: Text, options: Mapping[str, Text], other: Callable[[str], T], key: str) -> Talk[str | T]:
    """Offer numbered options, or take an answer of another kind, which `other` reads or refuses."""
    return cast("str | T", (yield _menu(text, options, key, {}, other)))


def confirm(text: Text, key: str) -> Talk[bool]:
    return (yield from choose(text, {"yes": _("Yes"), "no": _("No")}, key=key)) == "yes"


def _menu(
    text: Text, options: Mapping[str, Text], key: str, codes: Mapping[str, str], other: Callable[[str], object] | None
) -> Screen:
    names = tuple(options)

    def read(said: str) -> object:
        if said.isascii() and said.isdigit() and len(said) < 3 and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        if said in codes:
            return codes[said]
        for name, option in options.items():  # "yes" and "ndiyo" are answers too, above all by SMS
            if to_gsm7(said).casefold() in {say(option, language).casefold() for language in LANGUAGES}:
                return name
        if other is not None:
            return other(said)
        raise Refused(_("Please answer with a number from 1 to {most}.", most=len(names)))

    structure = "choose:" + "|".join(names)
    return Screen(structure, f"choose:{key}" if key else structure, text, read, tuple(options.values()))


def call(action: "Callable[Concatenate[Actions, P], T]", *args: P.args, **kwargs: P.kwargs) -> Talk[T]:
    """Ask the world. The answer is kept in the journal, so a replay sees the same world."""
    writes = bool(getattr(action, "writes", False))
    returns = action.__annotations__["return"]
    return cast(T, (yield Call(action.__name__, tuple(args), returns, writes)))


def speak(language: str) -> Talk[None]:
    yield Speak(language)


def resumable(how: Resume) -> Talk[None]:
    yield Keep(how)


def follow(answers: tuple[tuple[str, str], ...]) -> Talk[None]:
    yield Follow(answers)
