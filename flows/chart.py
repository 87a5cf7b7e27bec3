"""The map of the flows: every screen, what it says to a sample caller, and where each answer leads."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.i18n import say
from flows.menu import ussd_menu
from flows.pages import budget_for
from flows.player import Reply, answer, open_conversation
from flows.sample_answers import lawful
from flows.sample_world import KINDS, SampleWorld

CALLERS = ("one connection", "with a PIN", "institution", "suspended", "prepaid", "unknown", "waits for the office",
           "dropped while reading")  # fmt: skip
END = "end"
ABOUT = (
    "Drawn by `./mita flows map` from the flows themselves, as sample customers of every kind meet them: each screen,\n"
    "and where each answer leads. From every screen `0` goes back and `00` to the first. Rounded boxes are the end.\n"
)


@dataclass(frozen=True, slots=True)
class Node:
    """A screen. `flow` is the caller at whom it was first met; `options` are (what is answered, the next screen)."""

    key: str
    flow: str
    text: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The screens by their keys, in the order in which they are met. An end is one for each wording."""

    language: str
    nodes: dict[str, Node]


def chart(language: str) -> Chart:
    """Walk from each sample caller's first screen, once through every screen and every answer at it."""
    nodes: dict[str, Node] = {}
    for kind in CALLERS:
        world = SampleWorld(replace(KINDS[kind], language=language))
        first = open_conversation(ussd_menu, world, budget_for(""), language)
        _walk(kind, language, first, world, nodes)
    return Chart(language, nodes)


def _walk(kind: str, language: str, first: Reply, world: SampleWorld, nodes: dict[str, Node]) -> None:
    waiting, seen = deque([(first, world, 0)]), set[str]()
    while waiting:
        reply, world, position = waiting.popleft()
        key = key_of(reply)
        if key in seen:
            continue
        seen.add(key)
        steps = [] if reply.ends else list(_steps(reply, world, position))
        node = nodes.get(key, Node(key, kind, reply.text, ()))
        options = dict.fromkeys([*node.options, *((said, key_of(after)) for said, after, _later in steps)])
        nodes[key] = replace(node, options=tuple(options))
        waiting.extend((after, later, position + 1) for _, after, later in steps if after.state.language == language)


def _steps(reply: Reply, world: SampleWorld, position: int) -> Iterator[tuple[str, Reply, SampleWorld]]:
    """Each answer in the words of the screen, and where it leads."""
    for said in lawful(reply):
        later = world.copy()
        after = answer(ussd_menu, reply.state, said, position + 1, later, budget_for(""))
        at = int(said) if said.isdigit() and int(said) <= len(reply.options) else 0
        yield say(reply.options[at - 1], reply.state.language) if at else said, after, later


def key_of(reply: Reply) -> str:
    """A screen's key; ends are told apart by their wording."""
    return f"{END}: {reply.texts[0].msgid[:60]}" if reply.ends else reply.screen


def document() -> str:
    """docs/flows.md, which a test holds to be up to date."""
    return f"# The conversations by USSD\n\n{ABOUT}\n```mermaid\n{mermaid(chart('en'))}```\n"


def mermaid(drawn: Chart) -> str:
    """The chart as a Mermaid flowchart."""
    names = {key: f"s{at}" for at, key in enumerate(drawn.nodes)}
    lines = ["flowchart LR"]
    for key, node in drawn.nodes.items():
        label = "<br/>".join(_plain(line) for line in node.text.split("\n")[:2] if not _is_option(line))
        opening, closing = ("([", "])") if key.startswith(END) else ("[", "]")
        lines.append(f'  {names[key]}{opening}"{label}"{closing}')
    for key, node in drawn.nodes.items():
        lines += [f'  {names[key]} -- "{_plain(said)}" --> {names[to]}' for said, to in node.options if to in names]
    return "\n".join(lines) + "\n"


def _is_option(line: str) -> bool:
    return line.split(". ")[0].isdigit()


def _plain(line: str) -> str:
    return line.replace('"', "'").replace("<", "(").replace(">", ")")[:44]
