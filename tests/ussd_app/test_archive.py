"""What the office later sees of a session."""

import json
from datetime import UTC, datetime, timedelta
from time import time

import pytest
from redis import Redis
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from core.clock import frozen, now
from core.config import Settings
from core.conversations import Conversation, hops_of, recent
from core.phone import Phone
from tests.ussd_app.handset import Dial
from tests.ussd_app.town import settle_town
from ussd_app import archive
from ussd_app.session import SESSIONS, About, Commit, Hop, SessionStore, digest_of, key_of

PHONE = Phone("+254700000001")
KEY = key_of("africastalking", "ATUid_1")

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def store(redis: "Redis") -> SessionStore:
    return SessionStore(redis)


def take(store: SessionStore, *inputs: str, ends: bool = False) -> None:
    stored = store.load(KEY, len(inputs))
    hop = Hop("".join(inputs[-1:]), f"screen{len(inputs)}", "sw", time(), 7)
    about = About("africastalking", "ATUid_1", PHONE, "*384*7#", "63902", time())
    reply = f"{'END' if ends else 'CON'} after {len(inputs)}"
    store.commit(
        KEY,
        Commit(
            stored.revision if stored else "", len(inputs), digest_of(inputs), "", "{}", "", ends, reply, about, hop
        ),
    )


def kept(session: Session) -> list[Conversation]:
    session.expire_all()
    return recent(session, phone=PHONE)


def test_a_session_that_ended_is_kept_with_its_turns(store: SessionStore, redis: "Redis", session: Session) -> None:
    take(store)
    take(store, "2")
    take(store, "2", "500", ends=True)
    assert archive.drain(redis) == 1
    assert archive.drain(redis) == 0
    [conversation] = kept(session)
    assert (conversation.outcome, conversation.hops, conversation.language) == ("completed", 3, "sw")
    assert [(hop.position, hop.said, hop.reply) for hop in hops_of(session, conversation.id)] == [
        (0, "", "CON after 0"),
        (1, "2", "CON after 1"),
        (2, "500", "END after 2"),
    ]
    assert store.load(KEY, 2) is not None, "a late repeat is still answered"


def test_a_session_in_progress_is_left_alone_until_it_is_given_up(
    store: SessionStore, redis: "Redis", session: Session
) -> None:
    take(store)
    assert archive.drain(redis) == 0
    redis.zadd(SESSIONS, {KEY: int(time()) - 1})
    archive.drain(redis)
    [conversation] = kept(session)
    assert conversation.outcome == "dropped"
    take(store, "1", ends=True)
    archive.drain(redis)
    [conversation] = kept(session)
    assert (conversation.outcome, conversation.hops) == ("completed", 2)


def test_a_crash_between_keeping_and_forgetting_does_no_harm(
    store: SessionStore, redis: "Redis", session: Session
) -> None:
    take(store, ends=True)
    archive.drain(redis)
    redis.zadd(SESSIONS, {KEY: 0})
    archive.drain(redis)
    [conversation] = kept(session)
    assert len(hops_of(session, conversation.id)) == 1


def test_a_session_lost_with_redis_is_forgotten(redis: "Redis") -> None:
    redis.zadd(SESSIONS, {KEY: 0})
    assert archive.drain(redis) == 1
    assert archive.drain(redis) == 0


@pytest.mark.parametrize("first", ["notice", "archive"])
def test_the_gateways_word_is_kept_beside_ours(
    store: SessionStore, redis: "Redis", session: Session, first: str
) -> None:
    take(store, ends=True)

    def notice() -> None:
        archive.gateway_ended(
            session, "africastalking", "ATUid_1", PHONE, service_code="*384*7#", network="63902", status="Failed",
            error="Bad response",
        )  # fmt: skip
        session.commit()

    steps = [notice, lambda: archive.drain(redis)]
    for step in steps if first == "notice" else reversed(steps):
        step()
    notice()
    [conversation] = kept(session)
    assert (conversation.outcome, conversation.gateway_status) == ("failed", "Failed")
    assert (conversation.hops, conversation.gateway_error) == (1, "Bad response")


def test_how_long_she_took_and_which_screens_were_new(store: SessionStore, redis: "Redis", session: Session) -> None:
    take(store)
    take(store, "9")
    take(store, "9", "2", ends=True)
    for position, (screen, at) in enumerate([("choose:read|pay", 0), ("choose:read|pay", 4.5), ("end", 64)]):
        hop = json.loads(redis.hget(KEY, f"hop:{position}") or "")
        redis.hset(KEY, f"hop:{position}", json.dumps(hop | {"screen": screen, "at": 1_700_000_000 + at}))
    archive.drain(redis)
    [conversation] = kept(session)
    turns = [(hop.screen, hop.first, hop.waited_s) for hop in hops_of(session, conversation.id)]
    assert turns == [("choose:read|pay", True, 4), ("choose:read|pay", False, 59), ("end", True, None)]
    assert (conversation.last_screen, conversation.outcome) == ("end", "completed")


def test_a_session_that_went_on_after_it_was_given_up_is_told_anew(
    store: SessionStore, redis: "Redis", session: Session
) -> None:
    take(store)
    redis.zadd(SESSIONS, {KEY: 0})
    archive.drain(redis)
    [conversation] = kept(session)
    assert [hop.waited_s for hop in hops_of(session, conversation.id)] == [None]
    take(store, "1", ends=True)
    archive.drain(redis)
    [conversation] = kept(session)
    assert [hop.waited_s for hop in hops_of(session, conversation.id)] == [0, None]
    assert conversation.last_screen == "screen1"


def notice(session: Session, status: str, *, duration_ms: int | None = None, hops: int | None = None) -> None:
    archive.gateway_ended(
        session, "africastalking", "ATUid_1", PHONE, service_code="*384*7#", network="63902", status=status, error="",
        duration_ms=duration_ms, hops=hops, cost="KES 0.10",
    )  # fmt: skip
    session.commit()


@pytest.mark.parametrize("first", ["notice", "archive"])
@pytest.mark.parametrize(
    ("duration_ms", "outcome"), [(5_000, "dropped"), (45_000, "timed_out"), (179_000, "timed_out")]
)
def test_the_notice_tells_hanging_up_from_running_out_of_time(
    store: SessionStore, redis: "Redis", session: Session, first: str, duration_ms: int, outcome: str
) -> None:
    take(store)
    redis.zadd(SESSIONS, {KEY: 0})
    if first == "archive":
        archive.drain(redis)
    notice(session, "Incomplete", duration_ms=duration_ms, hops=1)
    notice(session, "Incomplete", duration_ms=duration_ms, hops=1)
    archive.drain(redis)
    [conversation] = kept(session)
    assert (conversation.outcome, conversation.hops) == (outcome, 1)
    evidence = conversation.gateway_duration_ms, conversation.gateway_hops, conversation.gateway_cost
    assert evidence == (duration_ms, 1, "KES 0.10")


def test_a_notice_alone_is_a_conversation_too(session: Session) -> None:
    notice(session, "Success", duration_ms=12_000, hops=3)
    [conversation] = kept(session)
    assert (conversation.outcome, conversation.hops) == ("completed", 0)
    assert conversation.ended_at - conversation.started_at == timedelta(seconds=12)


STEPS = [("READ", "What does it show?", "ask:reading", False), ("1234", "Thank you.", "end", True)]


def text(session: Session, position: int, at: datetime) -> None:
    said, reply, screen, ends = STEPS[position]
    archive.text_step(
        session, conversation=f"sms:7:{PHONE}", phone=PHONE, position=position, said=said, reply=reply, screen=screen,
        language="en", ends=ends, started_at=at, ms=9, flow="read",
    )  # fmt: skip
    session.commit()


def test_a_conversation_by_sms_is_kept_step_by_step_and_once(session: Session) -> None:
    began = now()
    text(session, 0, began)
    text(session, 0, began + timedelta(seconds=3))
    [conversation] = kept(session)
    assert (conversation.outcome, conversation.hops, conversation.flow) == ("open", 1, "read")
    for at in (50, 52):
        text(session, 1, began + timedelta(seconds=at))
    text(session, 0, began + timedelta(seconds=60))
    [conversation] = kept(session)
    assert (conversation.channel, conversation.provider, conversation.outcome) == ("sms", "sms", "completed")
    assert (conversation.hops, conversation.last_screen, conversation.language) == (2, "end", "en")
    turns = [(hop.said, hop.reply, hop.at, hop.waited_s) for hop in hops_of(session, conversation.id)]
    first, last = began, began + timedelta(seconds=50)
    assert turns == [("READ", "What does it show?", first, 50), ("1234", "Thank you.", last, None)]
    assert conversation.started_at == began


def test_an_sms_that_nobody_answers_runs_out_of_time(redis: "Redis", session: Session) -> None:
    began = datetime(2026, 11, 21, 8, tzinfo=UTC)
    text(session, 0, began)
    for minutes, outcome in ((14, "open"), (16, "timed_out")):
        with frozen(began + timedelta(minutes=minutes)):
            archive.drain(redis)
        [conversation] = kept(session)
        assert (conversation.outcome, conversation.last_screen) == (outcome, "ask:reading")


def test_a_real_session_is_kept_with_what_it_was_about_and_nothing_of_the_notices_text(
    handset: Dial, redis: "Redis", session: Session, settings: Settings
) -> None:
    [home] = settle_town(session, 1)
    caller = handset(home.phone)
    caller.dial()
    caller.say("2")
    form = {
        "sessionId": caller.session_id, "phoneNumber": home.phone, "networkCode": "63902", "serviceCode": "*384*7#",
        "status": "Incomplete", "cost": "KES 0.10", "durationInMillis": "4200", "hopsCount": "2", "input": "2*987654",
        "lastAppResponse": "CON Your PIN 987654", "date": "2026-11-21 08:00:00", "hopsMetadata": "",
    }  # fmt: skip
    assert caller.client.post(f"/ussd/{settings.gateway_secret}/africastalking/events", data=form).status_code == 200
    for name in redis.zrange(SESSIONS, 0, -1):
        redis.zadd(SESSIONS, {name: 0})
    archive.drain(redis)
    session.expire_all()
    [conversation] = recent(session, phone=home.phone)
    assert (conversation.flow, conversation.outcome, conversation.hops) == ("pay", "dropped", 2)
    assert (conversation.gateway_duration_ms, conversation.gateway_hops) == (4200, 2)
    assert conversation.gateway_cost == "KES 0.10"
    tables = ("conversation", "conversation_hop")
    kept_text = "".join(str(session.execute(sql(f"SELECT * FROM {table}")).all()) for table in tables)
    assert "987654" not in kept_text
