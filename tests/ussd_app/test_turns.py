"""Sessions in bad weather: every conversation goes the same way, and its writes are made once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NoReturn

import pytest
from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError
from redis.retry import Retry
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import Reading
from core.config import Settings
from core.database import transaction
from payments.models import PaymentIntent
from tests.ussd_app.handset import Dial, Handset
from tests.ussd_app.town import Household, settle_town, vacant
from tests.ussd_app.walking import WALKS, WRITES, Said, Walk, effects, plain, typed, walk
from ussd_app import take
from ussd_app.session import SessionStore


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_ends_with_its_writes(homes: list[Household], handset: Dial, name: str) -> None:
    phone = handset(homes[0].phone)
    walked = walk(phone, WALKS[name])
    assert walked.screens[-1].startswith("END "), walked.screens
    assert all(screen.startswith("CON ") for screen in walked.screens[:-1])
    assert len(effects(phone)) == WRITES[name]


@pytest.mark.parametrize("name", WALKS)
def test_every_hop_again_gets_the_same_bytes(homes: list[Household], handset: Dial, name: str) -> None:
    def repeated(phone: Handset, _hop: int, screen: str) -> None:
        assert phone.again() == screen
        assert phone.again() == screen

    phone = handset(homes[0].phone)
    walked = walk(phone, WALKS[name], repeated)
    made = effects(phone)
    for hop, screen in zip(walked.hops, walked.screens, strict=True):
        assert phone.again(hop) == screen, "an old hop that comes late gets its own screen"
    assert effects(phone) == made
    assert len(made) == WRITES[name]


@pytest.mark.parametrize("name", WALKS)
def test_redis_emptied_between_any_two_hops_changes_nothing(
    homes: list[Household], handset: Dial, redis: "Redis", undisturbed: Callable[[str], list[str]], name: str
) -> None:
    expected = undisturbed(name)
    for cut, home in zip(range(len(WALKS[name]) + 1), homes, strict=False):

        def emptied(phone: Handset, hop: int, screen: str, cut: int = cut) -> None:
            if hop == cut:
                redis.flushall()
                assert phone.again() == screen, "the hop is repeated after the loss"
                redis.flushall()

        phone = handset(home.phone)
        assert plain(walk(phone, WALKS[name], emptied), home) == expected
        assert len(effects(phone)) == WRITES[name]


@pytest.mark.parametrize("name", WALKS)
def test_without_redis_the_service_goes_on(
    homes: list[Household], handset: Dial, undisturbed: Callable[[str], list[str]], name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    expected = undisturbed(name)
    nowhere = Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(take, "quick", lambda: nowhere)

    def repeated(phone: Handset, _hop: int, screen: str) -> None:
        assert phone.again() == screen

    phone = handset(homes[0].phone)
    assert plain(walk(phone, WALKS[name], repeated), homes[0]) == expected
    assert len(effects(phone)) == WRITES[name]


@pytest.mark.parametrize("name", WALKS)
def test_redis_away_for_one_hop_and_back_with_an_older_session(
    homes: list[Household], handset: Dial, undisturbed: Callable[[str], list[str]], name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    expected = undisturbed(name)
    commit = SessionStore.commit

    def away(*_: object) -> NoReturn:
        raise ConnectionError("away")

    for cut, home in zip(range(len(WALKS[name]) + 1), homes, strict=False):

        def weather(phone: Handset, hop: int, screen: str, cut: int = cut) -> None:
            # The hop after the one named is answered and its writes are made, but it is not stored.
            monkeypatch.setattr(SessionStore, "commit", away if hop == cut - 1 else commit)
            if hop == cut and hop % 2:
                assert phone.again() == screen

        phone = handset(home.phone)
        assert plain(walk(phone, WALKS[name], weather), home) == expected
        assert len(effects(phone)) == WRITES[name]


def test_registering_walks_the_same_way_after_a_loss(session: Session, handset: Dial, redis: "Redis") -> None:
    account_no = vacant(session)
    steps: tuple[Said, ...] = (("Register",), "Wanjiku Kamau", ("English",), account_no, ("Yes",))
    phone = handset("+254711000001")

    def emptied(phone: Handset, _hop: int, screen: str) -> None:
        redis.flushall()
        assert phone.again() == screen

    walked = walk(phone, steps, emptied)
    assert "Welcome, Wanjiku Kamau" in walked.screens[-1]
    assert effects(phone) == [("5.0", "register")]
    again = handset("+254711000001").dial()
    assert "Read my meter" in again


@pytest.mark.parametrize("name", ["reading", "pay all", "language and reading"])
def test_dialled_through_is_the_same_as_step_by_step(homes: list[Household], handset: Dial, name: str) -> None:
    stepwise = handset(homes[0].phone)
    walked = walk(stepwise, WALKS[name])
    through = handset(homes[1].phone)
    last = Walk([], [through.dial(*stepwise.inputs)])
    assert plain(last, homes[1]) == plain(walked, homes[0])[-1:]
    assert effects(through) == effects(stepwise)
    assert through.again() == last.screens[0]


@pytest.mark.parametrize("name", ["reading", "pay all"])
def test_of_twins_at_once_one_writes_and_all_say_the_same(
    homes: list[Household], app: Flask, settings: Settings, name: str
) -> None:
    phone = Handset(app.test_client(), homes[0].phone, settings.gateway_secret)
    walk(phone, WALKS[name][:-1])
    last = [*phone.inputs, typed(phone.again(), WALKS[name][-1])]
    twins = [replace(phone, client=app.test_client(), inputs=last) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        screens = list(threads.map(Handset.again, twins))
    assert set(screens) == {phone.again(last)}
    assert len(effects(phone)) == 1
    with transaction() as session:
        made = [*session.scalars(select(PaymentIntent)), *session.scalars(select(Reading).where(Reading.value == 117))]
    assert len(made) == 1


def test_forty_sessions_at_once_never_see_each_other(session: Session, app: Flask, settings: Settings) -> None:
    homes = settle_town(session, 40, first=101)
    others = {home.phone: [o for o in homes if o is not home] for home in homes}

    def live(home: Household) -> list[str]:
        screens = []
        for name in ("balance and pay", "reading"):
            phone = Handset(app.test_client(), home.phone, settings.gateway_secret)
            screens += walk(phone, WALKS[name], lambda phone, _hop, screen: same(phone, screen)).screens
        return screens

    def same(phone: Handset, screen: str) -> None:
        assert phone.again() == screen

    with ThreadPoolExecutor(16) as threads:
        lived = list(threads.map(live, homes))
    for home, screens in zip(homes, lived, strict=True):
        text = "\n".join(screens)
        assert home.account_no in text
        assert home.serial in text
        for other in others[home.phone]:
            assert other.account_no not in text
            assert other.serial not in text
    with transaction() as books:
        assert len(list(books.scalars(select(Reading).where(Reading.value == 117)))) == 40
        paid = list(books.scalars(select(PaymentIntent)))
    assert {intent.connection_id for intent in paid} == {home.connection_id for home in homes}
    assert len(paid) == 40
