"""The player: a conversation is its journal, played through the flow again at each turn."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from core.i18n import Text, _, say
from flows.codec import read_result
from flows.journal import Done, Entry, Said, State
from flows.pages import Budget, paginate
from flows.talk import Call, End, Follow, Keep, Refused, Resume, Screen, Speak, Talk
from flows.values import Secret

Door = Callable[[], Talk[End]]
LONGEST_ANSWER = 160
BACK_WORD, HOME_WORD, MORE_WORD = _("Back"), _("Home"), _("More")
TAKE_UP = "choose:continue|again"
"""Whether to continue is asked anew each time; the answer is no part of what is continued."""


class World(Protocol):
    """Whoever does the calls."""

    def perform(self, call: Call, key: str) -> str:
        """The result as flows.codec.write_result writes it. The same `key` of a write gives the recorded result."""
        ...

    def seal(self, text: str) -> str:
        """A keyed digest of a secret answer, the same for the same text in the same conversation."""
        ...


class Diverged(Exception):
    """The journal does not fit the flow: it was changed by a deploy, or the world by a replay."""


class Reply(NamedTuple):
    """What the phone shows, whether it ends there, what to remember, which screen it is, of which texts and options.

    `secret` says that the latest input was meant for a PIN question, so nobody may keep it. `resume` and `answers`
    are what a later dial needs to take this conversation up again; there are no answers after a write, nor where
    it may not be taken up.
    """

    text: str
    ends: bool
    state: State
    screen: str
    texts: tuple[Text, ...]
    options: tuple[Text, ...] = ()
    secret: bool = False
    resume: Resume = "none"
    answers: tuple[tuple[str, str], ...] = ()


def open_conversation(door: Door, world: World, budget: Budget, language: str = "en") -> Reply:
    """The first screen, or where a dropped conversation is simply continued, the one at which it was dropped."""
    try:
        return _show(_play(door, State(language=language), world, 0), 0, budget)
    except Diverged:
        return _show(_play(door, State(language=language), world, 0, follows=False), 0, budget)


def answer(
    door: Door, state: State, said: str, position: int, world: World, budget: Budget, note: Text | None = None
) -> Reply:
    """The reply to input number `position` (from 1). Any text is a lawful answer; a bad one is asked again.

    `note` is a line to put on top of the next screen.
    """
    try:
        return _answer(door, state, said.strip(), position, world, budget, note)
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


@dataclass(slots=True)
class _Performance:
    """A flow being played: first its past again, from the journal, then what is new."""

    talk: Talk[End]
    world: World
    position: int
    language: str
    past: deque[Entry]
    lived: list[Entry] = field(default_factory=list)
    follows: bool = True
    followed: bool = False
    ahead: deque[tuple[str, str]] = field(default_factory=deque)
    resume: Resume = "none"
    writes: int = 0
    asked: Screen | End = field(init=False)

    def run(self, sent: object = None) -> "_Performance":
        """Go on until a screen that nobody has answered yet, or the end."""
        while True:
            try:
                asked = self.talk.send(sent)
            except StopIteration as stop:
                self.asked = stop.value
                return self
            sent = None
            match asked:
                case Speak():
                    self.language = asked.language
                case Keep():
                    self.resume = asked.how
                case Follow():
                    self.ahead = deque(asked.answers if self.follows and not self.past else ())
                case Call():
                    sent = self._call(asked)
                case Screen():
                    self.asked = asked
                    if (sent := self._answered(asked)) is None:
                        return self

    def say(self, said: str) -> "_Performance":
        """Answer the present screen. Raises Refused for an answer that cannot be taken; then nothing has moved."""
        assert isinstance(self.asked, Screen)
        value = self.asked.read(said)
        if self.asked.secret:
            value = Secret(self.world.seal(said), said)
        self.lived.append(Said(self.asked.key, value.digest if isinstance(value, Secret) else said, self.position))
        return self.run(value)

    def _call(self, asked: Call) -> object:
        if self.past:
            entry = self.past.popleft()
            if not isinstance(entry, Done) or entry.name != asked.name:
                raise Diverged(asked, entry)
            self.lived.append(entry)
            return read_result(asked, entry.result)
        if asked.writes and self.followed:
            raise Diverged(asked, "a conversation is taken up again, and writes before she has said anything")
        result = self.world.perform(asked, f"{self.position}.{self.writes}")
        self.writes += asked.writes
        self.lived.append(Done(asked.name, result, asked.writes))
        return read_result(asked, result)

    def _answered(self, asked: Screen) -> object | None:
        """The value of the answer that the journal has for this screen, or that is to be given for her; else None."""
        if self.past:
            entry = self.past.popleft()
            if not isinstance(entry, Said) or entry.screen != asked.key:
                raise Diverged(asked, entry)
            self.lived.append(entry)
            return Secret(entry.text) if asked.secret else _read(asked, entry.text)
        if self.ahead and self.ahead[0][0] == asked.key:
            said = self.ahead.popleft()[1]
            with suppress(Refused):
                value = asked.read(said)
                self.lived.append(Said(asked.key, said, self.position))
                self.followed = True
                return value
        self.ahead.clear()
        self.followed = False
        return None


def _read(asked: Screen, said: str) -> object:
    try:
        return asked.read(said)
    except Refused as refused:
        raise Diverged("an answer in the journal is refused now") from refused


def _play(door: Door, state: State, world: World, position: int, follows: bool = True) -> _Performance:
    """Play the journal through the flow; calls beyond its end are performed and journalled."""
    return _Performance(door(), world, position, state.language, deque(state.journal), follows=follows).run()


def _answer(
    door: Door, state: State, said: str, position: int, world: World, budget: Budget, note: Text | None
) -> Reply:
    now, keys = _play(door, state, world, position), budget.keys
    asked = now.asked
    if said == keys.back:
        return _back(door, state._replace(journal=tuple(now.lived), language=now.language), position, world, budget)
    if said == keys.home:
        return _show(_play(door, State(language=now.language), world, position), 0, budget)
    if said == keys.more:
        return _show(now, state.page + 1, budget)
    if isinstance(asked, End):
        return _show(now, 0, budget)
    try:
        if len(said) > LONGEST_ANSWER:
            raise Refused(_("That is too long. Please try again."))
        reply = _show(now.say(keys.index(said, len(asked.options))), 0, budget, note)
    except Refused as refused:
        reply = _show(now, state.page, budget, refused.why)
    return reply._replace(secret=True) if asked.secret else reply


def _back(door: Door, state: State, position: int, world: World, budget: Budget) -> Reply:
    """One screen back; on a later page, the page before; never to before a write."""
    if state.page:
        return _show(_play(door, state, world, position), state.page - 1, budget)
    journal = list(state.journal)
    while journal and not isinstance(journal[-1], Said):
        if isinstance(last := journal.pop(), Done) and last.wrote:
            return _show(_play(door, State(language=state.language), world, position), 0, budget)
    return _show(_play(door, state._replace(journal=tuple(journal[:-1])), world, position), 0, budget)


def _show(now: _Performance, page: int, budget: Budget, note: Text | None = None) -> Reply:
    """Render for the phone, in its language, one page of it."""
    speak, asked, keys, journal = now.language, now.asked, budget.keys, tuple(now.lived)
    text = say(asked.text, speak)
    if isinstance(asked, End):
        return Reply(budget.cut(text), True, State(journal, 0, speak), "end", (asked.text,))
    if note is not None:
        text = f"{say(note, speak)}\n{text}"
    numbers = keys.numbers(len(asked.options))
    options = [f"{at}. {say(word, speak)}" for at, word in zip(numbers, asked.options, strict=True)]
    first = not any(isinstance(entry, Said) for entry in journal)
    navigation = [] if first else [f"{keys.back}. {say(BACK_WORD, speak)}", f"{keys.home}. {say(HOME_WORD, speak)}"]
    pages = paginate(text, options, navigation, f"{keys.more}. {say(MORE_WORD, speak)}", budget)
    page = min(max(page, 0), len(pages) - 1)
    texts = (note, asked.text) if note else (asked.text,)
    state = State(journal, page, speak)
    answers = _answers(journal) if now.resume != "none" else ()
    return Reply(pages[page], False, state, asked.name, texts, asked.options, False, now.resume, answers)


def _answers(journal: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
    """What she has said so far; nothing after a write or a secret, which nobody may say for her."""
    if any(entry.wrote if isinstance(entry, Done) else entry.screen.startswith("secret:") for entry in journal):
        return ()
    said = [(entry.screen, entry.text) for entry in journal if isinstance(entry, Said)]
    return tuple(pair for pair in said if pair[0] != TAKE_UP)
