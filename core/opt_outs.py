"""Who wants no messages but those she asks for: bills, alerts and bulk messages respect it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base
from core.phone import Phone


class OptOut(Base):
    """A phone that said STOP; `by` is "sms", "ussd", the gateway's name or an office user."""

    __tablename__ = "opt_out"

    phone: Mapped[Phone] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    by: Mapped[str]


def stop(session: Session, phone: Phone, by: str) -> bool:
    """Send `phone` nothing it does not ask for. False where it had stopped before."""
    added = session.scalar(
        insert(OptOut)
        .values(phone=phone, since=now(), by=by)
        .on_conflict_do_nothing(index_elements=["phone"])
        .returning(OptOut.phone)
    )
    return added is not None


def start(session: Session, phone: Phone, by: str = "") -> bool:
    """Send `phone` everything again. False where it had not stopped. `by` is as for `stop`, and is not kept."""
    return session.scalar(delete(OptOut).where(OptOut.phone == phone).returning(OptOut.phone)) is not None


def stopped(session: Session, phone: Phone) -> bool:
    return session.get(OptOut, phone) is not None


def stopped_among(session: Session, phones: Iterable[Phone]) -> set[Phone]:
    """Which of these phones have stopped."""
    return set(session.scalars(select(OptOut.phone).where(OptOut.phone.in_(list(phones)))))
