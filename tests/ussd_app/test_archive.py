"""What the office later sees of a session."""

from time import time

import pytest
from redis import Redis
from sqlalchemy.orm import Session

from core.conversations import Conversation, hops_of, recent
from core.phone import Phone
from ussd_app import archive
from ussd_app.session import SESSIONS, About, Commit, Hop, SessionStore, digest_of, key_of

PHONE = Phone("+254700000001")
KEY = key_of("africastalking", "ATUid_1")
ABOUT = About("africastalking", "ATUid_1", PHONE, "*384*7#", "63902", time())

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def store(redis: "Redis") -> SessionStore:
    return SessionStore(redis)


def take(store: SessionStore, *inputs: str, ends: bool = False) -> None:
    stored = store.load(KEY, len(inputs))
    hop = Hop("".join(inputs[-1:]), f"screen{len(inputs)}", "sw", time(), 7)
    reply = f"{'END' if ends else 'CON'} after {len(inputs)}"
    store.commit(
        KEY,
        Commit(
            stored.revision if stored else "", len(inputs), digest_of(inputs), "", "{}", "", ends, reply, ABOUT, hop
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
