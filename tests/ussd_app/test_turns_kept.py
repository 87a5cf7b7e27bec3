"""What a turn leaves behind for later ones: a conversation to take up, no secret, and the time that is left."""

from typing import Any

import pytest
from redis import Redis

from tests.ussd_app.handset import Dial, Handset
from tests.ussd_app.town import Household
from tests.ussd_app.walking import WALKS, effects, typed, walk
from ussd_app import take
from ussd_app.session import key_of, unfinished_key


def dropped(handset: Dial, home: Household) -> tuple[Handset, str]:
    """A payment that broke off at its last question."""
    phone = handset(home.phone)
    return phone, walk(phone, WALKS["pay part"][:-1]).screens[-1]


def test_a_dropped_conversation_is_taken_up_where_it_broke_off(homes: list[Household], handset: Dial) -> None:
    _first, last_screen = dropped(handset, homes[0])
    again = handset(homes[0].phone)
    offer = again.dial()
    assert "1. Continue" in offer
    question = again.say("1")
    assert question.splitlines()[0] == last_screen.splitlines()[0]
    assert again.say(typed(question, ("Yes",))).startswith("END ")
    assert [action for _key, action in effects(again)] == ["unfinished", "request_payment"]


def test_taken_up_it_goes_the_same_way_after_a_loss(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    dropped(handset, homes[0])
    again = handset(homes[0].phone)
    again.dial()
    redis.flushall()
    question = again.say("1")
    redis.flushall()
    assert again.again() == question
    assert "KES 300" in question


def test_nothing_is_offered_to_another_phone_or_after_the_end(homes: list[Household], handset: Dial) -> None:
    phone, last_screen = dropped(handset, homes[0])
    assert "Continue" not in handset(homes[1].phone).dial()
    phone.say(typed(last_screen, ("Yes",)))
    assert "Continue" not in handset(homes[0].phone).dial()


def test_the_offer_stands_until_it_is_answered(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    dropped(handset, homes[0])
    assert "Continue" in handset(homes[0].phone).dial()
    again = handset(homes[0].phone)
    offer = again.dial()
    assert "Continue" in offer
    assert "Read my meter" in again.say(typed(offer, ("Start again",)))
    assert redis.exists(unfinished_key(homes[0].phone)) == 0
    assert "Continue" not in handset(homes[0].phone).dial()


def test_what_went_on_to_write_is_not_offered_although_the_store_did_not_learn_of_it(
    homes: list[Household], handset: Dial, redis: "Redis"
) -> None:
    phone, confirm = dropped(handset, homes[0])
    left = redis.get(unfinished_key(homes[0].phone))
    assert phone.say(typed(confirm, ("Yes",))).startswith("END ")
    redis.set(unfinished_key(homes[0].phone), left)  # type: ignore[arg-type]  # as a store of a moment ago has it
    assert "Continue" not in handset(homes[0].phone).dial()


def test_what_is_left_does_not_stay_for_ever(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    dropped(handset, homes[0])
    assert 0 < redis.ttl(unfinished_key(homes[0].phone)) <= 600


def test_a_session_that_is_nearly_over_says_so(
    homes: list[Household], handset: Dial, monkeypatch: pytest.MonkeyPatch, redis: "Redis"
) -> None:
    phone = handset(homes[0].phone)
    first = phone.dial()
    redis.hincrbyfloat(key_of("africastalking", phone.session_id), "began", -take.NEARLY_UP_S)
    screen = phone.say(typed(first, ("Pay",)))
    assert screen.startswith("CON Time is nearly up. Dial again to go on.\n")
    assert "KES 1,250" in screen


def everything(redis: "Redis") -> str:
    """All that the store holds, as text."""
    whole: list[Any] = []
    for key in redis.scan_iter("*"):
        kind = redis.type(key)
        whole.append(key)
        whole.append(redis.hgetall(key) if kind == b"hash" else redis.get(key) if kind == b"string" else "")
    return repr(whole)


def test_a_pin_is_nowhere(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    phone = handset(homes[0].phone)
    screen = phone.dial()
    for step in (("My account",), ("PIN",)):
        screen = phone.say(typed(screen, step))
    if "1. " in screen:
        screen = phone.say("1")
    for _ in range(2):
        screen = phone.say("8642")
    assert len(effects(phone)) == 1, screen
    assert "8642" not in everything(redis)
    assert "****" in everything(redis)
