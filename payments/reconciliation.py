"""Each day, channel by channel: what the provider says, what the ledger says, what the bank says; and who closed it.

Nothing is corrected here. A difference is a line of work: it goes away by itself when the missing side comes, or
somebody says why it stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.moments import here
from core.clock import now
from core.config import settings
from core.database import transaction
from payments import day_figures as figures
from payments.desk_models import DeskDay
from payments.matching_models import DayClosing, DayDifference, ProviderLine
from payments.wallets.registry import wallets

OFFICE = ("cash", "cheque", "bank")
LOOKED_BACK = timedelta(days=3)
LIST_LAGS = timedelta(hours=1)
"""What was paid just now may not be in the provider's list yet: it is read every ten minutes."""

# What M-Pesa's own statements say, once they were read (rows of charges and failures are no payments).
FROM_STATEMENTS = text("""
    INSERT INTO provider_line (provider, shortcode, receipt, amount_minor, day, account_said, source, noted_at)
    SELECT DISTINCT ON (r.receipt) 'mpesa', s.shortcode, upper(r.receipt), r.amount_minor,
        (r.completed_at AT TIME ZONE :zone)::date, r.account_said, 'statement', :noted_at
    FROM mpesa_statement_row r JOIN mpesa_statement s ON s.id = r.statement_id
    WHERE r.verdict IN ('payment', 'known', 'differs') AND r.amount_minor > 0
    AND r.completed_at >= :begins AND r.completed_at < :ends
    ORDER BY r.receipt, s.id DESC
    ON CONFLICT (provider, shortcode, receipt) DO NOTHING
""")
# A list that was read is held against the receipts of the same day; where a side lacks one, that is a difference.
COMPARED = text("""
    SELECT coalesce(p.receipt, r.receipt), coalesce(p.amount_minor, 0), coalesce(r.amount_minor, 0)
    FROM (SELECT receipt, shortcode, amount_minor FROM provider_line WHERE provider = :channel AND day = :day) p
    FULL JOIN (
        SELECT receipt, shortcode, amount_minor, paid_at FROM receipt
        WHERE provider = :channel AND paid_at >= :begins AND paid_at < :ends
    ) r ON r.receipt = p.receipt AND r.shortcode = p.shortcode
    WHERE coalesce(p.amount_minor, 0) <> coalesce(r.amount_minor, 0)
    AND (p.receipt IS NOT NULL OR r.paid_at < :listed_by)
    AND NOT EXISTS (
        SELECT FROM receipt other WHERE other.provider = :channel AND other.receipt = coalesce(p.receipt, r.receipt)
        AND p.amount_minor = other.amount_minor)
    AND NOT EXISTS (
        SELECT FROM provider_line other WHERE other.provider = :channel AND other.receipt = r.receipt
        AND other.amount_minor = r.amount_minor)
""")


@dataclass(frozen=True, slots=True)
class ClosingRefusal:
    """Why not: 'today' (the day is not over), 'open' (differences wait), 'closed' (by somebody before)."""

    kind: str


def channels() -> list[str]:
    """Where money comes from: each wallet, and the office's three ways."""
    return [*wallets(), *OFFICE]


def note_line(
    session: Session, provider: str, shortcode: str, receipt: str, amount_minor: int, day: date, said: str, source: str
) -> None:
    """Keep what a provider's own list says of a payment, once for its receipt. `source`: "pull", "report"."""
    row = insert(ProviderLine).values(
        provider=provider, shortcode=shortcode, receipt=receipt.upper(), amount_minor=amount_minor, day=day,
        account_said=said[:100], source=source, noted_at=now(),
    )  # fmt: skip
    session.execute(row.on_conflict_do_nothing(index_elements=["provider", "shortcode", "receipt"]))


def prepare(session: Session, day: date) -> list[DayClosing]:
    """Reckon a day anew. What agrees now is gone from the work; a closed day that no longer agrees is open again."""
    begins, ends = figures.bounds(day)
    zone = settings().utility_zone
    session.execute(FROM_STATEMENTS, {"zone": zone, "begins": begins, "ends": ends, "noted_at": now()})
    made = []
    for channel in channels():
        found = _drawers(session, day) if channel == "cash" else _compared(session, channel, day)
        _keep_differences(session, day, channel, found)
        made.append(_keep_figures(session, day, channel))
    return made


def days(session: Session, first: date, last: date) -> Sequence[DayClosing]:
    """The closings of some days, the newest first."""
    query = select(DayClosing).where(DayClosing.day.between(first, last))
    return session.scalars(query.order_by(DayClosing.day.desc(), DayClosing.id)).all()


def differences(session: Session, day: date | None = None) -> Sequence[DayDifference]:
    """The open ones, the oldest first; or all of one day."""
    query = select(DayDifference).order_by(DayDifference.day, DayDifference.id).limit(500)
    query = query.where(DayDifference.status == "open" if day is None else DayDifference.day == day)
    return session.scalars(query).all()


def decide_difference(session: Session, difference_id: int, decision: str, by: str) -> bool:
    """Somebody says why a difference stays. False without words, or where it is not open."""
    one = session.get_one(DayDifference, difference_id, with_for_update=True, populate_existing=True)
    decision = " ".join(decision.split())
    if one.status != "open" or not decision:
        return False
    one.status, one.decision, one.decided_by, one.decided_at = "decided", decision, by, now()
    session.flush()
    return True


def close_day(session: Session, day: date, by: str, note: str = "") -> ClosingRefusal | None:
    """Say of a whole day that it is right. Only a day that is over and has no open difference can be closed."""
    if day >= here():
        return ClosingRefusal("today")
    prepare(session, day)
    if session.scalar(select(DayDifference.id).where(DayDifference.day == day, DayDifference.status == "open")):
        return ClosingRefusal("open")
    moved = session.execute(
        update(DayClosing)
        .where(DayClosing.day == day, DayClosing.status == "open")
        .values(status="closed", closed_by=by, closed_at=now(), note=note)
        .returning(DayClosing.id)
    ).all()
    return None if moved else ClosingRefusal("closed")


def prepare_lately() -> None:
    """What the clock does every hour: the last days reckoned anew, so that late money is seen."""
    with transaction() as session:
        for back in range(LOOKED_BACK.days, -1, -1):
            prepare(session, here() - timedelta(days=back))


Found = tuple[str, str, int, int]
"""A difference: its kind, what it is about, what the provider says, what the ledger says."""


def _compared(session: Session, channel: str, day: date) -> list[Found]:
    """Receipt by receipt; nothing where the provider's list was not read, for then it says nothing."""
    if channel in OFFICE or figures.listed(session, channel, day) is None:
        return []
    begins, ends = figures.bounds(day)
    values = {"channel": channel, "day": day, "begins": begins, "ends": ends, "listed_by": now() - LIST_LAGS}
    rows = session.execute(COMPARED, values).tuples()
    return [(_kind(said, booked), receipt, said, booked) for receipt, said, booked in rows]


def _kind(said: int, booked: int) -> str:
    return "not_in_ledger" if not booked else "not_at_provider" if not said else "amount"


def _drawers(session: Session, day: date) -> list[Found]:
    """Drawers that did not hold what they should have; their cashiers have said why."""
    closed = select(DeskDay).where(DeskDay.day == day, DeskDay.status == "closed").order_by(DeskDay.id)
    return [
        ("drawer", one.cashier, one.counted_minor, one.ledger_minor)
        for one in session.scalars(closed)
        if one.counted_minor is not None and one.ledger_minor is not None and one.counted_minor != one.ledger_minor
    ]


def _keep_differences(session: Session, day: date, channel: str, found: list[Found]) -> None:
    """New ones are open; those that are no more are gone; what was decided of the same figures stays decided."""
    for kind, reference, said, booked in found:
        values = {"provider_minor": said, "ledger_minor": booked}
        row = insert(DayDifference).values(
            day=day, channel=channel, kind=kind, reference=reference, status="open", decision="", found_at=now(),
            **values,
        )  # fmt: skip
        changed = (DayDifference.provider_minor != said) | (DayDifference.ledger_minor != booked)
        again = {**values, "status": "open", "decided_by": None, "decided_at": None}
        session.execute(
            row.on_conflict_do_update(
                index_elements=["day", "channel", "kind", "reference"], set_=again,
                where=changed | (DayDifference.status == "gone"),
            )
        )  # fmt: skip
    still = {(kind, reference) for kind, reference, _, _ in found}
    ours = select(DayDifference).where(DayDifference.day == day, DayDifference.channel == channel)
    for one in session.scalars(ours.where(DayDifference.status == "open")):
        if (one.kind, one.reference) not in still:
            one.status = "gone"
    session.flush()


def _keep_figures(session: Session, day: date, channel: str) -> DayClosing:
    said = {
        "provider_minor": figures.counted(session, day) if channel == "cash" else figures.listed(session, channel, day),
        "ledger_minor": figures.booked(session, channel, day),
        "bank_minor": figures.banked(session, channel, day),
    }
    values = {"day": day, "channel": channel, "status": "open", "note": "", "prepared_at": now(), **said}
    row = insert(DayClosing).values(**values)
    made = session.scalars(
        row.on_conflict_do_update(index_elements=["day", "channel"], set_={**said, "prepared_at": now()})
        .returning(DayClosing),
        execution_options={"populate_existing": True},
    ).one()  # fmt: skip
    waiting = select(DayDifference.id).where(
        DayDifference.day == day, DayDifference.channel == channel, DayDifference.status == "open"
    )
    if made.status == "closed" and session.scalar(waiting.limit(1)) is not None:
        made.status, made.closed_by, made.closed_at = "open", None, None
        session.flush()
    return made
