"""Sessions in bad weather: every conversation goes the same way, and its writes are made once."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NoReturn

import pytest
from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError
from redis.retry import Retry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from billing.models import Reading
from core.config import Settings
from core.database import transaction
from payments.models import PaymentIntent
from tests.ussd_app.conftest import Dial, Handset
from tests.ussd_app.town import Household, settle_town, vacant
from ussd_app import effects as effects_module
from ussd_app import take, world
from ussd_app.actions import BookActions
from ussd_app.effects import Effect
from ussd_app.session import SessionStore, key_of

Said = str | tuple[str, ...]
"""What she types, or the wording of the option she picks (as a tuple: in each language)."""

WALKS: dict[str, tuple[Said, ...]] = {
    "reading": (("Read my meter",), "12o", "117"),
    "high reading": (("Read my meter",), "900", ("Yes",)),
    "reading, changed her mind": (("Read my meter",), "50", "900", ("No",)),
    "pay all": (("Pay",), ("KES 1,250 (all)",), ("Yes",)),
    "pay part": (("Pay",), ("Another amount",), "0", ("Another amount",), "abc", "300", ("Yes",)),
    "balance and pay": (("Balance",), ("Pay",), ("Another amount",), "1", ("Yes",)),
    "bill, home, help": (("My last bill",), "00", ("Help",)),
    "language and reading": (("Language",), ("Kiswahili",), ("Read my meter", "Soma mita yangu"), "117"),
}
WRITES = {
    "reading": 1, "high reading": 1, "reading, changed her mind": 0, "pay all": 1, "pay part": 1, "balance and pay": 1,
    "bill, home, help": 0, "language and reading": 2,
}  # fmt: skip


@dataclass
class Walk:
    """A conversation walked to its end: the hops as they were sent, and the screens."""

    hops: list[list[str]]
    screens: list[str]


Weather = Callable[[Handset, int, str], None]


def calm(_phone: Handset, _hop: int, _screen: str) -> None:
    pass


def walk(phone: Handset, steps: tuple[Said, ...], weather: Weather = calm) -> Walk:
    """Walk it; `weather` happens after each hop, and is given the phone, the hop and the screen it showed."""
    walked = Walk([[]], [phone.dial()])
    weather(phone, 0, walked.screens[0])
    for number, step in enumerate(steps, 1):
        phone.inputs.append(typed(walked.screens[-1], step))
        walked.hops.append(list(phone.inputs))
        walked.screens.append(phone.again())
        weather(phone, number, walked.screens[-1])
    return walked


def typed(screen: str, step: Said) -> str:
    """The keys for a step on this screen."""
    if isinstance(step, str):
        return step
    options = {wording: number for number, wording in re.findall(r"^(\d+)\. (.+)$", screen, re.MULTILINE)}
    [number] = [options[wording] for wording in step if wording in options] or [f"none of {step} in {screen!r}"]
    assert number.isdigit(), number
    return number


def plain(walked: Walk, home: Household) -> list[str]:
    """The screens without what differs between two households."""
    local = f"0{home.phone[4:]}"
    mine = {home.account_no: "<account>", home.serial: "<meter>", home.phone: "<phone>", local: "<phone>"}
    screens = []
    for screen in walked.screens:
        for own, name in mine.items():
            screen = screen.replace(own, name)
        screens.append(screen)
    return screens


def effects(phone: Handset) -> list[tuple[str, str]]:
    with transaction() as session:
        rows = session.scalars(select(Effect).where(Effect.conversation.contains(phone.session_id)).order_by(Effect.id))
        return [(effect.key, effect.action) for effect in rows]


@pytest.fixture
def homes(session: Session) -> list[Household]:
    return settle_town(session, 12)


@pytest.fixture
def undisturbed(homes: list[Household], handset: Dial) -> Callable[[str], list[str]]:
    """The screens of a walk in calm weather, by the last household of the town."""
    home = homes[-1]
    return lambda name: plain(walk(handset(home.phone), WALKS[name]), home)


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
    once = effects_module.once
    attempts = []

    def restarting(*args: object) -> str:
        attempts.append(args)
        made = once(*args)  # type: ignore[arg-type]
        if len(attempts) == 1:
            raise OperationalError("COMMIT", {}, Exception("the connection was lost with the answer to the commit"))
        return made

    monkeypatch.setattr(world, "once", restarting)
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
