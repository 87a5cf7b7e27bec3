"""A gateway that takes nothing for now: the queue is held, and one message at a time tries whether it goes again."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base

FIRST_WAIT = {"gateway": timedelta(seconds=5), "account": timedelta(minutes=1)}
LONGEST_WAIT = timedelta(minutes=10)


class SmsHold(Base):
    """Why `gateway` is not used, and when it is tried next. `fault` is "gateway" (out of reach, too busy) or
    "account" (no credit, a wrong key), which only the office can put right."""

    __tablename__ = "sms_hold"

    gateway: Mapped[str] = mapped_column(primary_key=True)
    fault: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]
    checks: Mapped[int]
    next_try_at: Mapped[datetime]


def hold(session: Session, gateway: str, fault: str, reason: str) -> datetime:
    """Hold the queue, for twice as long at each further failure; returns when it is tried next."""
    held = session.get(SmsHold, gateway, with_for_update=True)
    if held is not None and held.next_try_at > now() and held.fault == fault:
        return held.next_try_at  # another message of the same moment has said so
    checks = held.checks + 1 if held is not None else 1
    wait: timedelta = min(FIRST_WAIT[fault] * 2 ** min(checks - 1, 20), LONGEST_WAIT)
    values = {"fault": fault, "reason": reason, "checks": checks, "next_try_at": now() + wait}
    session.execute(
        insert(SmsHold)
        .values(gateway=gateway, since=now(), **values)
        .on_conflict_do_update(index_elements=["gateway"], set_=values)
    )
    return now() + wait


def held(session: Session, gateway: str) -> SmsHold | None:
    return session.get(SmsHold, gateway, populate_existing=True)


def release(session: Session, gateway: str) -> bool:
    """The gateway takes messages again, or the office says so. False where it was not held."""
    return session.scalar(delete(SmsHold).where(SmsHold.gateway == gateway).returning(SmsHold.gateway)) is not None
