"""Gateways that send only what was typed last: the same guards, with the store as the only memory."""

from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.ussd_app.town import Household
from tests.ussd_app.walking import WALKS, WRITES, Said, effects_of, typed
from ussd_app import archive, latest, take
from ussd_app.take import take_latest
from ussd_app.turn import Answer

NUMBERS = count(1)


@dataclass
class Latest:
    """A session at such a gateway, which numbers its requests or not."""

    phone: str
    numbered: bool
    session_id: str = field(default_factory=lambda: f"s{token_hex(6)}")
    number: str = ""

    def dial(self, said: str = "") -> Answer:
        return self.send(said, new=True)

    def say(self, said: str) -> Answer:
        return self.send(said)

    def send(self, said: str, *, new: bool = False, again: bool = False) -> Answer:
        if self.numbered and not again:
            self.number = str(next(NUMBERS))
        return take_latest("test", self.session_id, self.phone, "63902", said, new=new, request_id=self.number)  # type: ignore[arg-type]

    def walk(self, steps: tuple[Said, ...], *, repeated: bool = False) -> list[Answer]:
        answers = [self.dial()]
        if repeated:
            assert self.send("", new=True, again=True) == answers[0]
        for step in steps:
            said = typed(answers[-1].line, step)
            if not self.numbered and len(answers) > 1:
                # Typing takes a person longer than a gateway's second try.
                self.later()
            answers.append(self.say(said))
            if repeated:
                assert self.send(said, again=True) == answers[-1]
        return answers

    def later(self) -> None:
        store = take.quick()
        key = f"mita:session:{{test:{self.session_id}}}"
        moment, rest = (store.hget(key, "last") or b"").decode().split(" ", 1)  # type: ignore[union-attr]
        store.hset(key, "last", f"{float(moment) - latest.AGAIN_S:.3f} {rest}")


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("name", WALKS)
def test_every_walk_with_each_step_sent_twice(
    homes: list[Household], redis: "Redis", name: str, numbered: bool
) -> None:
    phone = Latest(homes[0].phone, numbered)
    answers = phone.walk(WALKS[name], repeated=True)
    assert [answer.ends for answer in answers] == [False] * len(WALKS[name]) + [True]
    assert len(effects_of(phone.session_id)) == WRITES[name]


def test_the_same_key_twice_is_two_answers_where_requests_are_numbered(homes: list[Household], redis: "Redis") -> None:
    phone = Latest(homes[0].phone, numbered=True)
    phone.dial()
    first = phone.say("2")
    assert phone.say("2") != first


def test_dialled_through_is_one_step(homes: list[Household], redis: "Redis") -> None:
    phone = Latest(homes[0].phone, numbered=True)
    assert "117" in phone.dial("1*117").text
    assert phone.send("1*117", new=True, again=True).ends
    assert len(effects_of(phone.session_id)) == 1


def test_a_session_that_is_gone_is_not_guessed_at(homes: list[Household], redis: "Redis") -> None:
    phone = Latest(homes[0].phone, numbered=True)
    assert phone.say("2") == Answer("Please dial again.", ends=True)
    phone.dial()
    redis.flushall()
    assert phone.say("2") == Answer("Please dial again.", ends=True)


def test_a_new_session_under_an_old_name_is_another_conversation(homes: list[Household], redis: "Redis") -> None:
    phone = Latest(homes[0].phone, numbered=True)
    first = phone.walk(WALKS["pay part"])
    second = phone.walk(("2", "2", "301", "1"))
    assert first[-1].ends
    assert second[-1].ends
    made = effects_of(phone.session_id)
    assert len(made) == 2, "the second payment is not taken for the first one"
    assert archive.drain(redis) == 2, "and both are archived"


def test_the_start_of_a_session_that_comes_again_later_keeps_its_place(homes: list[Household], redis: "Redis") -> None:
    phone = Latest(homes[0].phone, numbered=False)
    first = phone.dial()
    phone.later()
    assert phone.dial() == first
    assert archive.drain(redis) == 0


def test_another_phone_sees_nothing_and_disturbs_nothing(homes: list[Household], redis: "Redis") -> None:
    hers = Latest(homes[0].phone, numbered=True)
    hers.dial()
    hers.say("3")
    stranger = Latest(homes[1].phone, numbered=True, session_id=hers.session_id)
    for answer in (stranger.say("1"), stranger.dial(), stranger.say("1")):
        assert answer == Answer("Please dial again.", ends=True)
    assert homes[0].account_no in hers.say("1").text


def test_without_the_store_there_is_a_polite_end(
    homes: list[Household], redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(take, "quick", lambda: nowhere)
    answer = Latest(homes[0].phone, numbered=True).dial()
    assert answer.ends
    assert answer.text.startswith("Sorry")
