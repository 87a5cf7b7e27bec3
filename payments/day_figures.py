"""What one day of one channel comes to: by the provider's list, by the receipts, by the bank."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.config import settings
from payments.desk_models import DeskDay
from payments.matching_models import BankLine, ProviderLine
from payments.models import Receipt


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends where the utility is."""
    zone = ZoneInfo(settings().utility_zone)
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def listed(session: Session, channel: str, day: date) -> int | None:
    """What the provider's own list says of a day; None where no list of it was read, or no one can have one."""
    total = session.scalar(
        select(func.sum(ProviderLine.amount_minor)).where(ProviderLine.provider == channel, ProviderLine.day == day)
    )
    return None if total is None else int(total)


def counted(session: Session, day: date) -> int | None:
    """The day's cash by what was counted: the ledger's figure and what the drawers had more or less."""
    of_day = select(DeskDay).where(DeskDay.day == day)
    drawers = session.scalars(of_day).all()
    if not drawers or any(one.status == "open" for one in drawers):
        return None
    more = sum((one.counted_minor or 0) - (one.ledger_minor or 0) for one in drawers)
    return booked(session, "cash", day) + more


def booked(session: Session, channel: str, day: date) -> int:
    """What the receipts of a day come to."""
    begins, ends = bounds(day)
    total = session.scalar(
        select(func.coalesce(func.sum(Receipt.amount_minor), 0)).where(
            Receipt.provider == channel, Receipt.paid_at >= begins, Receipt.paid_at < ends
        )
    )
    return int(total or 0)


def banked(session: Session, channel: str, day: date) -> int:
    """What the bank shows on that day of money from this channel."""
    kinds = {"cheque": ("cheque", "returned"), "bank": ("slip", "payment", "suspense")}
    of_channel = (
        BankLine.kind.in_(kinds[channel])
        if channel in kinds
        else BankLine.channel == ("office" if channel == "cash" else channel)
    )
    total = session.scalar(
        select(func.coalesce(func.sum(BankLine.amount_minor), 0)).where(BankLine.booked_on == day, of_channel)
    )
    return int(total or 0)
