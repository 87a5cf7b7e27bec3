"""Reports of faults: each gets a ticket number, is assigned, and is closed with an answer to the customer."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.accounts import with_check_digit
from billing.contact_texts import fault_answered, fault_received
from billing.customers import find_customer
from billing.models import FaultReport
from core.clock import now
from core.config import settings
from core.i18n import Text
from core.messages import queue_message
from core.phone import Phone

FIRST_NUMBER = 1000  # so that a ticket has five digits from the first on
LONGEST_NOTE = 200
LONGEST_ANSWER = 240


def report_fault(
    session: Session, phone: Phone, kind: str, *, connection_id: int | None, note: str, channel: str, key: str
) -> FaultReport:
    """Write a report down, once for its `key`, and text its number to `phone`. `kind` is one of FAULTS."""
    fresh = session.scalar(
        insert(FaultReport)
        .values(
            ticket=key, kind=kind, status="open", connection_id=connection_id, phone=phone,
            note=" ".join(note.split())[:LONGEST_NOTE], key=key, channel=channel, created_at=now(), answer="",
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(FaultReport.id)
    )  # fmt: skip
    if fresh is not None:
        # Its own number makes the ticket unique; the last digit tells a slip of the tongue.
        ticket = with_check_digit(str(FIRST_NUMBER + fresh))
        session.execute(update(FaultReport).where(FaultReport.id == fresh).values(ticket=ticket))
    report = session.scalars(
        select(FaultReport).where(FaultReport.key == key).execution_options(populate_existing=True)
    ).one()
    if fresh is not None:
        _tell(session, report, f"fault:{report.id}", fault_received(report.ticket))
    return report


def assign_fault(session: Session, report_id: int) -> bool:
    """Somebody is on the way; whether it was open."""
    return _move(session, report_id, "assigned", ("open",))


def close_fault(session: Session, report_id: int, answer: str, by: str, *, tell: bool = True) -> bool:
    """Close the report and text its answer to the customer (unless not to `tell`); whether it was still open."""
    answer = " ".join(answer.split())[:LONGEST_ANSWER]
    if not _move(session, report_id, "closed", ("open", "assigned"), answer=answer, closed_by=by, closed_at=now()):
        return False
    report = session.get_one(FaultReport, report_id, populate_existing=True)
    if tell:
        _tell(session, report, f"fault:{report.id}:closed", fault_answered(report.ticket, answer))
    return True


def _move(session: Session, report_id: int, to: str, come_from: tuple[str, ...], **values: object) -> bool:
    moved = session.scalar(
        update(FaultReport)
        .where(FaultReport.id == report_id, FaultReport.status.in_(come_from))
        .values(status=to, **values)
        .returning(FaultReport.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None


def _tell(session: Session, report: FaultReport, key: str, words: Text) -> None:
    customer = find_customer(session, report.phone)
    language = customer.language if customer is not None else settings().default_language
    queue_message(
        session,
        report.phone,
        words,
        "answer",
        key=key,
        connection_id=report.connection_id,
        language=language,
    )
