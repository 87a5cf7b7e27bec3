"""The months of the demonstration: each is billed by the real run, and paid as people pay."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.anomalies import search_whole
from billing.batches import run_now
from billing.demo_people import DemoPlace
from billing.ledger import Leg, post
from billing.models import Balance, BillingRun
from billing.months import next_month
from billing.runs import issue_run, start_run
from core.config import settings


def bill(session: Session, month: date, today: date) -> None:
    """Bill a month by the real run, issued on the second day after it."""
    run = start_run(session, month, "demo", notify=False)
    assert isinstance(run, BillingRun)
    run_now(session, run.id)
    issued = issue_run(session, run.id, "demo", on=min(next_month(month) + timedelta(days=1), today))
    assert isinstance(issued, BillingRun)
    run_now(session, run.id)
    search_whole(session, run.id)


def pay(session: Session, places: Sequence[DemoPlace], month: date, today: date) -> None:
    """What came in by the bank after the month's bill: most pay it, some in part, some late, some in advance."""
    balances = dict(session.execute(select(Balance.connection_id, Balance.amount_minor)).tuples().all())
    for place in places:
        if place.person is None:
            continue
        paid = _paid(place.person.pays, balances.get(place.connection_id, 0), place.chance)
        day = next_month(month) + timedelta(days=place.chance.randint(3, 16))
        if paid <= 0 or day >= today:
            continue
        source = f"bank:demo:{place.connection_id}:{month:%Y-%m}"
        legs = [Leg("cash:bank", paid), Leg("receivable", -paid, place.connection_id)]
        post(session, "payment", source, legs, "Bank deposit", at=noon(day))


def _paid(habit: str, owed_minor: int, chance: Random) -> int:
    """In cents, whole shillings."""
    shillings = max(owed_minor, 0) // 100
    share = {
        "full": 100,
        "part": chance.choice((40, 60, 100)),
        "late": chance.choice((0, 0, 100)),
        "ahead": 130,
        "never": 0,
    }[habit]
    rounded = -(-shillings // 50) * 50 if habit in ("full", "ahead") else shillings
    return rounded * share // 100 * 100


def noon(day: date) -> datetime:
    """The noon of a day where the utility is."""
    return datetime.combine(day, time(12), ZoneInfo(settings().utility_zone)).astimezone(UTC)
