"""The player: a conversation is its journal, played through the flow again at each turn."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.i18n import Text, _, say
from flows.codec import read_result, write_result
from flows.journal import Done, Entry, Said, State
from flows.pages import BACK, HOME, MORE, Budget, paginate
from flows.talk import Call, End, Refused, Screen, Speak, Talk

Door = Callable[[], Talk[End]]
LONGEST_ANSWER = 160
NAVIGATION = ((BACK, _("Back")), (HOME, _("Home")))
NEXT_PAGE = _("More")


class World(Protocol):
    """Whoever does the calls. `key` is the place of a write: the same key again gives the recorded result."""

    def perform(self, call: Call, key: str) -> object: ...


class Diverged(Exception):
    """The journal does not fit the flow: it was changed by a deploy, or the world by a replay."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the phone shows, whether it ends there, what to remember, which screen it is, and of which texts."""

    text: str
    ends: bool
    state: State
    screen: str
    texts: tuple[Text, ...]


@dataclass(slots=True)
class _Performance:
    """One playing of the journal: what stands in the end, in which language, and the journal grown by new calls."""

    asked: Screen | End
    journal: tuple[Entry, ...]
    language: str


def open_conversation(door: Door, world: World, budget: Budget, language: str = "en") -> Reply:
    """The first screen."""
    return _show(_play(door, State(language=language), world, 0), 0, budget)


def answer(door: Door, state: State, said: str, position: int, world: World, budget: Budget) -> Reply:
    """The reply to input number `position` (from 1). Any text is a lawful answer; a bad one is asked again."""
    try:
        return _answer(door, state, said, position, world, budget)
    except Diverged:
        fresh = _play(door, State(language=state.language), world, position)
        return _show(fresh, 0, budget, _("The menu has changed. Please start again."))


def replay(door: Door, inputs: Sequence[str], world: World, budget: Budget, language: str = "en") -> Reply:
    """The reply to all inputs from the start: dial-through, and the way back after a lost session."""
    reply = open_conversation(door, world, budget, language)
    for position, said in enumerate(inputs, 1):
        if reply.ends:
            break
        reply = answer(door, reply.state, said, position, world, budget)
    return reply


def _answer(door: Door, state: State, said: str, position: int, world: World, budget: Budget) -> Reply:
    now = _play(door, state, world, position)
    state, said = replace(state, journal=now.journal, language=now.language), said.strip()
    match said:
        case "0":
            return _back(door, state, position, world, budget)
        case "00":
            return _show(_play(door, State(language=now.language), world, position), 0, budget)
        case "98":
            return _show(now, state.page + 1, budget)
    if isinstance(now.asked, End):
        return _show(now, 0, budget)
    try:
        if len(said) > LONGEST_ANSWER:
            raise Refused(_("That is too long. Please try again."))
        now.asked.read(said)
    except Refused as refused:
        return _show(now, state.page, budget, refused.why)
    journal = (*now.journal, Said(now.asked.key, said, position))
    return _show(_play(door, replace(state, journal=journal), world, position), 0, budget)


def _back(door: Door, state: State, position: int, world: World, budget: Budget) -> Reply:
    """One screen back; on a later page, the page before; never to before a write."""
    if state.page:
        return _show(_play(door, state, world, position), state.page - 1, budget)
    journal = list(state.journal)
    while journal and not isinstance(journal[-1], Said):
        if isinstance(last := journal.pop(), Done) and last.wrote:
            fresh = _play(door, State(language=state.language), world, position)
            return _show(fresh, 0, budget)
    return _show(_play(door, replace(state, journal=tuple(journal[:-1])), world, position), 0, budget)


def _play(door: Door, state: State, world: World, position: int) -> _Performance:
    """Play the journal through the flow; calls beyond its end are performed and journalled."""
    talk, past, lived, language = door(), deque(state.journal), list[Entry](), state.language
    writes, sent = 0, None
    try:
        while True:
            asked = talk.send(sent)
            entry = past.popleft() if past and not isinstance(asked, Speak) else None
            match asked, entry:
                case Speak(), _:
                    language, sent = asked.language, None
                    continue
                case Screen(), None:
                    return _Performance(asked, tuple(lived), language)
                case Screen(), Said() if entry.screen == asked.key:
                    sent = asked.read(entry.text)
                case Call(), None:
                    sent = world.perform(asked, f"{position}.{writes}")
                    writes += asked.writes
                    entry = Done(asked.name, write_result(sent), asked.writes)
                case Call(), Done() if entry.name == asked.name:
                    sent = read_result(asked, entry.result)
                case _:
                    raise Diverged(asked, entry)
            lived.append(entry)
    except StopIteration as stop:
        return _Performance(stop.value, tuple(lived), language)
    except Refused as refused:
        raise Diverged("an answer in the journal is refused now") from refused


def _show(now: _Performance, page: int, budget: Budget, note: Text | None = None) -> Reply:
    """Render for the phone, in its language, one page of it."""
    speak = now.language
    head = f"{say(note, speak)}\n" if note else ""
    text = head + say(now.asked.text, speak)
    if isinstance(now.asked, End):
        return Reply(budget.cut(text), True, State(now.journal, 0, speak), "end", (now.asked.text,))
    options = [f"{number}. {say(option, speak)}" for number, option in enumerate(now.asked.options, 1)]
    first = not any(isinstance(entry, Said) for entry in now.journal)
    navigation = [] if first else [f"{key}. {say(word, speak)}" for key, word in NAVIGATION]
    pages = paginate(text, options, navigation, f"{MORE}. {say(NEXT_PAGE, speak)}", budget)
    page = min(max(page, 0), len(pages) - 1)
    texts = (now.asked.text, *now.asked.options, *([note] if note else []))
    return Reply(pages[page], False, State(now.journal, page, speak), now.asked.key, texts)
