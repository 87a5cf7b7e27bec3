"""The map of the conversations: every screen as a phone shows it, with links to where its answers lead."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import DESK, page
from core.config import settings
from core.i18n import LANGUAGES

EXTENSION = "flow_chart"
"""Where the application that knows the flows puts what draws them: a callable from a language to a Chart."""
END, CONFIRM = "end", "choose:yes|no"
SHARED = {
    CONFIRM: "Are you sure? Yes or no", "late": "An answer by SMS was promised", "sorry": "An apology",
    END: "The last word",
}  # fmt: skip
"""Screens that stand in many conversations, with another text in each, and those that no map has."""
FIGURES = re.compile(r"\d[\d.,/-]*\d|\d")


class Node(Protocol):
    """A screen, at whom or where it is met, what it says, and (answer, key of the next screen)."""

    @property
    def key(self) -> str: ...
    @property
    def flow(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def options(self) -> Sequence[tuple[str, str]]: ...


class Chart(Protocol):
    @property
    def nodes(self) -> Mapping[str, Node]: ...


@dataclass(frozen=True, slots=True)
class Card:
    """A screen on the page: its anchor, its text, and for each answer the anchors and names of what may follow."""

    anchor: str
    text: str
    ends: bool
    leads: Sequence[tuple[str, Sequence[tuple[str, str]]]]


@page("/flows", roles=DESK)
def flow_map(_session: Session) -> ResponseReturnValue:
    """Every screen of every conversation, in the language chosen."""
    language = request.args.get("language", "")
    language = language if language in LANGUAGES else settings().default_language
    drawn = chart(language)
    return render_template(
        "office/flow_map.html",
        groups=_groups(drawn) if drawn else [],
        screens=len(drawn.nodes) if drawn else 0,
        language=language,
        languages=LANGUAGES,
    )


def chart(language: str) -> Chart | None:
    """The map in a language, drawn once in the life of a process; None where the application has none."""
    draw: Callable[[str], Chart] | None = current_app.extensions.get(EXTENSION)
    if draw is None:
        return None
    drawn: dict[str, Chart] = current_app.extensions.setdefault(f"{EXTENSION}.drawn", {})
    if language not in drawn:
        drawn[language] = draw(language)
    return drawn[language]


def screen_name(screen: str) -> str:
    """A screen by the first line that stands on it, in English and without figures; its key where no map has it."""
    drawn = chart("en")
    if screen in SHARED:
        return SHARED[screen]
    return nameless(drawn.nodes[screen].text) if drawn is not None and screen in drawn.nodes else screen


def nameless(text: str) -> str:
    """The line by which a screen is known whoever sees it: figures are this or that customer's."""
    return title(FIGURES.sub("…", text))


def title(text: str) -> str:
    """The line by which a screen is known."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if first == settings().utility_name[:20]:
        return "Main menu"
    return first if len(first) <= 48 else first[:47].rstrip(" .,") + "…"


def _groups(drawn: Chart) -> list[tuple[str, list[Card]]]:
    """The screens by where they are first met, in the order of the map."""
    anchors = {key: f"screen-{number}" for number, key in enumerate(drawn.nodes, 1)}
    order = list(dict.fromkeys(node.flow for node in drawn.nodes.values()))
    nodes = sorted(drawn.nodes.values(), key=lambda node: order.index(node.flow))
    return [
        (flow, [_card(node, drawn, anchors) for node in group])
        for flow, group in groupby(nodes, key=lambda node: node.flow)
    ]


def _card(node: Node, drawn: Chart, anchors: Mapping[str, str]) -> Card:
    leads: dict[str, dict[str, str]] = {}
    for said, key in node.options:
        if key in anchors:
            leads.setdefault(said, {})[anchors[key]] = SHARED.get(key) or title(drawn.nodes[key].text)
    return Card(
        anchors[node.key], node.text, node.key.partition(":")[0] == END,
        [(said, list(nexts.items())) for said, nexts in leads.items()],
    )  # fmt: skip
