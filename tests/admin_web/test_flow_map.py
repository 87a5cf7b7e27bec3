"""The map of the menus as a page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from admin_web.flow_map import EXTENSION
from tests.admin_web.conftest import Browser
from tests.admin_web.talks import AMOUNT, MENU, talk


@dataclass(frozen=True)
class Node:
    key: str
    flow: str
    text: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chart:
    nodes: dict[str, Node]


def drawn(language: str) -> Chart:
    nodes = [
        Node(
            "choose:read|pay", "one connection", f"Menu <{language}>\n1. Pay", (("Pay", "ask:amount"), ("Help", "gone"))
        ),
        Node("ask:amount", "one connection", "Amount in KES:", (("500", "end: Paid"), ("500", "ask:amount"))),
        Node("choose:register", "unknown", "Welcome.", (("Register", "end: Paid"),)),
        Node("end: Paid", "one connection", "It is paid.", ()),
    ]
    return Chart({node.key: node for node in nodes})


@pytest.fixture(autouse=True)
def _with_a_map(app: Flask) -> Iterator[None]:
    app.extensions[EXTENSION] = drawn
    yield
    for name in (EXTENSION, f"{EXTENSION}.drawn"):
        app.extensions.pop(name, None)


def test_every_screen_is_a_card_and_leads_on(clerk: Browser) -> None:
    page = clerk.get("/flows").text
    anchors = re.findall(r'<article id="([\w-]+)"', page)
    assert len(anchors) == len(set(anchors)) == 4
    links = re.findall(r'href="#(screen-\d+)"', page)
    assert set(links) <= set(anchors)
    assert len(links) == 4, "the way to a screen that is not on the map is left out"
    assert "Menu &lt;en&gt;" in page
    assert page.index("One connection") < page.index("It is paid.") < page.index("Unknown")
    assert page.count("The session ends here.") == 1


def test_the_language_is_chosen_and_each_is_drawn_once(app: Flask, clerk: Browser) -> None:
    asked: list[str] = []
    app.extensions[EXTENSION] = lambda language: asked.append(language) or drawn(language)
    for query in ("?language=sw", "?language=sw", "?language=xx", ""):
        clerk.get(f"/flows{query}")
    assert asked == ["sw", "en"]
    assert "Menu &lt;sw&gt;" in clerk.get("/flows?language=sw").text


def test_screens_go_by_their_names_on_the_map(clerk: Browser, session: Session) -> None:
    kept = talk(session, MENU, AMOUNT, outcome="dropped")
    assert "at: Amount in KES:" in clerk.get(f"/conversations/{kept.id}").text
    assert "Menu &lt;en&gt;" in clerk.get("/funnel").text


def test_without_a_map_the_page_says_so(app: Flask, clerk: Browser) -> None:
    app.extensions.pop(EXTENSION)
    assert "There is no map here" in clerk.get("/flows").text
