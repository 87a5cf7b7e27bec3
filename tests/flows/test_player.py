"""The player's promises: Back, Home, More, dial-through and writes, whatever is typed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.i18n import _
from core.text import septets
from flows import codec, player
from flows.journal import Said, State
from flows.menu import CODES, ussd_menu
from flows.pages import KEYS, Budget, Keys, budget_for
from flows.player import Reply
from flows.sample_world import KINDS, RIGHT_PIN, SampleWorld
from flows.values import Unfinished

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
    replies, world = play(["6", "1", "2", "3", "0", "0", "0"])
    assert replies[3].state.language == "sw"
    assert [write[0] for write in world.writes] == ["set_language"]
    assert all("Soma mita yangu" in reply.text for reply in replies[5:])


def test_home_and_the_same_way_again_is_a_second_write() -> None:
    _replies, world = play(["6", "1", "2", "00", "6", "1", "2"])
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


def test_options_are_numbered_around_the_keys_for_navigation() -> None:
    keys = Keys(back="1", home="3", more="9")
    screen = Budget(156, True, keys)
    world = SampleWorld(KINDS["one connection"])
    first = player.open_conversation(ussd_menu, world, screen)
    numbers = [line.split(".")[0] for line in first.text.split("\n")[2:]]
    assert numbers == ["2", "4", "5", "6", "7", "8", "10"]
    pay = player.answer(ussd_menu, first.state, "4", 1, world, screen)
    assert pay.screen == "choose:amount"
    assert player.answer(ussd_menu, pay.state, "1", 2, world, screen).text == first.text
    assert player.answer(ussd_menu, pay.state, "3", 2, world, screen).text == first.text


@given(st.integers(1, 120), st.sets(st.integers(0, 99), min_size=3, max_size=3))
def test_no_option_has_the_number_of_a_key(count: int, taken: set[int]) -> None:
    keys = Keys(*map(str, taken))
    numbers = keys.numbers(count)
    assert len(set(numbers)) == count
    assert not {keys.back, keys.home, keys.more} & set(numbers)
    assert [keys.index(number, count) for number in numbers] == [str(at) for at in range(1, count + 1)]


@pytest.mark.parametrize(("code", "task"), sorted(CODES.items()))
def test_a_code_means_the_same_in_every_menu(code: str, task: str) -> None:
    for kind, caller in KINDS.items():
        replies, _world = play([code], kind)
        if caller.known and caller.connections and kind != "dropped while reading":
            assert not replies[-1].text.startswith("Please answer"), (kind, task)
            assert replies[-1].screen != replies[0].screen, (kind, task)


def test_a_code_is_no_number_of_an_option_and_no_key() -> None:
    assert not set(CODES) & {KEYS.back, KEYS.home, KEYS.more, *KEYS.numbers(20)}


def test_a_pin_is_in_no_journal_and_not_needed_a_second_time() -> None:
    replies, world = play(["6", "2", "1111", RIGHT_PIN, "Wanjiku Njeri"], "with a PIN")
    stored = [codec.dumps(reply.state) for reply in replies]
    assert not any("1111" in state or RIGHT_PIN in state for state in stored)
    assert [reply.secret for reply in replies] == [False, False, False, True, True, False]
    assert [write[0] for write in world.writes] == ["check_pin", "check_pin", "rename"]


def test_a_secret_that_is_refused_is_a_secret_all_the_same() -> None:
    replies, _world = play(["6", "3", "12345"])
    assert replies[-1].secret
    assert "12345" not in codec.dumps(replies[-1].state)


def test_a_dropped_conversation_is_taken_up_where_it_broke_off() -> None:
    replies, _world = play(["2", "500"])
    world = SampleWorld(KINDS["one connection"], left=Unfinished("ask", replies[-1].answers))
    offer = player.open_conversation(ussd_menu, world, SCREEN)
    assert offer.options[0].msgid == "Continue"
    assert player.answer(ussd_menu, offer.state, "1", 1, world, SCREEN).text == replies[-1].text
    assert not world.writes
    again = player.answer(ussd_menu, offer.state, "2", 1, world, SCREEN)
    assert "Read my meter" in again.text


def test_one_that_may_simply_go_on_is_not_asked_about() -> None:
    replies, _world = play(["1"])
    world = SampleWorld(KINDS["one connection"], left=Unfinished("continue", replies[-1].answers))
    assert player.open_conversation(ussd_menu, world, SCREEN).text == replies[-1].text


def test_nothing_is_done_for_her_when_a_conversation_is_taken_up() -> None:
    """Her answers would now go past the confirmation: then the menu is all that she gets."""
    menu = "choose:read|pay|balance|bills|fault|account|help"
    answers = ((menu, "2"), ("choose:amount", "500"), ("choose:yes|no", "1"))
    for how in ("ask", "continue"):
        world = SampleWorld(KINDS["one connection"], left=Unfinished(how, answers))
        reply = player.replay(ussd_menu, ["1"] if how == "ask" else [], world, SCREEN)
        assert not reply.ends
        assert not world.writes


def test_a_conversation_that_wrote_or_heard_a_pin_is_not_taken_up() -> None:
    assert play(["2"])[0][-1].answers
    assert not play(["6", "1", "2"])[0][-1].answers, "the language was set"
    assert not play(["6", "2", RIGHT_PIN], "with a PIN")[0][-1].answers


def test_a_note_stands_above_the_next_screen() -> None:
    replies, world = play(["1"])
    reply = player.answer(ussd_menu, replies[-1].state, "abc", 2, world, SCREEN, note=_("Time is nearly up."))
    assert not reply.text.startswith("Time"), "a refusal says what is wrong, and has no room for more"
    reply = player.answer(ussd_menu, replies[0].state, "1", 1, world, SCREEN, note=_("Time is nearly up."))
    assert reply.text.startswith("Time is nearly up.\nMeter")
    end = player.answer(ussd_menu, reply.state, "1234", 2, world, SCREEN, note=_("Time is nearly up."))
    assert end.text.startswith("Thank you."), "at the end there is nothing left to hurry for"


@given(st.lists(TYPED, max_size=12), st.sampled_from(sorted(KINDS)))
@settings(max_examples=150, deadline=None)
def test_whatever_is_typed(inputs: list[str], kind: str) -> None:
    replies, world = play(inputs, kind)
    for reply in replies:
        assert 0 < (septets(reply.text) or 0) <= PAGE, reply.text
        assert codec.dumps(codec.loads(codec.dumps(reply.state))) == codec.dumps(reply.state)
    again = SampleWorld(KINDS[kind])
    assert player.replay(ussd_menu, inputs, again, SCREEN).text == replies[-1].text
    assert again.writes == world.writes


@pytest.mark.parametrize("raw", ["", "{", "[]", "[1,2,3]", '[[["a"]],0,"en"]', '[[{"n":1}],0,"en"]', "null"])
def test_a_state_that_is_none_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="not a conversation's state"):
        codec.loads(raw)
