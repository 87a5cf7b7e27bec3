"""The search for months that stand out, after each run; people review what it finds."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.anomaly_models import Anomaly, AnomalySearch, ZoneSeason
from billing.anomaly_rules import Finding, MonthUse, robust, zone_seasons
from billing.contact_texts import usage_unusual
from billing.customers import phones_of
from billing.models import BillingRun, Connection, Customer
from billing.months import months_before
from core.clock import now
from core.messages import queue_message
from core.outbox import after_commit
from core.statements import rows

JOB = "billing.anomalies"
BACK = 12  # months before the one that is judged
PAGE = 2_000  # connections that one statement reads
PAGES = 10  # in one transaction: a job of a large utility must not last for many minutes
NEIGHBOURS = 1_000  # connections that say what the season of a zone is
FRESH = timedelta(days=7)  # older runs were issued before there was a search, or by an import

# By the index of a run's invoices.
BILLED = """
    SELECT i.connection_id, c.zone_id FROM invoice i JOIN connection c ON c.id = i.connection_id
    WHERE i.run_id = $1 AND i.connection_id > $2 AND i.status = 'issued' ORDER BY i.connection_id LIMIT $3
"""
OF_ZONE = "SELECT id FROM connection WHERE zone_id = $1 AND status <> 'closed' ORDER BY id LIMIT $2"
USED = """
    SELECT i.connection_id, i.period_start, CAST(i.usage / greatest(i.days, 1) AS double precision),
           r.source = 'estimate', a.flagged
    FROM invoice i JOIN reading r ON r.id = i.closing_reading_id
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM anomaly f WHERE f.connection_id = i.connection_id AND f.month = i.period_start
            AND f.status <> 'dismissed') AS flagged
    ) a
    WHERE i.connection_id = ANY (CAST($1 AS bigint[])) AND i.kind = 'regular' AND i.status = 'issued'
      AND i.period_start BETWEEN $2 AND $3
    ORDER BY i.connection_id, i.period_start
"""


def start_searches(session: Session) -> int:
    """Have each newly issued run looked through, once; how many."""
    searched = select(AnomalySearch.run_id).where(AnomalySearch.run_id == BillingRun.id).exists()
    issued = select(BillingRun.id, literal(0), literal(0), literal(0)).where(
        BillingRun.status == "issued", BillingRun.issued_at > now() - FRESH, ~searched
    )
    made = session.scalars(
        insert(AnomalySearch)
        .from_select(["run_id", "after", "looked", "found"], issued)
        .on_conflict_do_nothing()
        .returning(AnomalySearch.run_id)
    ).all()
    for run_id in made:
        after_commit(session, JOB, run_id)
    return len(made)


def search_whole(session: Session, run_id: int) -> AnomalySearch:
    """Look at everything a run billed at once, for whoever has no workers."""
    session.execute(insert(AnomalySearch).values(run_id=run_id, after=0, looked=0, found=0).on_conflict_do_nothing())
    while (found := search(session, run_id)).done_at is None:
        pass
    return found


def search(session: Session, run_id: int) -> AnomalySearch:
    """Look at the next connections that a run billed. What was found before is found once; more may be left to do."""
    found = session.get_one(AnomalySearch, run_id, with_for_update=True, populate_existing=True)
    month = session.get_one(BillingRun, run_id).period
    seasons: dict[int, dict[date, float]] = {}
    for _ in range(PAGES):
        billed = rows(session, BILLED, run_id, found.after, PAGE)
        for zone_id in {zone_id for _, zone_id in billed} - seasons.keys():
            seasons[zone_id] = _measured(session, zone_id, month)
        used = _used(session, [one for one, _ in billed], month)
        for connection_id, zone_id in billed:
            finding = robust(used.get(connection_id, ()), seasons[zone_id])
            if finding is not None:
                found.found += _write(session, connection_id, used[connection_id][-1], finding)
        found.looked += len(billed)
        if len(billed) < PAGE:
            found.done_at = now()
            break
        found.after = billed[-1][0]
    session.flush()
    return found


def decide(session: Session, anomaly_id: int, by: str, *, confirm: bool, note: str = "", tell: bool = False) -> bool:
    """A person's decision about an open one; `tell` has the customer told of it. Whether it was still open.

    A dismissed month is as any other from now on: it is part of what is usual.
    """
    one = session.get_one(Anomaly, anomaly_id, with_for_update=True, populate_existing=True)
    if one.status != "open":
        return False
    one.status, one.note = "confirmed" if confirm else "dismissed", " ".join(note.split())
    one.reviewed_by, one.reviewed_at = by, now()
    one.told = confirm and tell and _tell(session, one)
    session.flush()
    return True


def usage_before(session: Session, connection_id: int, month: date) -> list[MonthUse]:
    """What a connection was billed by month, up to and with `month`; the oldest first."""
    return _used(session, [connection_id], month).get(connection_id, [])


def open_anomalies(session: Session) -> int:
    """How many wait for somebody to look."""
    return session.scalar(select(func.count()).select_from(Anomaly).where(Anomaly.status == "open")) or 0


def _used(session: Session, connections: Sequence[int], month: date) -> dict[int, list[MonthUse]]:
    if not connections:
        return {}
    found: Iterable[tuple[int, date, float, bool, bool]] = rows(
        session, USED, "{" + ",".join(map(str, connections)) + "}", months_before(month, BACK), month
    )
    return {
        connection_id: [MonthUse(*each[1:]) for each in months]
        for connection_id, months in groupby(found, key=lambda each: each[0])
    }


def _measured(session: Session, zone_id: int, month: date) -> dict[date, float]:
    """The zone's seasons up to a month; they are kept for forecasts."""
    neighbours = [one for (one,) in rows(session, OF_ZONE, zone_id, NEIGHBOURS)]
    found = zone_seasons(_used(session, neighbours, month).values())
    if found:
        fresh = insert(ZoneSeason).values(
            [{"zone_id": zone_id, "month": one, "share": share} for one, share in found.items()]
        )
        session.execute(
            fresh.on_conflict_do_update(index_elements=["zone_id", "month"], set_={"share": fresh.excluded.share})
        )
    return found


def _write(session: Session, connection_id: int, last: MonthUse, finding: Finding) -> int:
    made = session.scalar(
        insert(Anomaly)
        .values(
            connection_id=connection_id, month=last.month, kind=finding.kind, score=_exact(finding.score, "0.01"),
            daily=_exact(last.daily, "0.0001"), usual=_exact(finding.usual, "0.0001"), status="open", note="",
            told=False, created_at=now(),
        )
        .on_conflict_do_nothing()
        .returning(Anomaly.id)
    )  # fmt: skip
    return int(made is not None)


def _exact(measured: float, quantum: str) -> Decimal:
    return Decimal(measured).quantize(Decimal(quantum))


def _tell(session: Session, one: Anomaly) -> bool:
    """Queue the SMS; False where there is nobody to tell."""
    connection = session.get_one(Connection, one.connection_id)
    phones = phones_of(session, connection.customer_id) if connection.customer_id else []
    if not phones or connection.customer_id is None:
        return False
    said = usage_unusual(connection.account_no, one.month, one.kind, one.daily, one.usual)
    return queue_message(
        session, phones[0], said, "alert", key=f"anomaly:{one.id}", connection_id=connection.id,
        language=session.get_one(Customer, connection.customer_id).language,
    ) is not None  # fmt: skip
