"""The lines of turns to PostgreSQL live as long as the threads that they belong to."""

from threading import Thread
from time import monotonic, sleep

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.statements import row
from ussd_app.deadline import Deadline
from ussd_app.turn_books import TurnBooks

OPEN = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mita-turn'")


def ask() -> None:
    with TurnBooks(Deadline()) as books, books.reading() as session:
        assert row(session, "SELECT 1") == (1,)


def lines(session: Session) -> int:
    session.rollback()
    return session.scalar(OPEN) or 0


def test_the_line_of_a_thread_that_has_ended_is_closed(session: Session) -> None:
    before = lines(session)
    for _ in range(5):
        thread = Thread(target=ask)
        thread.start()
        thread.join()
    until = monotonic() + 5
    while lines(session) > before and monotonic() < until:
        sleep(0.05)
    assert lines(session) == before
