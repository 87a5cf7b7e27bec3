"""What every gateway's adapter holds to, whichever its dialect: one conversation, in fair weather and in foul."""

from collections.abc import Callable

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import Client

from core.config import Settings
from core.conversations import Conversation, recent
from tests.ussd_app.handset import CARRIERS, Carrier
from tests.ussd_app.town import Household
from tests.ussd_app.walking import typed
from ussd_app import archive
from ussd_app.edge import Edge
from ussd_app.effects import Effect
from ussd_app.gateways.web import DIALECTS
from ussd_app.stores import patient

READ: tuple[str | tuple[str, ...], ...] = (("Read my meter",), "12o", "117")
"""To the reading by way of a slip: 12o is no number."""

PickUp = Callable[..., Carrier]


@pytest.fixture(params=CARRIERS, ids=lambda carrier: carrier.gateway)
def pick_up(request: pytest.FixtureRequest, app: Flask, redis: "Redis", settings: Settings) -> PickUp:
    served = Client(Edge(app.wsgi_app, DIALECTS))

    def phone(number: str, **changed: str) -> Carrier:
        carrier: Carrier = request.param(served, number, **{"secret": settings.gateway_secret, **changed})
        return carrier

    return phone


def converse(phone: Carrier, after: Callable[[str], None] = lambda _screen: None) -> list[str]:
    """The whole conversation; `after` is called with each screen when it was shown."""
    screens = [phone.dial()]
    after(screens[-1])
    for step in READ:
        screens.append(phone.say(typed(screens[-1], step)))
        after(screens[-1])
    return screens


def written(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Effect.action).where(Effect.action == "submit_reading")))


def test_every_dialect_is_under_this_contract() -> None:
    assert {carrier.gateway for carrier in CARRIERS} == {dialect.name for dialect in DIALECTS}


def test_a_whole_conversation(pick_up: PickUp, homes: list[Household], session: Session) -> None:
    screens = converse(pick_up(homes[0].phone))
    assert [screen[:4] for screen in screens] == ["CON "] * 3 + ["END "]
    assert "117" in screens[-1]
    assert written(session) == ["submit_reading"]


def test_dialled_in_one_go(pick_up: PickUp, homes: list[Household], session: Session) -> None:
    stepwise, through = pick_up(homes[0].phone), pick_up(homes[1].phone)
    converse(stepwise)
    screen = through.dial(*stepwise.typed)
    assert screen.startswith("END ")
    assert "117" in screen
    assert through.again() == screen
    assert written(session) == ["submit_reading"] * 2


def test_every_step_sent_twice_is_done_once(pick_up: PickUp, homes: list[Household], session: Session) -> None:
    phone = pick_up(homes[0].phone)

    def repeated(screen: str) -> None:
        assert phone.again() == screen
        assert phone.again() == screen

    assert "117" in converse(phone, repeated)[-1]
    assert written(session) == ["submit_reading"]


def test_an_old_step_sent_late_moves_nothing(pick_up: PickUp, homes: list[Household], session: Session) -> None:
    phone = pick_up(homes[0].phone)
    seen: list[str] = []

    def late(screen: str) -> None:
        seen.append(screen)
        for place in range(len(seen)):
            assert phone.again(place)[:4] in ("CON ", "END ")
        assert phone.again() == screen, "she still stands where she stood"

    assert "117" in converse(phone, late)[-1]
    assert written(session) == ["submit_reading"]


def test_after_the_end_nothing_moves(pick_up: PickUp, homes: list[Household], session: Session) -> None:
    phone = pick_up(homes[0].phone)
    end = converse(phone)[-1]
    assert phone.again() == end
    for said in ("1", "118"):
        assert phone.say(said).startswith("END ")
    assert written(session) == ["submit_reading"]


def test_another_number_with_her_session_id_learns_nothing(
    pick_up: PickUp, homes: list[Household], session: Session
) -> None:
    hers, his = homes[:2]
    phone = pick_up(hers.phone)

    def stolen(screen: str) -> None:
        thief = phone.as_phone(his.phone)
        for place in range(len(thief.sent)):
            seen = thief.again(place)
            assert hers.account_no not in seen
            assert hers.serial not in seen
        assert phone.again() == screen, "hers goes on"

    assert "117" in converse(phone, stolen)[-1]
    assert written(session) == ["submit_reading"]
    session.rollback()
    assert session.scalar(text("SELECT count(*) FROM reading WHERE value = 117")) == 1


def test_with_a_wrong_secret_nothing_is_there(
    pick_up: PickUp, homes: list[Household], session: Session, redis: "Redis"
) -> None:
    phone = pick_up(homes[0].phone)
    converse(phone)
    session.rollback()
    before, kept = session.scalar(select(func.count()).select_from(Effect)), redis.dbsize()
    for wrong in ("wrong", phone.secret[:-1], phone.secret.upper(), "x" * 500):
        stranger = pick_up(homes[1].phone, secret=wrong)
        stranger.sent = phone.sent
        assert {stranger.post(fields).status_code for fields in phone.sent} == {404}
        notice = stranger.hang_up()
        assert notice is None or notice.status_code == 404
    session.rollback()
    assert (session.scalar(select(func.count()).select_from(Effect)), redis.dbsize()) == (before, kept)


def test_what_is_malformed_is_refused(pick_up: PickUp, homes: list[Household], redis: "Redis") -> None:
    phone = pick_up(homes[0].phone)
    phone.typed = []
    lawful = phone.fields("*384*7#", new=True)
    session_id, caller = phone.identity
    wrong = [{name: value for name, value in lawful.items() if name != missing} for missing in phone.required]
    wrong += [{**lawful, session_id: bad} for bad in ("", "a b", "x" * 200, "a\0b")]
    wrong += [{**lawful, caller: bad} for bad in ("", "hello", "+0", "1" * 400, "*384*7#")]
    wrong += [{**lawful, phone.words: "1" * 10_000}]
    for fields in wrong:
        answer = phone.post(fields)
        assert answer.status_code == 400, fields
        assert answer.content_type == "text/plain; charset=utf-8"
        assert homes[0].phone not in answer.get_data(as_text=True)
    assert redis.dbsize() == 0


def test_other_methods_are_refused(pick_up: PickUp, homes: list[Household], redis: "Redis") -> None:
    phone = pick_up(homes[0].phone)
    for method in ("PUT", "DELETE", "PATCH", "HEAD"):
        assert phone.client.open(phone.url, method=method).status_code == 405
    assert redis.dbsize() == 0


def test_the_end_notice_may_be_missing_late_or_doubled(
    pick_up: PickUp, homes: list[Household], session: Session, redis: "Redis"
) -> None:
    missing, early, late = (pick_up(home.phone) for home in homes[:3])
    for phone in (missing, early, late):
        phone.say(typed(phone.dial(), ("Read my meter",)))
    for _ in range(2):
        told(early.hang_up())
    sweep()
    told(late.hang_up())
    redis.flushall()
    told(late.hang_up())
    session.rollback()
    for phone in (missing, early, late):
        [kept] = recent(session, phone=phone.phone)  # type: ignore[arg-type]
        assert (kept.outcome in ("dropped", "timed_out"), kept.hops) == (True, 2), phone
        notified = phone is not missing and phone.hang_up() is not None
        assert (kept.gateway_status is not None) is notified


def test_a_notice_of_a_session_that_nobody_knows_does_no_harm(pick_up: PickUp, session: Session) -> None:
    notice = pick_up("+254700009999").hang_up()
    if notice is not None:
        told(notice)
        session.rollback()
        assert session.scalar(select(func.count()).select_from(Conversation)) == 1


def test_what_was_typed_never_stands_in_the_archive_by_a_notice(
    pick_up: PickUp, homes: list[Household], session: Session, redis: "Redis", capfd: pytest.CaptureFixture[str]
) -> None:
    phone = pick_up(homes[0].phone, code="*384*7*5*7391#")
    phone.typed = ["5", "7391"]
    if phone.hang_up() is None:
        return
    session.rollback()
    kept = session.scalars(text("SELECT c::text FROM conversation c")).all()
    assert len(kept) == 1
    assert "7391" not in kept[0]
    assert "7391" not in capfd.readouterr().out
    for key in redis.keys("*"):
        assert b"7391" not in redis.dump(key)  # type: ignore[operator]


def told(notice: object) -> None:
    """A notice is always taken, where there is one."""
    assert notice is None or notice.status_code == 200  # type: ignore[attr-defined]


def sweep() -> None:
    """Archive all that is in the store, as if nobody had typed for long."""
    redis = patient()
    for name in redis.zrange(archive.SESSIONS, 0, -1):
        redis.zadd(archive.SESSIONS, {name: 0})  # type: ignore[dict-item]
    archive.drain(redis)
