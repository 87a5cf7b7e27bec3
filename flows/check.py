"""Walk every path of every flow, in every language, and hold each screen to its promises."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

from core.i18n import LANGUAGES, Text, catalog
from core.text import septets
from flows import keywords
from flows.journal import Said
from flows.menu import ussd_menu
from flows.pages import BACK, HOME, MORE, SMS, Budget, budget_for
from flows.player import Door, Reply, answer, open_conversation, replay
from flows.sample_world import KINDS, SampleWorld

LAWFUL = {
    "ask:amount": ("500", "1", "250000"),
    "ask:reading": ("1234", "1 300", "1200", "99999", "7", "100000"),
    "ask:name": ("Achieng' Otieno",),
    "ask:account": ("1000017", "9999999999", "4444"),
    "ask:account_again": ("1000017",),
}
GARBAGE = ("", "*", "abc!", "-1", "\x00", "\U0001f600", "9" * 10_000)
TEXTED = ("BAL", "salio", "BILL", "READ 1234", "read  1 300", "READ 7", "READ x", "READ", "PAY 500", "lipa 500/=",
          "PAY", "pay1", "HELP", "what?", "", "\U0001f600" * 500)  # fmt: skip
NETWORKS = ("63902", "99999")
WIDEST = "widest values"
DEEPEST = 9


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
    report: CheckReport
    seen: set[str] = field(default_factory=set)

    @cached_property
    def first(self) -> Reply:
        return self.reply(())[0]

    def world(self) -> SampleWorld:
        return SampleWorld(replace(KINDS[self.kind], language=self.language))

    def reply(self, inputs: Sequence[str]) -> tuple[Reply, SampleWorld]:
        """Step by step, as the gateway brings them."""
        world = self.world()
        reply = open_conversation(self.door, world, self.budget, self.language)
        for position, said in enumerate(inputs, 1):
            reply = answer(self.door, reply.state, said, position, world, self.budget)
        return reply, world

    def hold(self, promise: bool, what: str, inputs: Sequence[str]) -> None:
        if not promise:
            path = "*".join(said[:20] for said in inputs)
            self.report.violations.append(f"{self.where} [{path}] {what}")

    def go(self, inputs: tuple[str, ...] = ()) -> None:
        """Everything that can be said from here on."""
        try:
            reply, world = self.reply(inputs)
            self.check(reply, world, inputs)
            if reply.ends:
                self.report.paths += 1
                return
            self.check_garbage(reply, world, inputs)
            nexts = [said for said in lawful(reply) if self.leads_on(reply, world, inputs, said)]
        except Exception as error:
            self.hold(False, f"raises {error!r}", inputs)
            return
        self.hold(bool(nexts), "is a dead end", inputs)
        if len(inputs) < DEEPEST:
            for said in nexts:
                if not self.was_said(reply, said):
                    self.go((*inputs, said))

    def was_said(self, reply: Reply, said: str) -> bool:
        """Whether this path has been here with this answer; and a second change of language is one too many."""
        before = [e for e in reply.state.journal if isinstance(e, Said) and e.screen == reply.screen]
        return any(e.text == said for e in before) or (bool(before) and "choose:en|sw" in reply.screen)

    def check(self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...]) -> None:
        wide = septets(reply.text)
        self.hold(wide is not None and 0 < wide <= self.budget.septets, f"takes {wide} septets", inputs)
        self.report.max_septets = max(self.report.max_septets, (wide or 0) if self.budget.pages else 0)
        for text in untranslated(reply.texts, reply.state.language):
            self.hold(False, f"is not translated: {text!r}", inputs)
        self.seen.add(reply.screen)
        again = self.world()
        jumped = replay(self.door, inputs, again, self.budget, self.language)
        self.hold(jumped == reply and again.writes == world.writes, "differs when dialled through", inputs)

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
        home, _world = self.then(reply, world, len(inputs), HOME)
        self.hold(home.screen == self.first.screen, "Home leads elsewhere", inputs)
        self.check_pages(reply, world, inputs)

    def check_pages(self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...]) -> None:
        """More shows page after page, each one fits, and Back turns one back."""
        page, turned = reply, list[str]()
        while f"\n{MORE}. " in page.text:
            turned.append(MORE)
            page, _world = self.then(reply, world, len(inputs), *turned)
            self.hold(fits(page, self.budget), f"page {page.state.page} is too wide", inputs)
        if turned:
            before, _world = self.then(reply, world, len(inputs), *turned, BACK)
            self.hold(before.state.page == page.state.page - 1, "Back does not turn the page back", inputs)

    def leads_on(self, reply: Reply, world: SampleWorld, inputs: tuple[str, ...], said: str) -> bool:
        """Whether an answer is taken; Back from there must show this screen again, unless it was a write."""
        after, later = self.then(reply, world, len(inputs), said)
        if after.state.journal == reply.state.journal:
            return False
        if not after.ends and later.writes == world.writes:
            back, _world = self.then(reply, world, len(inputs), said, BACK)
            self.hold(back.text == reply.text, "Back does not show it again", (*inputs, said))
        return True


def fits(reply: Reply, budget: Budget) -> bool:
    return 0 < (septets(reply.text) or 0) <= budget.septets


def lawful(reply: Reply) -> Iterator[str]:
    """Answers worth trying at a screen: each option, or the samples of its question."""
    if reply.screen.startswith("choose:"):
        last = reply.screen.count("|") + 1
        yield from (str(number) for number in range(1, last + 1) if last < 7 or number in (1, last))
    else:
        yield from LAWFUL[reply.screen]


def untranslated(texts: Sequence[Text], language: str) -> Iterator[str]:
    for text in texts:
        if language != "en" and text.msgid not in LANGUAGES.values() and text.msgid not in catalog(language):
            yield text.msgid
        yield from untranslated([part for part in text.params.values() if isinstance(part, Text)], language)


def walks(report: CheckReport) -> Iterator[Walk]:
    for language in LANGUAGES:
        for kind in KINDS:
            for network in NETWORKS if kind == WIDEST else NETWORKS[:1]:
                where = f"ussd {language} {kind} {network}"
                yield Walk(where, ussd_menu, kind, language, budget_for(network), report)
            for text in TEXTED:
                where = f"sms {text[:12]!r} {language} {kind}"
                yield Walk(where, keywords.door(text), kind, language, SMS, report)


def check() -> CheckReport:
    """The whole walk; a report without violations is a promise kept on every path."""
    report, screens = CheckReport(), set[str]()
    for walk in walks(report):
        walk.go()
        screens |= {f"{walk.language} {screen}" for screen in walk.seen}
    report.screens = len(screens)
    report.flows = 1 + len({keyword.task for keyword in keywords.KEYWORDS.values()})  # the menu, and each keyword's
    return report
