"""The relay: hands the rows of the outbox that are due to the workers, and hands again what was not done."""

from collections import defaultdict
from datetime import timedelta
from threading import Event

import structlog
from redis import RedisError
from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from core.clock import now
from core.database import transaction
from core.outbox import Outbox
from ussd_app import logs
from ussd_app.queues import BULK, PROMPT, hand, name_for, queue, together

PAUSE_S = 0.25
BATCH = 200
ROOM = 500  # rows in the queues at most; the rest waits in the outbox, where nothing can be lost
LEASE = timedelta(seconds=15)  # a row handed over and not done by then is handed over again

log = structlog.get_logger("relay")


def run_forever(stop: Event) -> None:
    """Hand over until `stop` is set. Outages of PostgreSQL and Redis are waited out."""
    logs.configure()
    log.info("relay.started")
    while not stop.is_set():
        try:
            handed = hand_over()
        except (SQLAlchemyError, RedisError) as error:
            log.warning("relay.waits", error=type(error).__name__)
            stop.wait(1)
            continue
        if handed < BATCH:
            stop.wait(PAUSE_S)
    log.info("relay.stopped")


def hand_over() -> int:
    """One batch: mark the rows that are due, commit, then put them into the queues. Returns how many."""
    room = min(BATCH, ROOM - len(queue(PROMPT)) - len(queue(BULK)))
    if room <= 0:
        return 0
    due = _marked(room)
    by_queue = defaultdict(list)
    for outbox_id, job in due:
        by_queue[name_for(job), together(job)].append(outbox_id)
    try:
        for (name, at_once), outbox_ids in by_queue.items():
            hand(name, outbox_ids, at_once)
    except RedisError:
        _unmark([outbox_id for outbox_id, _job in due])
        raise
    return len(due)


def _marked(limit: int) -> list[tuple[int, str]]:
    """Rows that are due, marked as handed over. Another relay skips those that this one is looking at."""
    moment = now()
    with transaction() as session:
        rows = session.scalars(
            select(Outbox)
            .where(
                Outbox.done_at.is_(None),
                Outbox.run_after <= moment,
                or_(Outbox.handed_at.is_(None), Outbox.handed_at < moment - LEASE),
            )
            .order_by(Outbox.run_after)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.handed_at = moment
        return [(row.id, row.job) for row in rows]


def _unmark(outbox_ids: list[int]) -> None:
    with transaction() as session:
        session.execute(update(Outbox).where(Outbox.id.in_(outbox_ids)).values(handed_at=None))
