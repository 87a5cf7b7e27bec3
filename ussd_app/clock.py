"""The clock: starts what is due by the time. Any number may run; one acts, the others stand by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from time import monotonic

import structlog
from redis import RedisError
from sqlalchemy import Connection, delete, text
from sqlalchemy.exc import SQLAlchemyError

import billing.books
import payments.books
from billing.anomalies import start_searches
from billing.plans import track_all
from core.clock import now
from core.database import engine, transaction
from core.outbox import Outbox
from payments import pulling
from payments.janitor import sweep
from payments.reconciliation import prepare_lately
from ussd_app import archive, late, logs
from ussd_app.stores import patient

LOCK = 0x636C6F636B  # "clock"
TICK_S = 1.0
STANDBY_S = 3.0
OUTBOX_KEPT = timedelta(days=30)

log = structlog.get_logger("clock")


@dataclass
class Chore:
    """Something to do every `every_s` seconds. `due` is a moment of the monotonic clock."""

    name: str
    every_s: float
    do: Callable[[], object]
    due: float = 0.0


def chores() -> list[Chore]:
    return [
        Chore("archive", 2, archive_sessions),
        Chore("late turns", 1, late.hand_over),
        Chore("janitor", 5, sweep),
        Chore("pulling", 60, pulling.sweep),
        Chore("books", 3600, check_books),
        Chore("plans", 3600, track_plans),
        Chore("anomalies", 60, start_anomaly_searches),
        Chore("reconciliation", 3600, prepare_lately),
        Chore("outbox", 3600, sweep_outbox),
    ]


def run_forever(stop: Event) -> None:
    """Stand by, act while the lock is ours, until `stop` is set. Outages are waited out."""
    logs.configure()
    log.info("clock.started")
    while not stop.is_set():
        try:
            with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                if _mine(connection):
                    act(connection, chores(), stop)
        except SQLAlchemyError as error:
            log.warning("clock.waits", error=type(error).__name__)
        stop.wait(STANDBY_S)
    log.info("clock.stopped")


def _mine(connection: Connection) -> bool:
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}))


def act(connection: Connection, todo: list[Chore], stop: Event) -> None:
    """Do each chore when it is due, as long as the connection that holds the lock lives."""
    log.info("clock.acts")
    try:
        while not stop.is_set():
            connection.execute(text("SELECT 1"))
            for chore in todo:
                if chore.due <= monotonic():
                    chore.due = monotonic() + chore.every_s
                    run(chore)
            stop.wait(TICK_S)
    finally:
        if not connection.invalidated and not connection.closed:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


def run(chore: Chore) -> None:
    """Do a chore; its failure is logged and is no reason to leave the others undone."""
    try:
        chore.do()
    except (SQLAlchemyError, RedisError) as error:
        log.warning("clock.chore_waits", chore=chore.name, error=type(error).__name__)
    except Exception:
        log.exception("clock.chore_failed", chore=chore.name)


def archive_sessions() -> None:
    while archive.drain(patient()) == archive.BATCH:
        pass


def check_books() -> int:
    """Count the violations of every invariant of the books; each kind is an error in the log."""
    with transaction() as session:
        found = [*billing.books.check(session), *payments.books.check(session)]
        billing.books.remember(session, found)
    broken = [invariant for invariant in found if invariant.violations]
    for invariant in broken:
        log.error(
            "books.violated", invariant=invariant.name, violations=invariant.violations, sample=invariant.sample[:5]
        )
    log.info("books.checked", invariants=len(found), violated=len(broken))
    return sum(invariant.violations for invariant in broken)


def track_plans() -> None:
    """Payment plans that were kept or broken since the hour before."""
    with transaction() as session:
        track_all(session)


def start_anomaly_searches() -> None:
    """Runs that were issued since: what they billed is looked through for months that stand out."""
    with transaction() as session:
        start_searches(session)


def sweep_outbox() -> None:
    """Forget work that was done long ago."""
    with transaction() as session:
        session.execute(delete(Outbox).where(Outbox.done_at < now() - OUTBOX_KEPT))
