"""The map of the flows shows every screen, and the one in the documentation is the present one."""

from pathlib import Path

import pytest

from core.i18n import LANGUAGES
from flows.chart import END, chart, document

MAP = Path(__file__).parents[2] / "docs" / "flows.md"


def test_the_documented_map_is_the_present_one() -> None:
    assert MAP.read_text() == document(), "run: ./mita flows map > docs/flows.md"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_leads_to_a_screen_of_the_map(language: str) -> None:
    nodes = chart(language).nodes
    assert {"choose:amount", "ask:reading", "secret:pin", "choose:building", "choose:continue|again"} <= set(nodes)
    for node in nodes.values():
        ends = node.key.startswith(END)
        assert bool(node.options) != ends, node
        if node.key != "choose:" + "|".join(LANGUAGES):  # another language's map goes on from there
            assert {to for _said, to in node.options} <= set(nodes), node
