"""What a turn is told by: who calls, from where, what was said before; and what happens when all else fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

import pytest
from redis import Redis
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.ussd_app.handset import Dial, Handset
from tests.ussd_app.town import Household, settle_town
from tests.ussd_app.walking import WALKS, effects, plain, typed, walk
from ussd_app.actions import BookActions
from ussd_app.session import key_of
from ussd_app.turn_books import TurnBooks


def test_another_phone_in_the_same_session_sees_nothing(homes: list[Household], handset: Dial) -> None:
    hers = handset(homes[0].phone)
    hers.dial(typed(hers.dial(), ("Balance",)))
    stranger = replace(hers, phone=homes[1].phone)
    screen = stranger.again()
    assert screen.startswith("END ")
    assert homes[0].account_no not in screen
    assert homes[0].account_no in hers.again(), "and hers goes on"


def test_another_service_code_in_the_same_session_is_a_conflict(homes: list[Household], handset: Dial) -> None:
    hers = handset(homes[0].phone)
    hers.dial()
    assert replace(hers, service_code="*384*9#").again().startswith("END ")


def test_other_inputs_at_a_place_that_was_answered_are_a_conflict(homes: list[Household], handset: Dial) -> None:
    phone = handset(homes[0].phone)
    first = phone.dial()
    phone.say(typed(first, ("Pay",)))
    before = phone.say("2")
    assert phone.again([phone.inputs[0], "1"]).startswith("END ")
    assert phone.again(["6", "2", "500"]).startswith("END ")
    assert phone.again() == before, "the session itself is unharmed"


def test_a_gap_is_walked_and_a_stale_hop_moves_nothing(homes: list[Household], handset: Dial) -> None:
    phone = handset(homes[0].phone)
    first = phone.dial()
    phone.inputs = [typed(first, ("Pay",)), "2", "300"]
    confirming = phone.again()
    assert "KES 300" in confirming
    assert phone.again(phone.inputs[:1]) == confirming, "it never saw that hop, so it shows where it stands"
    assert phone.say("1").startswith("END ")
    assert len(effects(phone)) == 1


def test_after_the_end_there_is_only_the_end(homes: list[Household], handset: Dial) -> None:
    phone = handset(homes[0].phone)
    end = walk(phone, WALKS["reading"]).screens[-1]
    assert phone.say("1") == end
    assert phone.say("500") == end


@pytest.mark.parametrize(("language", "sorry"), [("en", "Sorry"), ("sw", "Samahani")])
def test_a_failure_inside_is_a_sentence_in_her_language(
    session: Session, handset: Dial, monkeypatch: pytest.MonkeyPatch, language: str, sorry: str
) -> None:
    [home] = settle_town(session, 1, first=301, language=language)
    phone = handset(home.phone)
    phone.dial()

    def broken(*_: object) -> NoReturn:
        raise RuntimeError("SELECT * FROM secrets")

    with monkeypatch.context() as patched:
        patched.setattr(BookActions, "do", broken)
        said = phone.again(["2"])
    assert said.startswith(f"END {sorry}")
    assert "SELECT" not in said
    assert phone.again(["2"]).startswith("CON "), "the failure left nothing behind"


def test_a_restart_of_the_database_is_waited_out(
    homes: list[Household], handset: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = handset(homes[0].phone)
    walk(phone, WALKS["reading"][:-1])
    writing = TurnBooks.writing
    attempts = []

    @contextmanager
    def restarting(books: TurnBooks) -> Iterator[Session]:
        with writing(books) as session:
            yield session
        attempts.append(books)
        if len(attempts) == 1:
            raise OperationalError("COMMIT", {}, Exception("the connection was lost with the answer to the commit"))

    monkeypatch.setattr(TurnBooks, "writing", restarting)
    assert "117" in phone.say("117")
    assert effects(phone) == [("3.0", "submit_reading")]


def test_a_session_in_another_releases_form_is_lived_again_from_the_input(
    homes: list[Household], handset: Dial, redis: "Redis", undisturbed: Callable[[str], list[str]]
) -> None:
    def deployed(phone: Handset, _hop: int, _screen: str) -> None:
        redis.hset(key_of("africastalking", phone.session_id), "state", "another form")

    walked = walk(handset(homes[0].phone), WALKS["pay part"], deployed)
    assert plain(walked, homes[0]) == undisturbed("pay part")


def test_a_session_expires(homes: list[Household], handset: Dial, redis: "Redis") -> None:
    phone = handset(homes[0].phone)
    phone.dial()
    assert 180 < redis.ttl(key_of("africastalking", phone.session_id)) <= 3600
