"""The player's promises: Back, Home, More, dial-through and writes, whatever is typed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.text import septets
from flows import codec, player
from flows.journal import Said, State
from flows.menu import ussd_menu
from flows.pages import budget_for
from flows.player import Reply
from flows.sample_world import KINDS, SampleWorld

SCREEN = budget_for("63902")
PAGE = 156
TYPED = st.one_of(
    st.sampled_from(["0", "00", "98", *map(str, range(1, 12)), "500", "1234", "1999", "1000017", "Neema Wekesa", ""]),
    st.text(max_size=200),
)


def play(inputs: list[str], kind: str = "one connection") -> tuple[list[Reply], SampleWorld]:
    """Every reply from the first screen on."""
    world = SampleWorld(KINDS[kind])
    replies = [player.open_conversation(ussd_menu, world, SCREEN)]
    for position, said in enumerate(inputs, 1):
        if replies[-1].ends:
            break
        replies.append(player.answer(ussd_menu, replies[-1].state, said, position, world, SCREEN))
    return replies, world


@pytest.mark.parametrize("inputs", [["2", "1", "1"], ["1", "1234"]])
def test_the_shortest_ways_have_three_inputs_at_most(inputs: list[str]) -> None:
    replies, world = play(inputs)
    assert replies[-1].ends
    assert len(world.writes) == 1


def test_refused_answers_leave_no_trace() -> None:
    replies, _world = play(["2", "2", "abc", "9" * 10_000, "\U0001f600\x00\x1b", "500"])
    assert all(reply.state == replies[2].state for reply in replies[2:6])
    assert "Pay KES 500" in replies[-1].text


def test_back_shows_the_screen_before_and_home_the_first() -> None:
    replies, _world = play(["2", "2", "500", "0", "0", "0", "0", "2", "2", "00"])
    shown = [reply.text for reply in replies]
    assert shown[4:7] == [shown[2], shown[1], shown[0]]
    assert shown[7] == shown[0]
    assert shown[10] == shown[0]


def test_back_never_crosses_a_write() -> None:
    replies, world = play(["5", "2", "3", "0", "0", "0"])
    assert replies[2].state.language == "sw"
    assert [write[0] for write in world.writes] == ["set_language"]
    assert all("Soma mita yangu" in reply.text for reply in replies[4:])


def test_home_and_the_same_way_again_is_a_second_write() -> None:
    _replies, world = play(["5", "2", "00", "5", "2"])
    assert len(world.writes) == 2
    assert len(world.made) == 2


def test_the_same_turn_twice_is_one_write() -> None:
    replies, world = play(["2", "1"])
    twice = [player.answer(ussd_menu, replies[-1].state, "1", 3, world, SCREEN) for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(world.writes) == 1


def test_a_journal_that_no_longer_fits_leads_to_the_menu_politely() -> None:
    replies, world = play(["2"])
    journal = (*replies[-1].state.journal, Said("ask:a question of last week", "x", 2))
    reply = player.answer(ussd_menu, State(journal, 0, "sw"), "1", 3, world, SCREEN)
    assert reply.text.startswith("The menu has changed. Please start again.")
    assert not reply.ends


def test_more_and_back_turn_pages_that_the_flow_never_sees() -> None:
    replies, _world = play(["2", "98", "98", "98", "0"], "many connections")
    assert [reply.state.page for reply in replies] == [0, 0, 1, 2, 3, 2]
    assert all(reply.state.journal == replies[1].state.journal for reply in replies[1:])


@given(st.lists(TYPED, max_size=12), st.sampled_from(sorted(KINDS)))
@settings(max_examples=150, deadline=None)
def test_whatever_is_typed(inputs: list[str], kind: str) -> None:
    replies, world = play(inputs, kind)
    for reply in replies:
        assert 0 < (septets(reply.text) or 0) <= PAGE, reply.text
        assert codec.loads(codec.dumps(reply.state)) == reply.state
    again = SampleWorld(KINDS[kind])
    assert player.replay(ussd_menu, inputs, again, SCREEN) == replies[-1]
    assert again.writes == world.writes


@pytest.mark.parametrize("raw", ["", "{", "[]", "[1,2,3]", '[[["a"]],0,"en"]', '[[{"n":1}],0,"en"]', "null"])
def test_a_state_that_is_none_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"state|Expecting|unpack"):
        codec.loads(raw)
