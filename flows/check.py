"""Walk every path of every flow, in every language, and hold each screen to its promises."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace

from core.i18n import LANGUAGES, Text, catalog, say
from core.text import septets, to_gsm7
from flows import codec, keywords
from flows.journal import Said
from flows.menu import CODES, OF_ONE, ussd_menu
from flows.pages import KEYS, SMS, Budget, budget_for
from flows.player import TAKE_UP, Door, Reply, answer, open_conversation, replay
from flows.sample_answers import GARBAGE, TEXTED, lawful
from flows.sample_world import KINDS, SampleWorld
from flows.values import Unfinished
from flows.words import KEYWORDS

NETWORKS = ("63902", "99999")
WIDEST = "widest values"
DEEPEST = 9
LANGUAGE_MENU = "choose:" + "|".join(LANGUAGES)
FLOWS = {*CODES.values(), *OF_ONE, "register", "welcome", "name", "pin", "alert", "link", "messages"}


@dataclass
class CheckReport:
    """What was walked, the widest reply in septets, and every promise that was broken, in words."""

    languages: list[str] = field(default_factory=lambda: list(LANGUAGES))
    flows: int = 0
    screens: int = 0
    paths: int = 0
    max_septets: int = 0
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class Walk:
    """One caller, in one language, by one door, within one budget."""

    where: str
    door: Door
    kind: str
    language: str
    budget: Budget
    report: CheckReport = field(default_factory=CheckReport)
    seen: set[str] = field(default_factory=set)
    home: str = ""

    def world(self) -> SampleWorld:
        return SampleWorld(replace(KINDS[self.kind], language=self.language))

    def hold(self, promise: bool, what: str, inputs: Sequence[str]) -> None:
        if not promise:
            path = "*".join(said[:20] for said in inputs)
            self.report.violations.append(f"{self.where} [{path}] {what}")

    def start(self) -> None:
        """Walk from the first screen on. What raises is reported, with the way to it."""
        world = self.world()
        try:
            first = open_conversation(self.door, world, self.budget, self.language)
        except Exception as error:
            self.hold(False, f"raises {error!r}", ())
            return
        self.home = first.screen
        self.go((), first, world)

    def go(self, inputs: tuple[str, ...], reply: Reply, world: SampleWorld) -> None:
        """Everything that can be said from here on."""
        try:
            self.check(reply, world, inputs)
            if reply.ends:
                self.report.paths += 1
                return
            self.check_garbage(reply, world, inputs)
            nexts = [step for said in lawful(reply) if (step := self.step(reply, world, inputs, said))]
        except Exception as error:
            self.hold(False, f"raises {error!r}", inputs)
            return
        self.hold(bool(nexts), "is a dead end", inputs)
        if len(inputs) < DEEPEST and not self.elsewhere(reply):
            for said, after, later in nexts:
                if not self.was_said(reply, said):
                    self.go((*inputs, said), after, later)

    def was_said(self, reply: Reply, said: str) -> bool:
        """Whether this path has been here with this answer."""
        return any(
            isinstance(entry, Said) and entry.text == said and reply.screen in (entry.screen, "choose:past_bill")
            for entry in reply.state.journal
        )

    def elsewhere(self, reply: Reply) -> bool:
        """Whether another walk goes on from here: that of a caller of the language chosen, or of one not cut off."""
        said = [entry for entry in reply.state.journal if isinstance(entry, Said)]
        chosen = reply.screen == self.home and any(entry.screen == LANGUAGE_MENU for entry in said)
        return chosen or any(entry.screen == TAKE_UP and entry.text == "2" for entry in said)

    def check(self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...]) -> None:
        wide = septets(reply.text)
        self.hold(wide is not None and 0 < wide <= self.budget.septets, f"takes {wide} septets", inputs)
        self.report.max_septets = max(self.report.max_septets, (wide or 0) if self.budget.pages else 0)
        if reply.ends:
            whole = septets(to_gsm7(say(reply.texts[0], reply.state.language)))
            self.hold(whole is not None and whole <= self.budget.septets, "is cut short", inputs)
        for text in untranslated((*reply.texts, *reply.options), reply.state.language):
            self.hold(False, f"is not translated: {text!r}", inputs)
        self.seen.add(reply.screen)
        stored = codec.dumps(reply.state)
        self.hold(codec.dumps(codec.loads(stored)) == stored, "is not stored as it is", inputs)
        again = self.world()
        jumped = replay(self.door, inputs, again, self.budget, self.language)
        same = jumped._replace(secret=reply.secret) == reply
        self.hold(same and again.writes == world.writes, "differs when dialled through", inputs)
        if self.budget.pages and reply.resume != "none" and reply.answers:
            self.check_taken_up(reply, world, inputs)

    def check_taken_up(self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...]) -> None:
        """A conversation dropped here is taken up here, and nothing is done on the way."""
        dialled = SampleWorld(world.caller, left=Unfinished("ask", reply.answers))
        offer = open_conversation(self.door, dialled, self.budget, self.language)
        there = answer(self.door, offer.state, "1", 1, dialled, self.budget)
        self.hold(there.text == reply.text, "is not taken up again", inputs)
        self.hold(not dialled.writes, "does something when it is taken up", inputs)

    def then(self, at: Reply, world: SampleWorld, place: int, *said: str) -> tuple[Reply, SampleWorld]:
        """What follows when this is said, in a copy of the world."""
        world = world.copy()
        for position, word in enumerate(said, place + 1):
            at = answer(self.door, at.state, word, position, world, self.budget)
        return at, world

    def check_garbage(self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...]) -> None:
        """Nonsense asks again and leaves no trace; Home is the first screen."""
        for said in GARBAGE:
            after, _world = self.then(reply, world, len(inputs), said)
            same = after.screen == reply.screen and not after.ends
            self.hold(same and fits(after, self.budget), f"takes {said[:9]!r} for an answer", inputs)
            self.hold(after.state.journal == reply.state.journal, "remembers nonsense", inputs)
        home, _world = self.then(reply, world, len(inputs), KEYS.home)
        self.hold(home.screen == self.home, "Home leads elsewhere", inputs)
        self.check_pages(reply, world, inputs)

    def check_pages(self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...]) -> None:
        """More shows page after page, each one fits, and Back turns one back."""
        page, turned = reply, list[str]()
        while f"\n{KEYS.more}. " in page.text:
            turned.append(KEYS.more)
            page, _world = self.then(reply, world, len(inputs), *turned)
            self.hold(fits(page, self.budget), f"page {page.state.page} is too wide", inputs)
        if turned:
            before, _world = self.then(reply, world, len(inputs), *turned, KEYS.back)
            self.hold(before.state.page == page.state.page - 1, "Back does not turn the page back", inputs)

    def step(
        self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...], said: str
    ) -> tuple[str, Reply, SampleWorld] | None:
        """Where an answer leads, or None where it is not taken; Back from there shows this screen, unless it wrote."""
        after, later = self.then(reply, world, len(inputs), said)
        if after.state.journal == reply.state.journal:
            return None
        if not after.ends and later.writes == world.writes and reply.screen != TAKE_UP:
            back, _world = self.then(after, later, len(inputs) + 1, KEYS.back)
            self.hold(back.text == reply.text, "Back does not show it again", (*inputs, said))
        return said, after, later


def fits(reply: Reply, budget: Budget) -> bool:
    return 0 < (septets(reply.text) or 0) <= budget.septets


def untranslated(texts: Sequence[Text], language: str) -> Iterator[str]:
    """Wordings that the language lacks; one of placeholders only says the same everywhere."""
    for text in texts:
        words = re.sub(r"{\w+}", "", text.msgid)
        if language != "en" and any(map(str.isalpha, words)) and text.msgid not in catalog(language):
            yield text.msgid
        yield from untranslated([part for part in text.params.values() if isinstance(part, Text)], language)


def walks(language: str) -> Iterator[Walk]:
    for kind in KINDS:
        for network in NETWORKS if kind == WIDEST else NETWORKS[:1]:
            yield Walk(f"ussd {language} {kind} {network}", ussd_menu, kind, language, budget_for(network))
        for text in TEXTED:
            where = f"sms {text[:12]!r} {language} {kind}"
            yield Walk(where, keywords.door(text), kind, language, SMS)


def check_language(language: str) -> tuple[CheckReport, set[str]]:
    """The walk in one language: what it found, and the screens it saw."""
    report, screens = CheckReport(), set[str]()
    for walk in walks(language):
        walk.report = report
        walk.start()
        screens |= walk.seen
    return report, screens


def check() -> CheckReport:
    """The whole walk; a report without violations is a promise kept on every path."""
    whole, screens = CheckReport(flows=len(FLOWS) + len(KEYWORDS)), set[str]()
    with ProcessPoolExecutor() as pool:
        for report, seen in pool.map(check_language, LANGUAGES):
            whole.paths += report.paths
            whole.max_septets = max(whole.max_septets, report.max_septets)
            whole.violations += report.violations
            screens |= seen
    whole.screens = len(screens)
    return whole
