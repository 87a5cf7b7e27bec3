"""The drafts of a batch: what its connections have used, rated, and written down by COPY."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing import copying
from billing.copying import copy_rows
from billing.models import BillingRun, Invoice, RunBatch
from billing.months import last_day
from billing.pricing import PriceBook, Priced
from billing.unbilled import Unbilled, unbilled
from core.clock import now

INVOICE = (
    "id", "run_id", "connection_id", "kind", "period_start", "period_end", "usage", "days", "cycles", "amount_minor",
    "arrears_minor", "status", "tariff_version_id", "opening_reading_id", "closing_reading_id", "created_at",
    "replaces",
)  # fmt: skip
LINE = ("invoice_id", "position", "code", "label", "quantity", "rate", "amount_minor", "account")

IDS = text("SELECT nextval(pg_get_serial_sequence('invoice', 'id')) FROM generate_series(1, :count)")


@dataclass(slots=True)
class Drafted:
    """What became of a batch's connections; `problems` are (connection, reason)."""

    drafts: list[tuple[Unbilled, Priced]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    skipped: int = 0


def draft(session: Session, run: BillingRun, batch: RunBatch) -> Drafted:
    """Make the drafts of a batch and its part of the worklist."""
    drafted = _sorted_out(session, run, batch)
    if drafted.drafts:
        ids = session.scalars(IDS, {"count": len(drafted.drafts)}).all()
        # What the lines are of comes first.
        copy_rows(session, "invoice", INVOICE, _invoices(run, drafted, ids))
        copy_rows(session, "invoice_line", LINE, _lines(drafted, ids))
    copy_rows(
        session, "run_problem", ("run_id", "connection_id", "reason"),
        (copying.row(run.id, connection_id, reason) for connection_id, reason in drafted.problems),
    )  # fmt: skip
    return drafted


def _sorted_out(session: Session, run: BillingRun, batch: RunBatch) -> Drafted:
    found, book = Drafted(), PriceBook(session, run.inputs["versions"])
    rows = unbilled(session, batch.first_connection, batch.last_connection, last_day(run.period), rebill=True)
    billed = _billed_already(session, run, rows)
    for row in rows:
        if row.last_period is not None and row.last_period >= run.period:
            found.skipped += 1
        elif (reason := _obstacle(row)) is not None:
            found.problems.append((row.connection_id, reason))
        elif row.connection_id in billed:
            found.problems.append((row.connection_id, "void_first"))
        elif isinstance(priced := book.price(row, run.period), str):
            found.problems.append((row.connection_id, priced))
        else:
            found.drafts.append((row, priced))
    return found


def _billed_already(session: Session, run: BillingRun, rows: Sequence[Unbilled]) -> set[int]:
    """Who has a bill for this very month that is to be replaced: the month cannot have two."""
    replaced = [invoice_id for row in rows for invoice_id in row.replaces]
    if not replaced:
        return set()
    query = select(Invoice.connection_id).where(Invoice.id.in_(replaced), Invoice.period_start >= run.period)
    return set(session.scalars(query))


def _obstacle(row: Unbilled) -> str | None:
    """Why the connection cannot be billed, if so."""
    if not row.has_customer:
        return "no_customer"
    if row.opening_id is None:
        return "no_meter"
    if row.closing_id is None:
        return "in_review" if row.in_review else "no_reading"
    return None


def _invoices(run: BillingRun, drafted: Drafted, ids: Sequence[int]) -> Iterator[str]:
    before = f"{run.id}\t"
    middle = "\t" + copying.row(run.kind, run.period, last_day(run.period)).rstrip("\n") + "\t"
    created = f"\t{now()}\t"
    for invoice_id, (row, priced) in zip(ids, drafted.drafts, strict=True):
        span = priced.plan.span
        replaces = "{" + ",".join(map(str, row.replaces)) + "}" if row.replaces else "\\N"
        yield (
            f"{invoice_id}\t{before}{row.connection_id}{middle}{row.usage:f}\t{span.days}\t{span.cycles}"
            f"\t{priced.charge.total.minor}\t0\tdraft\t{priced.version_id}\t{row.opening_id}\t{row.closing_id}{created}"
            f"{replaces}\n"
        )


def _lines(drafted: Drafted, ids: Sequence[int]) -> Iterator[str]:
    written: dict[int, tuple[str, ...]] = {}  # by the identity of the charge, which the drafts keep alive
    for invoice_id, (_, priced) in zip(ids, drafted.drafts, strict=True):
        lines = written.get(id(priced.charge))
        if lines is None:
            lines = written[id(priced.charge)] = _written(priced)
        before = f"{invoice_id}\t"
        yield "".join([before + line for line in lines])


def _written(priced: Priced) -> tuple[str, ...]:
    return tuple(
        copying.row(position, line.code, line.label, line.quantity, line.rate, line.amount.minor, line.account)
        for position, line in enumerate(priced.charge.lines, 1)
    )
