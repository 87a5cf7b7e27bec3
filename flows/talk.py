"""The verbs of a conversation: ask, choose, confirm, call, End (and speak, which changes the language)."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from core.i18n import LANGUAGES, Text, _, say
from flows.actions import Actions

T = TypeVar("T")
P = ParamSpec("P")


class Refused(Exception):
    """An answer that cannot be taken; the text says why. The screen is shown again beneath it."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.msgid)
        self.why = why


@dataclass(frozen=True, slots=True)
class Screen:
    """A question. `key` is its structure, not its wording: an answer in the journal belongs to a key."""

    key: str
    text: Text
    read: Callable[[str], object]
    options: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the world; `writes` are done once for their place in the conversation."""

    name: str
    args: tuple[object, ...]
    returns: Any
    writes: bool


@dataclass(frozen=True, slots=True)
class Speak:
    """From here on in this language."""

    language: str


@dataclass(frozen=True, slots=True)
class End:
    """The last word."""

    text: Text


Talk = Generator[Screen | Call | Speak, Any, T]


def ask(text: Text, read: Callable[[str], T], key: str) -> Talk[T]:
    """Ask until `read` takes the answer; `read` raises Refused for one that will not do."""
    return cast(T, (yield Screen(f"ask:{key}", text, read)))


def choose(text: Text, options: Mapping[str, Text]) -> Talk[str]:
    """Offer numbered options; the name of the one chosen comes back."""
    names = tuple(options)

    def number(said: str) -> str:
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        for name, option in options.items():  # "yes" and "ndiyo" are answers too, above all by SMS
            if said.casefold() in {say(option, language).casefold() for language in LANGUAGES}:
                return name
        raise Refused(_("Please answer with a number from 1 to {most}.", most=len(names)))

    return cast(str, (yield Screen("choose:" + "|".join(names), text, number, tuple(options.values()))))


def confirm(text: Text) -> Talk[bool]:
    return (yield from choose(text, {"yes": _("Yes"), "no": _("No")})) == "yes"


def call(action: "Callable[Concatenate[Actions, P], T]", *args: P.args, **kwargs: P.kwargs) -> Talk[T]:
    """Ask the world. The answer is kept in the journal, so a replay sees the same world."""
    writes = bool(getattr(action, "writes", False))
    returns = action.__annotations__["return"]
    return cast(T, (yield Call(action.__name__, tuple(args), returns, writes)))


def speak(language: str) -> Talk[None]:
    yield Speak(language)
