"""The outbox: nothing is lost between a commit and a worker, nothing is done twice."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from redis import Redis
from redis.exceptions import ConnectionError
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.clock import frozen, now
from core.database import transaction
from core.outbox import JOBS, STEPS, Outbox, after_commit
from ussd_app import jobs, queues, relay
from ussd_app.stores import patient

pytestmark = pytest.mark.usefixtures("database", "redis")
done: list[int] = []


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    done.clear()
    monkeypatch.setitem(JOBS, "test.count", done.append)
    monkeypatch.setitem(JOBS, "billing.test", done.append)


def queue_up(*subjects: int, job: str = "test.count", delay_s: float = 0) -> None:
    with transaction() as session:
        for subject in subjects:
            after_commit(session, job, subject, delay_s=delay_s)


def work() -> None:
    """Let a worker empty the queues."""
    names = [queues.queue(queues.PROMPT), queues.queue(queues.BULK)]
    SimpleWorker(names, connection=patient(), serializer=JSONSerializer).work(burst=True, logging_level="ERROR")


def rows() -> list[Outbox]:
    with transaction() as session:
        return list(session.scalars(select(Outbox).order_by(Outbox.id)))


def test_a_row_goes_through_the_queue_to_its_job() -> None:
    queue_up(1, 2, 3)
    assert relay.hand_over() == 3
    assert relay.hand_over() == 0
    work()
    assert sorted(done) == [1, 2, 3]
    assert all(row.done_at and row.attempts == 1 for row in rows())


def test_a_row_waits_for_its_time() -> None:
    queue_up(1, delay_s=60)
    assert relay.hand_over() == 0


def test_bulk_work_goes_behind_what_a_customer_waits_for() -> None:
    queue_up(1, 2, job="billing.test")
    queue_up(3)
    relay.hand_over()
    work()
    assert done == [3, 1, 2]


def test_a_row_lost_after_its_hand_over_is_handed_again(redis: "Redis") -> None:
    queue_up(7)
    assert relay.hand_over() == 1
    redis.flushall()
    assert relay.hand_over() == 0, "the lease still runs"
    with transaction() as session:
        session.execute(update(Outbox).values(handed_at=now() - relay.LEASE - timedelta(seconds=1)))
    assert relay.hand_over() == 1
    work()
    assert done == [7]


def test_a_row_handed_twice_is_done_once() -> None:
    queue_up(7)
    relay.hand_over()
    [row] = rows()
    queues.hand(queues.PROMPT, [row.id])
    queues.hand(queues.BULK, [row.id])
    work()
    assert done == [7]


def test_a_failing_job_waits_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_subject: int) -> None:
        raise ValueError("broken inside")

    monkeypatch.setitem(JOBS, "test.count", fail)
    queue_up(1)
    moment = now()
    waits = []
    for _attempt in range(3):
        with frozen(moment):
            relay.hand_over()
            work()
        [row] = rows()
        assert row.done_at is None
        assert row.handed_at is None
        assert row.last_error == "ValueError: broken inside"
        waits.append((row.run_after - moment).total_seconds())
        moment = row.run_after
    assert waits == [2, 4, 8]


def test_two_workers_never_share_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    started, go_on = Event(), Event()

    def slow(subject: int) -> None:
        done.append(subject)
        started.set()
        assert go_on.wait(10)

    monkeypatch.setitem(JOBS, "test.count", slow)
    queue_up(5)
    [row] = rows()
    first = Thread(target=jobs.run_job, args=[row.id])
    first.start()
    assert started.wait(10)
    jobs.run_job(row.id)
    go_on.set()
    first.join()
    jobs.run_job(row.id)
    assert done == [5]


def test_two_relays_share_the_work() -> None:
    queue_up(*range(150))
    handed: list[int] = []
    relays = [Thread(target=lambda: handed.append(relay.hand_over())) for _ in range(4)]
    for thread in relays:
        thread.start()
    for thread in relays:
        thread.join()
    assert sum(handed) == 150


def test_the_queues_are_kept_short_and_the_rest_waits_in_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "ROOM", 10)
    queue_up(*range(25))
    assert relay.hand_over() == 10
    assert relay.hand_over() == 0
    work()
    assert relay.hand_over() == 10


def test_redis_away_leaves_the_rows_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    queue_up(1)
    stop = Event()
    refused = []

    def away(name: str, outbox_ids: list[int], together: int) -> None:
        refused.append(outbox_ids)
        stop.set()
        raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr(relay, "hand", away)
        relay.run_forever(stop)
    assert refused
    assert rows()[0].handed_at is None
    assert relay.hand_over() == 1


def test_a_step_and_the_mark_on_its_row_are_one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def follow(session: Session, subject: int) -> None:
        after_commit(session, "test.count", subject)
        if fails:
            raise ValueError("broken")

    fails = True
    monkeypatch.setitem(STEPS, "test.step", follow)
    queue_up(5, job="test.step")
    jobs.run_jobs([row.id for row in rows()])
    (left,) = rows()
    assert (left.done_at, left.attempts, left.last_error) == (None, 1, "ValueError: broken")
    fails = False
    with frozen(left.run_after):
        jobs.run_jobs([left.id, left.id])
    first, second = rows()
    assert first.done_at
    assert (second.job, second.subject_id) == ("test.count", 5)


def test_many_notices_go_to_a_worker_together() -> None:
    queue_up(*range(25), job="payments.settle")
    assert relay.hand_over() == 25
    assert len(queues.queue(queues.PROMPT)) == 3
