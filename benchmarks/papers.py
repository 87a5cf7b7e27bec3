"""The speed of invoices on paper: from the books to PDF files, beside the library alone drawing the same pages."""

import io
import multiprocessing
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.accounts import fill
from benchmarks.billing import MONTH, Say, _begin, _place, _ready

FILE = 250
Call = tuple[str, tuple[Any, ...], dict[str, Any]]
Work = tuple[Sequence[int], str]


def measure(invoices: int, workers: int, paper: str, say: Say) -> dict[str, object]:
    """Invoices a second of so many processes, each writing files of `FILE` invoices."""
    with _place() as (url, _folder):
        ids = _billed(url, invoices, say)
        spawn = multiprocessing.get_context("spawn")
        work: list[Work] = [(ids[first : first + FILE], paper) for first in range(0, len(ids), FILE)]
        with spawn.Pool(workers, _begin, (url,)) as pool:
            pool.map(_made, work[:workers], chunksize=1)
            pool.map(_ready, range(workers * 4))
            ours_s, ours_cpu, size = _timed(pool.map, _made, work)
            limit_s, limit_cpu, _ = _timed(pool.map, _replayed, work)
    return {
        "invoices": invoices, "paper": paper, "workers": workers,
        "ours": {"invoices_per_s": round(invoices / ours_s), "cpu_ms_per_invoice": round(ours_cpu / invoices * 1e3, 2),
                 "bytes_per_invoice": size // invoices},
        "limit": {"invoices_per_s": round(invoices / limit_s),
                  "cpu_ms_per_invoice": round(limit_cpu / invoices * 1e3, 2)},
        "ratio": round(limit_s / ours_s, 3),
        "cpu_ratio": round(limit_cpu / ours_cpu, 3),
    }  # fmt: skip


def _billed(url: str, invoices: int, say: Say) -> list[int]:
    """A month's invoices, issued."""
    from sqlalchemy import select

    from billing.batches import run_now
    from billing.models import Invoice
    from billing.runs import issue_run, start_run
    from core.clock import frozen
    from core.database import sessions

    say(f"{invoices:,} invoices are issued …")
    with sessions()() as session, frozen(datetime(2026, 11, 2, 9, tzinfo=UTC)):
        fill(session, url, invoices)
        run = start_run(session, MONTH, "bench", notify=False)
        run_id = run.id  # type: ignore[union-attr]
        run_now(session, run_id)
        issue_run(session, run_id, "bench")
        run_now(session, run_id)
        session.commit()
        return list(session.scalars(select(Invoice.id).order_by(Invoice.id)))


def _timed(
    each: Callable[..., list[tuple[float, int]]], work: Callable[[Work], tuple[float, int]], some: Sequence[Work]
) -> tuple[float, float, int]:
    """Seconds on the clock, of processor time (the workers'), and the bytes that were made."""
    begun = time.perf_counter()
    done = each(work, some, chunksize=1)
    return time.perf_counter() - begun, sum(cpu for cpu, _ in done), sum(size for _, size in done)


def _made(work: Work) -> tuple[float, int]:
    """A file as `mita books invoices` makes it."""
    from billing.pdf.facts import papers
    from billing.pdf.making import pdf
    from core.database import transaction

    begun, (ids, paper) = time.process_time(), work
    with transaction() as session:
        made = pdf(papers(session, ids), paper)
    return time.process_time() - begun, len(made)


class _Recorder:
    """Notes what a page asks of the library, so that it can be asked again without the page's own work."""

    def __init__(self, canvas: Any) -> None:
        self._canvas = canvas
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._canvas, name)

        def call(*values: Any, **named: Any) -> Any:
            if name not in ("stringWidth", "beginText", "beginPath"):
                self.calls.append((name, values, named))
            return asked(*values, **named)

        return call


def _replayed(work: Work) -> tuple[float, int]:
    """As many pages by the library alone: the calls of one page, made again."""
    from reportlab.pdfgen.canvas import Canvas

    from billing.pdf import a5, thermal
    from billing.pdf.facts import papers
    from core.database import transaction

    ids, paper = work
    with transaction() as session:
        [one] = papers(session, ids[:1])
    size = thermal.size(one) if paper == "thermal" else a5.SIZE
    recorder = _Recorder(Canvas(io.BytesIO(), pagesize=size))
    (thermal if paper == "thermal" else a5).page(recorder, one)
    begun, held = time.process_time(), io.BytesIO()
    canvas = Canvas(held, pagesize=size, pageCompression=1, invariant=1)
    for _ in ids:
        for name, values, named in recorder.calls:
            getattr(canvas, name)(*values, **named)
        canvas.showPage()
    canvas.save()
    return time.process_time() - begun, len(held.getvalue())
