"""How a conversation is said to have ended, and what it is said to have been about."""

import pytest

from flows import codec
from flows.journal import Done, Said, State
from flows.menu import CODES
from ussd_app.endings import SORRY, Notice, flow_of, outcome

MENU = "choose:read|pay|balance|bills|account"
NOTHING = Notice(None, None)


@pytest.mark.parametrize(
    ("ended", "last_screen", "lasted_s", "notice", "expected"),
    [
        (True, "end", 40, NOTHING, "completed"),
        (True, "end", 40, Notice("Incomplete", 41_000), "completed"),
        (True, "end", 40, Notice("Failed", 41_000), "failed"),
        (True, SORRY, 40, NOTHING, "failed"),
        (False, "ask:amount", 40, Notice("Failed", 41_000), "failed"),
        (False, "ask:amount", 40, Notice("Success", 41_000), "failed"),
        (False, "", 0, Notice("Success", 41_000), "completed"),
        (False, "ask:amount", 40, NOTHING, "dropped"),
        (False, "ask:amount", 155, NOTHING, "timed_out"),
        (False, "ask:amount", 40, Notice("Incomplete", None), "dropped"),
        (False, "ask:amount", 40, Notice("Incomplete", 45_000), "dropped"),
        (False, "ask:amount", 40, Notice("Incomplete", 70_000), "timed_out"),
        (False, "ask:amount", 170, Notice("Incomplete", 180_000), "timed_out"),
    ],
)
def test_how_it_ended(ended: bool, last_screen: str, lasted_s: float, notice: Notice, expected: str) -> None:
    found = outcome(ended=ended, last_screen=last_screen, lasted_s=lasted_s, network="63902", notice=notice)
    assert found == expected


def test_each_network_waits_in_its_own_way() -> None:
    def on(network: str) -> str:
        return outcome(
            ended=False, last_screen="", lasted_s=10, network=network, notice=Notice("Incomplete", 50_000)
        )  # fmt: skip

    assert (on("63902"), on("63903")) == ("timed_out", "dropped")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], ""),
        ([(MENU, "2"), ("choose:full|part", "1"), ("choose:yes|no", "1")], "pay"),
        ([(MENU, "4"), ("choose:last|past|usage", "3")], "usage"),
        ([(MENU, "4"), ("choose:last|past|usage", "1")], "bill"),
        ([(MENU, "4")], "bills"),
        ([("choose:continue|again", "2"), ("choose:en|sw", "2"), (MENU, "1")], "read"),
        ([(MENU, "5"), ("choose:language|pin", "1"), ("choose:en|sw", "2"), (MENU, "3")], "balance"),
        ([("choose:1000017|1000025", "1"), (MENU, "3")], "balance"),
        ([(MENU, "72")], CODES["72"]),
        ([(MENU, "Lipa")], ""),
        ([("ask:amount", "500")], ""),
    ],
)
def test_what_it_was_about(said: list[tuple[str, str]], expected: str) -> None:
    journal = (Done("identify", "{}", False), *(Said(screen, text, at) for at, (screen, text) in enumerate(said, 1)))
    assert flow_of(codec.dumps(State(journal))) == expected


def test_a_state_of_another_release_is_about_nothing_known() -> None:
    assert flow_of("{}") == ""
