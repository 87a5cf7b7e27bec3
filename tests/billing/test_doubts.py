"""Readings that came late, were doubted or put right: their place, trust, review, corrections."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing.corrections import CorrectionRefusal, correct_reading, corrections_of
from billing.judgement import judge
from billing.models import Connection, Reading, ReadingCorrection, SelfReading
from billing.models import MeterAssignment as Place
from billing.readings import Recorded, Refused, accept_reading, latest_reading
from billing.trust import AUDIT_EVERY
from tests.billing.estate import Estate, must_read, read
from tests.billing.self_reading import TODAY, by_herself, home, november, usage_of

CLERK = "office amina"
__all__ = ["home", "november"]


# Late arrivals


def test_a_late_reading_parts_the_usage_of_the_one_after_it(session: Session, home: Connection) -> None:
    late = must_read(session, home, 265, date(2026, 10, 10))
    after = session.scalars(select(Reading).where(Reading.value == 280)).one()
    assert (late.reading.usage, after.usage) == (5, 15)
    assert usage_of(session, home) == 180
    for value in (259, 281):
        assert isinstance(read(session, home, value, date(2026, 10, 11)), Refused)
    assert judge(session, home.id, Decimal(265), on=date(2026, 10, 10)).kind == "duplicate"


def test_a_late_reading_over_a_rollover(session: Session) -> None:
    home = Estate(session).metered(start=99_990)
    must_read(session, home, 15, date(2026, 4, 30))
    must_read(session, home, 99_995, date(2026, 2, 28))
    must_read(session, home, 4, date(2026, 3, 31))
    query = select(Reading.value, Reading.usage, Reading.turn).order_by(Reading.taken_on)
    assert session.execute(query).tuples().all()[1:] == [
        (99_995, 5, "forward"), (4, 9, "rollover"), (15, 11, "forward"),
    ]  # fmt: skip


@pytest.mark.parametrize(("start", "kind"), [(899, "below"), (900, "ok"), (990, "ok")])
def test_dials_go_round_by_themselves_only_from_their_last_tenth(session: Session, start: int, kind: str) -> None:
    """Whatever the limit says: over 294 days 1,176 units would not be high."""
    home = Estate(session).metered(start=start, digits=3)
    assert judge(session, home.id, Decimal(5), on=TODAY).kind == kind


# Trust and review


def test_every_sixth_self_reading_waits_for_a_recall(session: Session, home: Connection) -> None:
    for count in range(1, AUDIT_EVERY):
        assert by_herself(session, home, 280 + count, TODAY - timedelta(days=20 - count)).status == "accepted"
    due = by_herself(session, home, 290)
    assert (due.status, due.reading.doubt) == ("review", "audit")
    assert isinstance(accept_reading(session, due.reading.id, CLERK), Recorded)
    known = session.get_one(SelfReading, home.id, populate_existing=True)
    assert (known.state, known.streak, known.audited_on) == ("trusted", 0, TODAY)


def test_the_utilitys_own_reading_is_the_audit(session: Session, home: Connection) -> None:
    by_herself(session, home, 285, TODAY - timedelta(days=10))
    must_read(session, home, 292, TODAY - timedelta(days=5))
    assert session.get_one(SelfReading, home.id, populate_existing=True).state == "trusted"
    by_herself(session, home, 293, TODAY - timedelta(days=4))
    must_read(session, home, 330, TODAY - timedelta(days=3))
    assert session.get_one(SelfReading, home.id, populate_existing=True).state == "watched"
    assert by_herself(session, home, 331).reading.doubt == "watched"


def test_a_field_reading_below_her_own_sets_hers_aside(session: Session, home: Connection) -> None:
    hers = by_herself(session, home, 300, TODAY - timedelta(days=3))
    assert isinstance(read(session, home, 290, TODAY, source="field"), Refused)
    parked = read(session, home, 290, TODAY, source="field", park=True)
    assert (parked.status, parked.reading.doubt) == ("review", "disputed")
    assert isinstance(accept_reading(session, parked.reading.id, CLERK), Recorded)
    assert (hers.reading.status, parked.reading.usage, usage_of(session, home)) == ("superseded", 10, 190)
    assert session.get_one(SelfReading, home.id, populate_existing=True).state == "watched"


def test_what_lies_below_is_accepted_only_when_somebody_says_how(session: Session, home: Connection) -> None:
    backwards = read(session, home, 270, TODAY, park=True)
    assert backwards.reading.doubt == "reversed"
    assert isinstance(accept_reading(session, backwards.reading.id, CLERK), Refused)
    assert isinstance(accept_reading(session, backwards.reading.id, CLERK, turn="reversed"), Recorded)
    assert (backwards.reading.usage, usage_of(session, home)) == (10, 190)
    far = read(session, home, 3, TODAY, park=True)
    assert far.reading.doubt == "misread"
    assert isinstance(accept_reading(session, far.reading.id, CLERK, turn="rollover"), Recorded)
    assert far.reading.usage == 100_000 - 270 + 3


# Corrections


def test_a_correction_keeps_what_was_said(session: Session, home: Connection) -> None:
    last = latest_reading(session, home.id)
    assert last is not None
    done = correct_reading(session, last.id, Decimal(275), CLERK, "The 8 was a 7")
    assert isinstance(done, ReadingCorrection)
    assert (last.value, last.usage, usage_of(session, home)) == (275, 15, 175)
    [kept] = corrections_of(session, last.id)
    assert (kept.old_value, kept.new_value, kept.corrected_by, kept.reason) == (280, 275, CLERK, "The 8 was a 7")
    for change in ("UPDATE reading_correction SET old_value = 1", "DELETE FROM reading_correction"):
        with pytest.raises(DBAPIError, match="what was is kept"), session.begin_nested():
            session.execute(text(change))


@pytest.mark.parametrize(
    ("value", "kind"),
    [(260, "same"), (239, "below"), (281, "beyond"), (100_000, "too_many_digits"), (-1, "too_many_digits")],
)
def test_a_correction_stays_between_its_neighbours(session: Session, home: Connection, value: int, kind: str) -> None:
    middle = session.scalars(select(Reading).where(Reading.value == 260)).one()
    assert correct_reading(session, middle.id, Decimal(value), CLERK, "x") == CorrectionRefusal(kind)
    assert usage_of(session, home) == 180


def test_a_correction_of_the_opening_moves_the_meters_start(session: Session, home: Connection) -> None:
    opening = session.scalars(select(Reading).where(Reading.source == "opening")).one()
    assert isinstance(correct_reading(session, opening.id, Decimal(90), CLERK, "misread"), ReadingCorrection)
    assert (session.scalars(select(Place.start_value)).one(), usage_of(session, home)) == (90, 190)
    waiting = by_herself(session, home, 900).reading
    assert correct_reading(session, waiting.id, Decimal(800), CLERK, "x") == CorrectionRefusal("not_accepted")


def test_a_rollover_may_turn_out_to_be_none(session: Session) -> None:
    home = Estate(session).metered(start=99_900)
    must_read(session, home, 2, date(2026, 2, 28))
    must_read(session, home, 20, date(2026, 3, 31))
    middle = session.scalars(select(Reading).where(Reading.value == 2)).one()
    assert isinstance(correct_reading(session, middle.id, Decimal(99_992), CLERK, "misread"), ReadingCorrection)
    last = latest_reading(session, home.id)
    assert last is not None
    assert (middle.turn, last.turn, last.usage, usage_of(session, home)) == ("forward", "rollover", 28, 120)
