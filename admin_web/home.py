"""Home: how the day stands, and what waits for somebody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, may_open, page
from admin_web.connections import unmetered
from admin_web.faults import open_faults
from admin_web.links import waiting_links
from admin_web.messages import NOT_DELIVERED
from admin_web.messages import tasks as message_tasks
from admin_web.mpesa_statement import tasks as mpesa_tasks
from admin_web.readings import to_review
from billing.anomalies import open_anomalies
from billing.books import last_check
from billing.models import (
    Adjustment,
    Balance,
    BillingRun,
    Connection,
    Invoice,
    MeterAssignment,
    Reading,
    RunProblem,
    TariffVersion,
)
from core.clock import now, today
from core.config import settings
from core.conversations import Conversation
from core.messages import Message
from core.money import Money
from payments.models import PaymentIntent, Receipt

RECENT = timedelta(days=7)
LONG = timedelta(minutes=15)
CHECKED = timedelta(hours=3)
MOST_COUNTED = 10_000
LARGE = 20_000  # connections


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for somebody, with the one thing to do about it."""

    what: str
    why: str
    href: str
    do: str
    icon: str
    urgent: bool = False


def counted(count: int, one: str, rest: str) -> str:
    """ "1 payment without an account", "3 payments without an account"."""
    return f"{count:,} {one}{'' if count == 1 else 's'} {rest}"


@page("/", roles=EVERYONE)
def home(session: Session) -> ResponseReturnValue:
    """The day at a glance; until the first bill is out, the way there."""
    billed = session.scalar(select(exists().where(Invoice.status == "issued")))
    return render_template("office/home.html", steps=None if billed else _first_steps(session), **_day(session))


@page("/now", roles=EVERYONE)
def home_now(session: Session) -> ResponseReturnValue:
    """The part of the home page that changes by itself."""
    return render_template("office/_home_now.html", **_day(session))


def _day(session: Session) -> dict[str, object]:
    currency, midnight = settings().currency, _midnight()
    paid, payments = session.execute(
        select(func.coalesce(func.sum(Receipt.amount_minor), 0), func.count()).where(Receipt.created_at >= midnight)
    ).one()
    owed, debtors = _owed(session)
    return {
        "paid": Money(int(paid), currency),
        "payments": payments,
        "owed": Money(owed, currency),
        "debtors": debtors,
        "talks": _count(session, select(Conversation.id).where(Conversation.started_at >= midnight)),
        "sent": _up_to(session, select(Message.id).where(Message.direction == "out", Message.created_at >= midnight)),
        "undelivered": _undelivered(session),
        "run": session.scalar(select(BillingRun).order_by(BillingRun.id.desc()).limit(1)),
        "tasks": [task for task in _tasks(session) if may_open(task.href)],
    }


def _large(session: Session) -> dict[str, int] | None:
    """What the last check counted, where the books are so large that a page does not count for itself."""
    checked = last_check(session)
    counts: dict[str, int] = checked.found.get("counts", {}) if checked is not None else {}
    return counts if counts.get("connections", 0) > LARGE else None


def _owed(session: Session) -> tuple[int, int]:
    """What all debtors owe, in minor units, and how many they are."""
    if (counts := _large(session)) is not None:
        return counts["owed_minor"], counts["debtors"]
    owing = select(func.coalesce(func.sum(Balance.amount_minor), 0), func.count()).where(Balance.amount_minor > 0)
    owed, debtors = session.execute(owing).one()
    return int(owed), debtors


def _midnight() -> datetime:
    """When today began where the utility is."""
    zone = settings().utility_zone
    return datetime.combine(today(zone), time(), ZoneInfo(zone))


def _count(session: Session, query: Select[tuple[int]]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _up_to(session: Session, query: Select[tuple[int]]) -> str:
    """How many there are, in figures; on the day of the bills a page does not count them all."""
    found = _count(session, query.limit(MOST_COUNTED + 1))
    return f"{found:,}" if found <= MOST_COUNTED else f"over {MOST_COUNTED:,}"


def _undelivered(session: Session) -> int:
    failed = select(Message.id).where(Message.status.in_(NOT_DELIVERED), Message.created_at > now() - RECENT)
    return _count(session, failed)


def _tasks(session: Session) -> Iterator[Task]:
    checked = last_check(session)
    if checked is not None and checked.violations:
        yield Task(
            "The books do not add up", f"{checked.violations} violations: {', '.join(checked.found['broken'])}.",
            url_for("office.ledger"), "Look", "warn", urgent=True,
        )  # fmt: skip
    elif checked is not None and checked.checked_at < now() - CHECKED:
        yield Task(
            "The books were not checked lately", "The clock does it every hour. Is it running?",
            url_for("office.ledger"), "Look", "warn", urgent=True,
        )  # fmt: skip
    if proposed := _count(session, select(Adjustment.id).where(Adjustment.status == "proposed")):
        yield Task(
            counted(proposed, "correction", "to approve"), "Over the limit: a second person decides.",
            url_for("office.corrections", show="proposed"), "Decide", "invoices",
        )  # fmt: skip
    suspense = _count(session, select(Receipt.id).where(Receipt.held_minor > 0))
    if suspense:
        yield Task(
            counted(suspense, "payment", "without an account"), "The money is in the books but credited to nobody.",
            url_for("office.suspense"), "Look", "payments", urgent=True,
        )  # fmt: skip
    yield from (Task(*told) for told in mpesa_tasks(session))
    unclear = PaymentIntent.state.in_(("unknown", "confirmed")), PaymentIntent.next_poll_at.is_not(None)
    if checking := _count(session, select(PaymentIntent.id).where(*unclear, PaymentIntent.created_at < now() - LONG)):
        yield Task(
            counted(checking, "payment", "not cleared up by its wallet"), "They are asked for again by themselves.",
            url_for("office.payments", show="open"), "Look", "payments",
        )  # fmt: skip
    run = session.scalar(select(BillingRun).where(BillingRun.status == "review").limit(1))
    if run is not None:
        yield Task(
            counted(run.done, "invoice", "computed and not issued"),
            f"The run for {run.period:%B %Y} waits for your eyes.",
            url_for("office.run", run_id=run.id), "Check and issue", "runs",
        )  # fmt: skip
    yield from _tasks_of_customers(session)
    yield from _tasks_of_the_network(session)
    yield from (Task(*told) for told in message_tasks(session))
    if failed := _undelivered(session):
        yield Task(
            counted(failed, "message", "not delivered"), "In the last seven days.",
            url_for("office.messages", show="failed"), "See which", "messages",
        )  # fmt: skip


def _tasks_of_customers(session: Session) -> Iterator[Task]:
    if reported := open_faults(session):
        yield Task(
            counted(reported, "fault", "reported"), "Nobody works on it yet. Each customer waits for an answer.",
            url_for("office.faults", show="open"), "Look", "faults", urgent=True,
        )  # fmt: skip
    if asking := waiting_links(session):
        yield Task(
            counted(asking, "phone", "waiting to be linked"), "Its owner cannot see her bills before you approve it.",
            url_for("office.links"), "Decide", "users",
        )  # fmt: skip


def _tasks_of_the_network(session: Session) -> Iterator[Task]:
    if waiting := to_review(session):
        yield Task(
            counted(waiting, "reading", "to review"), "Unusual ones that customers have confirmed.",
            url_for("office.reading_review"), "Review", "readings",
        )  # fmt: skip
    if unusual := open_anomalies(session):
        yield Task(
            counted(unusual, "unusual month", "to look at"), "Leaks, stuck meters and empty houses, as the bills show.",
            url_for("office.anomalies", show="open"), "Look", "readings",
        )  # fmt: skip
    latest = select(func.max(BillingRun.id)).scalar_subquery()
    problems = select(RunProblem.connection_id).where(RunProblem.run_id == latest)
    if unbilled := _count(session, problems):
        run_id = session.scalar(select(func.max(BillingRun.id)))
        yield Task(
            counted(unbilled, "connection", "not billed by the last run"), "Each says why.",
            url_for("office.run", run_id=run_id, _anchor="problems"), "See why", "warn",
        )  # fmt: skip
    counts = _large(session)
    if bare := unmetered(session) if counts is None else counts["unmetered"]:
        yield Task(
            counted(bare, "connection", "without a meter"), "They cannot be read or billed.",
            url_for("office.connections", show="unmetered"), "Assign meters", "meters",
        )  # fmt: skip


def _first_steps(session: Session) -> list[tuple[str, str, bool]]:
    """What leads from nothing to the first bill: words, address, done or not."""

    def any_of(model: type) -> bool:
        return bool(session.scalar(select(exists(select(model)))))

    return [
        ("Make a tariff and say what it charges", url_for("office.tariffs"), any_of(TariffVersion)),
        ("Add a customer and her connection", url_for("office.customers"), any_of(Connection)),
        ("Register a meter and assign it", url_for("office.connections", show="unmetered"), any_of(MeterAssignment)),
        ("Enter a reading", url_for("office.reading_sheet"), bool(
            session.scalar(select(exists().where(Reading.source != "opening"))))),
        ("Start a billing run and issue it", url_for("office.runs"), False),
    ]  # fmt: skip
