"""Months that stand out: the rules on usage known by heart, the search after a run, and what people decide."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from billing.anomalies import JOB, decide, open_anomalies, search_whole, start_searches, usage_before
from billing.anomaly_models import Anomaly, AnomalySearch
from billing.anomaly_rules import Finding, MonthUse, plain, robust, zone_seasons
from billing.jobs import look_for_anomalies
from billing.models import BillingRun, Connection
from billing.months import months_before
from billing.single_bills import bill_one
from core.clock import today
from core.database import transaction
from core.messages import Message
from core.outbox import Outbox
from tests.billing.estate import Estate, must_read

LAST = date(2026, 10, 1)
EVEN = [10.0, 11, 9, 10, 12, 10, 8, 11, 10, 9, 10, 11]
THIS_MONTH = today("Africa/Nairobi").replace(day=1)


def months(*daily: float, flagged: tuple[int, ...] = (), estimated: tuple[int, ...] = ()) -> list[MonthUse]:
    """Months up to LAST, one for each value; places count from the end, the last is 1."""
    count = len(daily)
    return [
        MonthUse(months_before(LAST, count - 1 - place), use, count - place in estimated, count - place in flagged)
        for place, use in enumerate(daily)
    ]


def kind(found: Finding | None) -> str | None:
    return found and found.kind


@pytest.mark.parametrize(
    ("last", "expected"),
    [(10, None), (13, None), (15.18, None), (15.2, "leak"), (25, "leak"), (4.1, None), (4.0, None),
     (3.9, "drop"), (0, "stuck")],
)  # fmt: skip
def test_a_month_is_judged_by_those_before_it(last: float, expected: str | None) -> None:
    assert kind(robust(months(*EVEN, last))) == expected


def test_an_even_household_needs_half_as_much_again() -> None:
    assert robust(months(*[10.0] * 12, 15)) is None
    assert kind(robust(months(*[10.0] * 12, 15.1))) == "leak"


def test_a_household_that_varies_much_is_not_told_of_what_it_always_does() -> None:
    assert robust(months(5, 20, 8, 15, 4, 22, 9, 14, 25)) is None
    assert kind(robust(months(5, 20, 8, 15, 4, 22, 9, 14, 60))) == "leak"


def test_too_few_months_and_estimates_say_nothing() -> None:
    assert robust(months(*EVEN[:5], 40)) is None
    assert kind(robust(months(*EVEN[:6], 40))) == "leak"
    assert robust(months(*EVEN[:6], 40, estimated=(3,))) is None
    assert robust(months(*EVEN, 40, estimated=(1,))) is None
    assert robust([]) is None
    assert robust(months(*[0.0] * 8, 30)) is None  # nobody was there: it is a new household, not a leak


def test_an_earlier_leak_hides_the_next_one_from_the_plain_rule_only() -> None:
    leaky = months(*EVEN[:6], 60, *EVEN[7:], 25)
    assert plain(leaky) is None
    assert kind(robust(leaky)) == "leak"
    long = months(10, 11, 30, 30, 30, 30, 10, 9, 10, 11, 10, 30)
    assert robust(long) is not None
    lasting = months(10, 11, 9, 10, 12, 10, 30, 31, 29, 30, 30, 31, 30)
    assert robust(lasting) is None  # it has become usual
    kept_out = months(10, 11, 9, 10, 12, 10, 30, 31, 29, 30, 30, 31, 30, flagged=(2, 3, 4, 5, 6, 7))
    assert kind(robust(kept_out)) == "leak"


def test_what_the_whole_zone_does_is_its_season() -> None:
    dry = {LAST: 2.0}
    assert kind(robust(months(*EVEN, 20))) == "leak"
    assert robust(months(*EVEN, 20), dry) is None
    found = robust(months(*EVEN, 50), dry)
    assert found is not None
    assert (found.kind, found.usual) == ("leak", 20)
    zone = [months(*EVEN[:8], 10 * 2.0) for _ in range(20)]
    assert zone_seasons(zone)[LAST] == 2.0
    assert zone_seasons(zone[:19]) == {}


def test_a_standstill_is_told_of_when_it_begins_and_when_it_is_a_streak() -> None:
    assert [kind(robust(months(*EVEN, *[0] * idle))) for idle in range(1, 5)] == ["stuck", None, "zero_streak", None]
    away = (*EVEN[:6], 0, *EVEN[7:])
    assert robust(months(*away, 0)) is None  # she has been away before
    assert kind(robust(months(*away, 0, 0, 0))) == "zero_streak"


@pytest.fixture
def leaking(session: Session) -> Connection:
    """Ten months of ten units, and the last one of fifty, all billed."""
    estate = Estate(session)
    home, value, begun = estate.metered("+254700000001", language="sw"), 100, date(2026, 1, 31)
    for place in range(10):
        value += 50 if place == 9 else 10
        day = date(2026, 2 + place, 28) if place < 9 else date(2026, 11, 20)
        must_read(session, home, value, day)
        bill_one(session, home.id, day, "test", notify=False)
    assert begun < day
    return home


def newest_run(session: Session) -> BillingRun:
    return session.scalars(select(BillingRun).order_by(BillingRun.period.desc(), BillingRun.id.desc()).limit(1)).one()


def test_the_search_after_a_run_finds_once_what_stands_out(session: Session, leaking: Connection) -> None:
    run = newest_run(session)
    first = search_whole(session, run.id)
    assert (first.looked, first.found, first.done_at is not None) == (1, 1, True)
    one = session.scalars(select(Anomaly)).one()
    assert (one.kind, one.month, one.status, one.connection_id) == ("leak", run.period, "open", leaking.id)
    assert one.usual < one.daily
    session.execute(delete(AnomalySearch))
    assert search_whole(session, run.id).found == 0
    assert open_anomalies(session) == 1
    assert usage_before(session, leaking.id, run.period)[-1].flagged


def test_a_dismissed_month_is_as_any_other(session: Session, leaking: Connection) -> None:
    search_whole(session, newest_run(session).id)
    one = session.scalars(select(Anomaly)).one()
    assert decide(session, one.id, "amina", confirm=False, note="  A   wedding ")
    assert (one.status, one.note, one.told) == ("dismissed", "A wedding", False)
    assert not decide(session, one.id, "brian", confirm=True)
    assert not usage_before(session, leaking.id, one.month)[-1].flagged
    assert session.scalars(select(Message).where(Message.kind == "alert")).all() == []


def test_the_customer_is_told_if_the_office_says_so(session: Session, leaking: Connection) -> None:
    search_whole(session, newest_run(session).id)
    one = session.scalars(select(Anomaly)).one()
    assert decide(session, one.id, "amina", confirm=True, tell=True)
    assert one.told
    told = session.scalars(select(Message).where(Message.key == f"anomaly:{one.id}")).one()
    assert leaking.account_no in told.body
    assert "mita" in told.body  # in her language
    assert told.parts == 1


def test_the_clock_starts_a_search_once_and_the_job_ends_it(session: Session, leaking: Connection) -> None:
    run = newest_run(session)
    runs = len(session.scalars(select(BillingRun)).all())
    assert start_searches(session) == runs
    assert start_searches(session) == 0
    session.commit()
    assert session.scalar(select(Outbox.subject_id).where(Outbox.job == JOB, Outbox.subject_id == run.id)) == run.id
    look_for_anomalies(run.id)
    look_for_anomalies(run.id)
    with transaction() as other:
        assert other.get_one(AnomalySearch, run.id).done_at is not None
        assert Decimal(50) > other.scalars(select(Anomaly.daily)).one() > Decimal(1)
