"""The invariants of the books, each as one query that finds what breaks it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from billing.arrears import aging
from billing.journal import trial_balance
from billing.models import BooksCheck
from core.clock import now

SAMPLE = 5
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise: how often it is broken, and a few of the places."""

    name: str
    violations: int
    sample: list[str] = field(default_factory=list)


# Each gives one row, a text, for each violation.
QUERIES = {
    "every entry sums to zero": """
        SELECT 'entry ' || entry_id FROM posting GROUP BY entry_id HAVING sum(amount_minor) <> 0""",
    "every entry has postings": """
        SELECT 'entry ' || e.id FROM ledger_entry e WHERE NOT EXISTS (SELECT FROM posting p WHERE p.entry_id = e.id)""",
    "every posting has its entry": """
        SELECT 'posting ' || p.id FROM posting p
        WHERE NOT EXISTS (SELECT FROM ledger_entry e WHERE e.id = p.entry_id)""",
    "balances equal the receivable postings": """
        SELECT 'connection ' || coalesce(b.connection_id, p.connection_id)
        FROM balance b FULL JOIN (
            SELECT connection_id, sum(amount_minor) AS amount FROM posting WHERE account = 'receivable' GROUP BY 1
        ) p ON p.connection_id = b.connection_id
        WHERE coalesce(b.amount_minor, 0) <> coalesce(p.amount, 0)""",
    "receivables equal all balances": """
        SELECT 'receivable ' || r.amount || ', balances ' || b.amount
        FROM (SELECT coalesce(sum(amount_minor), 0) AS amount FROM posting WHERE account = 'receivable') r,
             (SELECT coalesce(sum(amount_minor), 0) AS amount FROM balance) b
        WHERE r.amount <> b.amount""",
    "each invoice equals its lines": """
        SELECT 'invoice ' || i.id FROM invoice i LEFT JOIN (
            SELECT invoice_id, sum(amount_minor) AS amount FROM invoice_line GROUP BY 1
        ) l ON l.invoice_id = i.id
        WHERE i.amount_minor <> coalesce(l.amount, 0)""",
    "each issued invoice equals its postings": """
        SELECT 'invoice ' || i.id FROM invoice i
        LEFT JOIN ledger_entry e ON e.source = 'invoice:' || i.id
        LEFT JOIN posting p ON p.entry_id = e.id AND p.account = 'receivable' AND p.connection_id = i.connection_id
        WHERE i.status = 'issued'
        GROUP BY i.id HAVING i.amount_minor <> coalesce(sum(p.amount_minor), 0)""",
    "no draft is posted, no posting without its invoice": """
        SELECT e.source FROM ledger_entry e
        LEFT JOIN invoice i ON e.source = 'invoice:' || i.id AND i.status <> 'draft'
        WHERE e.kind = 'invoice' AND i.id IS NULL""",
    "invoice numbers have no gap within a run": """
        SELECT 'run ' || r.id FROM billing_run r LEFT JOIN invoice i ON i.run_id = r.id
        WHERE r.status = 'issued'
        GROUP BY r.id
        HAVING count(i.number) <> coalesce(r.number_to - r.number_from + 1, 0)
            OR count(i.number) <> count(DISTINCT i.number)
            OR min(substr(i.number, 5)::bigint) <> r.number_from OR max(substr(i.number, 5)::bigint) <> r.number_to""",
    "no number was given out twice": """
        SELECT 'runs ' || a.id || ' and ' || b.id FROM billing_run a
        JOIN billing_run b ON b.id > a.id AND b.number_from <= a.number_to AND b.number_to >= a.number_from""",
    "the runs' numbers follow each other from the first to the last": """
        SELECT 'run ' || id FROM (
            SELECT id, number_from, lag(number_to, 1, 0::bigint) OVER (ORDER BY number_from) AS previous
            FROM billing_run WHERE number_from IS NOT NULL
        ) r WHERE number_from <> previous + 1
        UNION ALL
        SELECT 'series ' || s.name FROM number_series s
        WHERE s.name = 'invoice' AND s.next - 1 <> (SELECT coalesce(max(number_to), 0) FROM billing_run)""",
    "notes are numbered without a gap": """
        SELECT kind FROM adjustment WHERE number IS NOT NULL GROUP BY kind
        HAVING count(*) <> max(substring(number FROM '[0-9]+$')::bigint)""",
    "each note in the books has its entry": """
        SELECT a.number FROM adjustment a LEFT JOIN posting p ON p.entry_id = a.entry_id
            AND p.account = 'receivable' AND p.connection_id = a.connection_id
        WHERE a.status = 'posted' AND a.amount_minor <> coalesce(p.amount_minor, 0)""",
    "a void invoice's entry is reversed, leg by leg": """
        SELECT 'invoice ' || i.id FROM invoice i
        JOIN ledger_entry e ON e.source = 'invoice:' || i.id
        LEFT JOIN ledger_entry r ON r.reverses_id = e.id
        WHERE i.status = 'void' AND (r.id IS NULL OR EXISTS (
            SELECT FROM posting p WHERE p.entry_id IN (e.id, r.id)
            GROUP BY p.account, p.connection_id HAVING sum(p.amount_minor) <> 0))""",
    "an invoice that stands is not reversed": """
        SELECT 'invoice ' || i.id FROM invoice i
        JOIN ledger_entry e ON e.source = 'invoice:' || i.id
        JOIN ledger_entry r ON r.reverses_id = e.id
        WHERE i.status = 'issued'""",
    "an entry's due date is its invoice's": """
        SELECT i.number FROM invoice i JOIN ledger_entry e ON e.source = 'invoice:' || i.id
        WHERE e.due_on IS DISTINCT FROM i.due_on""",
    "payment plans leave nothing in between": """
        SELECT 'plans ' || sum(amount_minor) FROM posting WHERE account = 'plans' HAVING sum(amount_minor) <> 0""",
    "a plan's instalments are its amount": """
        SELECT 'plan ' || l.id FROM payment_plan l LEFT JOIN plan_instalment i ON i.plan_id = l.id
        GROUP BY l.id HAVING l.amount_minor <> coalesce(sum(i.amount_minor), 0)""",
    "no more of a deposit is used than was paid": """
        SELECT 'connection ' || connection_id FROM posting WHERE account = 'deposits'
        GROUP BY connection_id HAVING sum(amount_minor) > 0""",
    "nothing waits to be balanced": """
        SELECT 'entry ' || entry_id FROM ledger_unsettled""",
    "a finished run has nothing left over": """
        SELECT 'run ' || r.id FROM billing_run r JOIN invoice i ON i.run_id = r.id
        WHERE (r.status = 'issued' AND i.status = 'draft') OR r.status = 'cancelled'
        GROUP BY r.id""",
    "bills follow each other without a gap or an overlap": """
        SELECT 'invoice ' || id FROM (
            SELECT id, opening_reading_id, lag(closing_reading_id)
                OVER (PARTITION BY connection_id, kind ORDER BY period_start) AS previous
            FROM invoice WHERE status = 'issued'
        ) chain WHERE previous <> opening_reading_id""",
    "billed usage equals the readings between": """
        SELECT 'invoice ' || i.id FROM invoice i
        JOIN reading o ON o.id = i.opening_reading_id
        JOIN reading c ON c.id = i.closing_reading_id
        LEFT JOIN reading r ON r.connection_id = i.connection_id AND r.status = 'accepted'
            AND (r.taken_on, r.id) > (o.taken_on, o.id) AND (r.taken_on, r.id) <= (c.taken_on, c.id)
        WHERE i.status = 'issued' AND o.status = 'accepted' AND c.status = 'accepted' AND NOT EXISTS (
            -- What was billed before somebody corrected a reading is shown to the office, to be billed anew.
            SELECT FROM reading_correction k JOIN reading w ON w.id = k.reading_id
            WHERE w.connection_id = i.connection_id AND k.corrected_at > i.created_at)
        GROUP BY i.id HAVING i.usage <> coalesce(sum(r.usage), 0)""",
    "a meter is at one place at most": """
        SELECT 'meter ' || meter_id FROM meter_assignment WHERE to_on IS NULL GROUP BY meter_id HAVING count(*) > 1""",
    "every reading says who entered it": """
        SELECT 'reading ' || id FROM reading WHERE entered_by = ''""",
}

COUNTS = {
    "debtors": "SELECT count(*) FROM balance WHERE amount_minor > 0",
    "owed_minor": "SELECT sum(amount_minor) FROM balance WHERE amount_minor > 0",
    "connections": "SELECT count(*) FROM connection",
    "unmetered": """
        SELECT count(*) FROM connection c WHERE status = 'active'
          AND NOT EXISTS (SELECT FROM meter_assignment a WHERE a.connection_id = c.id AND a.to_on IS NULL)""",
}


def check(session: Session) -> list[Invariant]:
    """Check all of it. Reads everything: for the hour, not for a request."""
    return [_checked(session, name, query) for name, query in QUERIES.items()]


def remember(session: Session, found: Sequence[Invariant]) -> BooksCheck:
    """Keep what a check found, for the office to see, with the age of all debts and the trial balance; old ones go."""
    session.execute(delete(BooksCheck).where(BooksCheck.checked_at < now() - KEPT))
    broken = {one.name: {"violations": one.violations, "sample": one.sample} for one in found if one.violations}
    accounts = [[one.account, one.debit_minor, one.credit_minor] for one in trial_balance(session)]
    checked = BooksCheck(
        checked_at=now(), violations=sum(one.violations for one in found),
        found={"broken": broken, "invariants": len(found), "aging": aging(session), "accounts": accounts,
               "counts": _counts(session)},
    )  # fmt: skip
    session.add(checked)
    session.flush()
    return checked


def _counts(session: Session) -> dict[str, int]:
    """What pages show of large books as of the last check, for counting a million rows takes too long for a page."""
    return {name: int(session.scalar(text(query)) or 0) for name, query in COUNTS.items()}


def last_check(session: Session) -> BooksCheck | None:
    """The newest check that was kept."""
    return session.scalar(select(BooksCheck).order_by(BooksCheck.id.desc()).limit(1))


def _checked(session: Session, name: str, query: str) -> Invariant:
    counted = text(f"SELECT count(*) FROM ({query}) found")  # noqa: S608  the queries are the constants above
    count = session.scalar(counted) or 0
    sample = list(session.scalars(text(f"{query} LIMIT {SAMPLE}"))) if count else []
    return Invariant(name, count, sample)
