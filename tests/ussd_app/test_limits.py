"""Too often in a short time: who is refused, for how long, in what words, and who never is."""

from dataclasses import replace

import pytest
from redis import Redis
from redis.exceptions import ConnectionError
from sqlalchemy.orm import Session

from core.config import Settings
from core.i18n import LANGUAGES, say
from core.phone import Phone
from core.text import septets
from tests.ussd_app.handset import Dial
from tests.ussd_app.town import settle_town
from ussd_app import limits
from ussd_app.limits import EVERYONE, TooMany, too_many

HERS, HIS = Phone("+254700000001"), Phone("+254700000002")


@pytest.fixture(autouse=True)
def strict(settings: Settings, redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A service in earnest: three sessions in ten minutes, two messages, ten of all numbers in a minute."""
    earnest = replace(settings, demo=False, limit_sessions=3, limit_messages=2, limit_everyone=10)
    monkeypatch.setattr(limits, "settings", lambda: earnest)
    return earnest


def test_one_number_is_refused_and_another_is_not() -> None:
    assert [too_many(HERS) for _ in range(3)] == [None] * 3
    refused = too_many(HERS)
    assert isinstance(refused, TooMany)
    assert say(refused.sentence, "en") == "This phone has called too often. Please try again in 10 minutes."
    assert too_many(HIS) is None


def test_only_the_first_refusal_is_marked() -> None:
    found = [too_many(HERS) for _ in range(6)]
    assert [refused.first for refused in found if refused] == [True, False, False]


def test_messages_are_counted_apart() -> None:
    assert [bool(too_many(HERS, "messages")) for _ in range(3)] == [False, False, True]
    assert too_many(HERS) is None


def test_waiting_is_enough_and_trying_does_not_prolong_it(redis: "Redis") -> None:
    for _ in range(9):
        too_many(HERS)
    [key] = redis.keys("mita:limit:sessions:*")
    assert 0 < redis.ttl(key) <= 600
    redis.expire(key, 61)
    refused = too_many(HERS)
    assert refused is not None
    assert "in 2 minutes" in say(refused.sentence, "en")
    redis.delete(key)
    assert too_many(HERS) is None


def test_all_numbers_together_have_a_limit_too(redis: "Redis") -> None:
    found = [too_many(Phone(f"+2547000001{number:02d}")) for number in range(12)]
    assert [bool(refused) for refused in found] == [False] * 10 + [True] * 2
    assert "Very many people" in say(found[-1].sentence, "en")  # type: ignore[union-attr]
    assert 0 < redis.ttl(EVERYONE) <= 60


def test_without_a_store_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Redis:
        raise ConnectionError("away")

    monkeypatch.setattr(limits, "quick", away)
    assert [too_many(HERS) for _ in range(9)] == [None] * 9


def test_no_limit_is_no_count(strict: Settings, redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    for free in (replace(strict, demo=True), replace(strict, limit_sessions=0, limit_everyone=0)):
        monkeypatch.setattr(limits, "settings", lambda free=free: free)
        assert [too_many(HERS) for _ in range(30)] == [None] * 30
    assert redis.dbsize() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_fits_one_screen(language: str) -> None:
    for _ in range(4):
        refused = too_many(HERS)
    assert refused is not None
    assert (septets(say(refused.sentence, language)) or 999) <= 156


def test_over_the_limit_a_dial_is_answered_and_a_session_goes_on(handset: Dial, session: Session) -> None:
    [home] = settle_town(session, 1)
    phones = [handset(home.phone) for _ in range(4)]
    screens = [phone.dial() for phone in phones]
    assert [screen[:4] for screen in screens] == ["CON ", "CON ", "CON ", "END "]
    assert screens[-1] == "END This phone has called too often. Please try again in 10 minutes."
    assert phones[-1].again() == screens[-1]
    assert phones[0].say("1").startswith("CON "), "who was let in goes on"
    assert phones[0].again().startswith("CON ")
