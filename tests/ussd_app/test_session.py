"""The store of sessions: one winner for each turn, receipts by position, nothing left for ever."""

from threading import Barrier, Thread

import pytest
from redis import Redis

from core.config import Settings
from ussd_app.session import LIFETIME_S, About, Commit, Hop, Receipt, SessionStore, digest_of, key_of

KEY = key_of("africastalking", "ATUid_1")
ABOUT = About("africastalking", "ATUid_1", "+254700000001", "*384*7#", "63902", 1_700_000_000.0)
HOP = Hop("1", "menu", "en", 1_700_000_000.0, 3)
FIRST = Commit("", 0, "d" * 32, "+254700000001 *384*7#", "{}", "", False, "CON Hello\n1. Bill", ABOUT, HOP)
RECEIPT = Receipt(FIRST.digest, FIRST.reply, "menu")


@pytest.fixture
def store(redis: "Redis", settings: Settings) -> SessionStore:
    return SessionStore(redis)


def test_nothing_is_there_at_first(store: SessionStore) -> None:
    assert store.load(KEY, 0) is None


def test_a_commit_is_loaded_as_it_was(store: SessionStore) -> None:
    assert store.commit(KEY, FIRST) == (True, None)
    stored = store.load(KEY, 0)
    assert stored is not None
    assert (stored.position, stored.bound, stored.state, stored.ended) == (0, FIRST.bound, "{}", False)
    assert stored.receipt == RECEIPT
    assert store.load(KEY, 1).receipt is None  # type: ignore[union-attr]


def test_a_second_commit_on_the_same_revision_loses_and_learns_the_winner(store: SessionStore) -> None:
    store.commit(KEY, FIRST)
    assert store.commit(KEY, FIRST._replace(reply="CON Other")) == (False, RECEIPT)


def test_a_session_made_anew_is_not_taken_for_the_old_one(store: SessionStore, redis: "Redis") -> None:
    store.commit(KEY, FIRST)
    old = store.load(KEY, 0)
    redis.flushall()
    store.commit(KEY, FIRST)
    assert old is not None
    won, _receipt = store.commit(KEY, FIRST._replace(revision=old.revision, position=1))
    assert not won


def test_the_script_is_loaded_again_after_a_restart(store: SessionStore, redis: "Redis") -> None:
    redis.script_flush()
    assert store.commit(KEY, FIRST) == (True, None)


def test_of_many_at_once_one_wins(store: SessionStore) -> None:
    barrier, results = Barrier(16), []

    def race(number: int) -> None:
        barrier.wait()
        results.append((store.commit(KEY, FIRST._replace(reply=f"CON {number}")), f"CON {number}"))

    threads = [Thread(target=race, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = [reply for (won, _), reply in results if won]
    assert all(receipt == Receipt(FIRST.digest, winner, "menu") for (won, receipt), _ in results if not won)


def test_a_session_does_not_stay_for_ever(store: SessionStore, redis: "Redis") -> None:
    store.commit(KEY, FIRST)
    assert 0 < redis.ttl(KEY) <= LIFETIME_S


def test_the_digest_knows_where_one_input_ends(settings: Settings) -> None:
    texts = [(), ("",), ("1",), ("1", ""), ("", "1"), ("1", "2"), ("12",), ("1", "2", "3"), ("1", "23"), ("1:2",)]
    assert len({digest_of(inputs) for inputs in texts}) == len(texts)
