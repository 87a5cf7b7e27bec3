"""Pull Transactions: M-Pesa's own list of what the short code received, for every notice that was lost.

Daraja 3.0, "Pull Transactions": C2B payments (pushes are among them) of the last 48 hours, page by page. Each row that
nobody had told us before is settled as a notice; its receipt is the same by every road, so it is credited once.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.config import settings
from core.database import transaction
from core.money import Money
from core.outbox import after_commit, job
from payments.daraja import NAIROBI
from payments.matching_models import ProviderLine
from payments.models import Notice, PaymentIntent, Receipt
from payments.mpesa_models import PullRun
from payments.notices import store_notice
from payments.wallets import mpesa
from payments.wallets.pace import slow_down
from payments.wallets.protocol import Busy
from payments.wallets.registry import wallets

log = structlog.get_logger("payments")

REACH = timedelta(hours=48)
"""No further back does M-Pesa tell."""
MARGIN = timedelta(minutes=10)
"""So much inside of that we stay: clocks differ, and pages take their time."""
SLACK = timedelta(minutes=5)
RECENT = timedelta(hours=6)
DAY = timedelta(hours=24)
OVERLAP = timedelta(minutes=2)
"""How far a quick reading reaches back behind the last one."""
QUICK_APART = timedelta(seconds=10)
STUCK = timedelta(minutes=5)
"""A run that is older has lost its worker."""
KEPT = timedelta(days=90)
ALARM = timedelta(hours=36)
"""So long without a reading people are told, with time left before payments fall out of reach."""
MOST_PAGES = 2000
TOO_OFTEN = "asked too often"
SLOWER_S = 10


def switched_on() -> bool:
    """Whether there is a PayBill or till to read."""
    return mpesa.NAME in wallets() and bool(settings().mpesa_consumer_key)


def sweep() -> None:
    """Have the list read where that is due: all that is in reach once a day, else the last hours. Run every minute."""
    if not switched_on():
        return
    with transaction() as session:
        last = _last_begun(session, ("recent", "day"))
        if last is not None and last > now() - timedelta(seconds=settings().mpesa_pull_every_s):
            return
        a_day = _last_done(session, "day")
        if a_day is None or a_day < now() - DAY:
            session.execute(delete(PullRun).where(PullRun.begun_at < now() - KEPT))
            begin(session, "day", now() - REACH + MARGIN)
            return
        reached = _last_done(session)
        since = min(now() - RECENT, (reached or now()) - SLACK)
        begin(session, "recent", max(since, now() - REACH + MARGIN))


def read_soon(session: Session) -> None:
    """Some attempt lacks its receipt: have what is new in the list read, once for all that wait."""
    last = _last_begun(session, ("quick",))
    if not switched_on() or (last is not None and last > now() - QUICK_APART):
        return
    reached = _last_done(session)
    since = now() - RECENT if reached is None else reached - SLACK - OVERLAP
    begin(session, "quick", max(since, now() - REACH + MARGIN))


def unread_since(session: Session) -> datetime | None:
    """Since when the list could not be read, where that is so long that people must know; else None."""
    begun, reached = session.execute(
        select(
            select(func.min(PullRun.begun_at)).scalar_subquery(),
            select(func.max(PullRun.window_ends)).where(PullRun.outcome == "done").scalar_subquery(),
        )
    ).one()
    since: datetime | None = reached or begun
    return since if since is not None and since < now() - ALARM else None


def begin(session: Session, kind: str, begins: datetime) -> PullRun:
    """Have the list read from a moment until now."""
    run = PullRun(kind=kind, window_begins=begins, window_ends=now() + SLACK, begun_at=now())
    session.add(run)
    session.flush()
    after_commit(session, "payments.read_list", run.id)
    return run


def _last_begun(session: Session, kinds: tuple[str, ...]) -> datetime | None:
    newest = (
        select(PullRun.begun_at, PullRun.ended_at).where(PullRun.kind == kind).order_by(PullRun.id.desc()).limit(1)
        for kind in kinds
    )
    found = [row for query in newest if (row := session.execute(query).one_or_none()) is not None]
    return max((begun for begun, ended in found if ended or begun > now() - STUCK), default=None)


def _last_done(session: Session, kind: str | None = None) -> datetime | None:
    done = select(func.max(PullRun.window_ends)).where(PullRun.outcome == "done")
    return session.scalar(done.where(PullRun.kind == kind) if kind else done)


@job("payments.read_list")
def read_list(run_id: int) -> None:
    """Read a window of the list, page by page; each page is kept before the next is asked for."""
    with transaction() as session:
        run = session.get(PullRun, run_id)
        if run is None or run.ended_at is not None:
            return
        begins, ends = run.window_begins, run.window_ends
    read = fresh = 0
    for _ in range(MOST_PAGES):
        page = mpesa.daraja().pull(begins, ends, read)
        if not isinstance(page, list):
            _end(run_id, "failed", read, fresh, TOO_OFTEN if isinstance(page, Busy) else page.why)
            return
        if not page:
            break
        read += len(page)
        with transaction() as session:
            fresh += _keep(session, page)
    _end(run_id, "done", read, fresh, "")


def _end(run_id: int, outcome: str, rows: int, fresh: int, note: str) -> None:
    with transaction() as session:
        run = session.get_one(PullRun, run_id)
        run.outcome, run.rows, run.fresh, run.note, run.ended_at = outcome, rows, fresh, note, now()
        if note == TOO_OFTEN:
            slow_down(session, wallets()[mpesa.NAME], SLOWER_S)
        if outcome == "failed":
            log.warning("pull.failed", kind=run.kind, why=note)


def _keep(session: Session, page: list[dict[str, Any]]) -> int:
    """Keep the rows that are news as notices; gives how many."""
    rows = {number(row): row for row in page}
    _note_lines(session, rows)
    known = _known(session, [name for name in rows if name])
    news = [row for name, row in rows.items() if name not in known]
    for row in news:
        body = json.dumps({**row, "shortcode": settings().mpesa_shortcode}).encode()
        store_notice(session, "pull", body, token=_mark(number(row)), headers={}, remote_addr="")
    return len(news)


def _note_lines(session: Session, rows: dict[str, dict[str, Any]]) -> None:
    """What M-Pesa's own list says, for the day's reconciliation: once for each receipt."""
    noted = [
        {
            "provider": mpesa.NAME, "shortcode": settings().mpesa_shortcode, "receipt": name, "amount_minor": minor,
            "day": _day(row), "account_said": str(row.get("billreference", ""))[:100], "source": "pull",
            "noted_at": now(),
        }
        for name, row in rows.items()
        if name and (minor := _minor(row)) is not None
    ]  # fmt: skip
    if noted:
        session.execute(insert(ProviderLine).on_conflict_do_nothing(), noted)


def _minor(row: dict[str, Any]) -> int | None:
    try:
        return Money.of(str(row.get("amount")), settings().currency).minor or None
    except ValueError:
        return None


def _day(row: dict[str, Any]) -> date:
    """The day on which it was paid: its time is marked as UTC, and is Nairobi's (Daraja 3.0 is silent on it)."""
    try:
        return date.fromisoformat(str(row.get("trxDate", ""))[:10])
    except ValueError:
        return now().astimezone(NAIROBI).date()


def _known(session: Session, numbers: list[str]) -> set[str]:
    """Receipts that are credited, unless an attempt may be waiting for one; and those that were pulled before."""
    waiting = (
        select(PaymentIntent.id)
        .where(
            PaymentIntent.connection_id == Receipt.connection_id,
            PaymentIntent.amount_minor == Receipt.amount_minor,
            PaymentIntent.state.in_(["confirmed", "unknown"]),
        )
        .exists()
    )
    credited = select(Receipt.receipt).where(
        Receipt.provider == mpesa.NAME,
        Receipt.shortcode == settings().mpesa_shortcode,
        Receipt.receipt.in_(numbers),
        Receipt.intent_id.is_not(None) | ~waiting,
    )
    pulled = select(Notice.token).where(Notice.kind == "pull", Notice.token.in_([_mark(name) for name in numbers]))
    before = {token.removeprefix(_mark("")) for token in session.scalars(pulled) if token}
    return set(session.scalars(credited)) | before


def number(row: dict[str, Any]) -> str:
    """A row's receipt, as the books write it; "" where it has none."""
    return str(row.get("transactionId", "")).strip().upper()


def _mark(name: str) -> str:
    """What a pulled row's notice is found by; no callback's token has this form."""
    return f"pull:{name}"
