"""What a clerk looks at before a run is issued: its totals, its outliers, and some of its drafts."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from billing.ledger import money
from billing.models import BillingRun, Invoice, RunProblem
from core.config import settings
from core.money import Money

REVIEW = "billing.review_run"
AT_ONCE = 20_000
"""Connections of a run whose bills are summed up while somebody waits for the page; a larger one's by a job."""
OUTLIERS = 20
TIMES = 3
"""A bill this many times its connection's own last bill, or as small a part of it, is shown as an outlier."""
LEAST_MINOR = 50_000

TOTALS = text("""
    SELECT split_part(account, ':', 1) AS kind, account, sum(l.amount_minor) AS amount_minor
    FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id
    WHERE i.run_id = :run_id GROUP BY account ORDER BY account
""")

# Each draft beside the bill before it, by the index of bills of a connection.
UNUSUAL = text("""
    SELECT i.id, i.connection_id, i.usage, i.amount_minor, before.usage AS usage_before,
           before.amount_minor AS amount_before
    FROM invoice i JOIN LATERAL (
        SELECT b.usage / b.cycles * i.cycles AS usage, b.amount_minor / b.cycles * i.cycles AS amount_minor
        FROM invoice b
        WHERE b.connection_id = i.connection_id AND b.kind = i.kind AND b.status <> 'void'
          AND b.period_start < i.period_start
        ORDER BY b.period_start DESC LIMIT 1
    ) before ON true
    WHERE i.run_id = :run_id AND abs(i.amount_minor - before.amount_minor) > :least
      AND (i.amount_minor > :times * before.amount_minor OR i.amount_minor * :times < before.amount_minor)
    ORDER BY abs(i.amount_minor - before.amount_minor) DESC, i.id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What a run comes to; `by_account` are its lines' ledger accounts."""

    invoices: int
    amount: Money
    usage: Decimal
    least: Money
    most: Money
    nothing_used: int
    catch_ups: int
    by_account: tuple[tuple[str, Money], ...]


@dataclass(frozen=True, slots=True)
class Outlier:
    """A bill that is far from its connection's last one, in minor units."""

    invoice_id: int
    connection_id: int
    usage: Decimal
    amount_minor: int
    usage_before: Decimal
    amount_before: int


@dataclass(frozen=True, slots=True)
class Review:
    """The sums of a run, the bills that are far from their connection's last one, and why others have none."""

    totals: RunTotals
    outliers: list[Outlier]
    reasons: list[tuple[str, int]]


def review(session: Session, run: BillingRun) -> Review | None:
    """What a resting run comes to. Of a large one as the job has it, None until that is done."""
    if run.total <= AT_ONCE or run.status == "cancelled":
        return _reviewed(session, run.id)
    return _from_json(run.review) if run.review else None


def make_review(session: Session, run_id: int) -> None:
    """Keep the sums and outliers of a large run with it. Reads all its bills, which takes seconds a million."""
    run = session.get_one(BillingRun, run_id, with_for_update=True, populate_existing=True)
    if run.status in ("review", "issued") and run.review is None:
        run.review = _as_json(_reviewed(session, run_id))


def _reviewed(session: Session, run_id: int) -> Review:
    return Review(totals(session, run_id), outliers(session, run_id), reasons(session, run_id))


def reasons(session: Session, run_id: int) -> list[tuple[str, int]]:
    """Why connections are on the worklist, and how many for each reason; the most frequent first."""
    count = func.count().label("count")
    query = select(RunProblem.reason, count).where(RunProblem.run_id == run_id).group_by(RunProblem.reason)
    return [(reason, found) for reason, found in session.execute(query.order_by(count.desc(), RunProblem.reason))]


def _as_json(made: Review) -> dict[str, Any]:
    sums = made.totals
    return {
        "totals": [sums.invoices, sums.amount.minor, str(sums.usage), sums.least.minor, sums.most.minor,
                   sums.nothing_used, sums.catch_ups, [[name, one.minor] for name, one in sums.by_account]],
        "outliers": [[one.invoice_id, one.connection_id, str(one.usage), one.amount_minor, str(one.usage_before),
                      one.amount_before] for one in made.outliers],
        "reasons": made.reasons,
    }  # fmt: skip


def _from_json(kept: dict[str, Any]) -> Review:
    invoices, amount, usage, least, most, idle, long, accounts = kept["totals"]
    by_account = tuple((name, money(minor)) for name, minor in accounts)
    sums = RunTotals(
        invoices, money(amount), Decimal(usage), money(least), money(most), idle, long, by_account
    )  # fmt: skip
    unusual = [
        Outlier(invoice_id, connection_id, Decimal(used), minor, Decimal(before), minor_before)
        for invoice_id, connection_id, used, minor, before, minor_before in kept["outliers"]
    ]
    return Review(sums, unusual, [(reason, count) for reason, count in kept["reasons"]])


def totals(session: Session, run_id: int) -> RunTotals:
    """The sums of a run. Reads all its bills: for the review, not for each look at the progress."""
    currency = settings().currency
    count, amount, usage, least, most, idle, long = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Invoice.amount_minor), 0),
            func.coalesce(func.sum(Invoice.usage), 0),
            func.coalesce(func.min(Invoice.amount_minor), 0),
            func.coalesce(func.max(Invoice.amount_minor), 0),
            func.count().filter(Invoice.usage == 0),
            func.count().filter(Invoice.cycles > 1),
        ).where(Invoice.run_id == run_id)
    ).one()
    accounts = session.execute(TOTALS, {"run_id": run_id}).all()
    return RunTotals(
        count, Money(int(amount), currency), usage, Money(least, currency), Money(most, currency), idle, long,
        tuple((account, Money(int(minor), currency)) for _kind, account, minor in accounts),
    )  # fmt: skip


def outliers(session: Session, run_id: int, *, limit: int = OUTLIERS) -> list[Outlier]:
    """The bills that differ most from the ones before them."""
    found = session.execute(UNUSUAL, {"run_id": run_id, "least": LEAST_MINOR, "times": TIMES, "limit": limit})
    return [Outlier(one.id, one.connection_id, one.usage, one.amount_minor, one.usage_before, int(one.amount_before))
            for one in found]  # fmt: skip


def samples(session: Session, run_id: int, *, limit: int = 5) -> Sequence[Invoice]:
    """Some of its bills, spread over the run; the same ones at each look."""
    ends = session.execute(
        select(func.min(Invoice.connection_id), func.max(Invoice.connection_id)).where(Invoice.run_id == run_id)
    ).one()
    if ends[0] is None:
        return []
    found: dict[int, Invoice] = {}
    for step in range(limit):
        since = ends[0] + (ends[1] - ends[0]) * step // max(limit - 1, 1)
        one = session.scalar(
            select(Invoice)
            .where(Invoice.run_id == run_id, Invoice.connection_id >= since)
            .order_by(Invoice.connection_id)
            .limit(1)
        )
        if one is not None:
            found.setdefault(one.id, one)
    return list(found.values())
