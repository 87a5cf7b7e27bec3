"""Why a message did not arrive, in plain words, and whether the number is to blame.

The codes are Africa's Talking's (SMS API, status codes and delivery reports' failureReason) and Infobip's (message
status and error codes); other words are shown as the gateway wrote them.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Index, case, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base
from core.phone import Phone

ENOUGH = 3  # failures in a row after which a number is left alone

NO_SUCH_NUMBER = "There is no such number."
CANNOT_TAKE_SMS = "This number cannot take an SMS."
SUSPENDED = "The network has suspended the number."
BLOCKED = "The number has blocked messages from this sender at its network."
NUMBER_AT_FAULT = {
    "InvalidPhoneNumber": NO_SUCH_NUMBER, "UserDoesNotExist": NO_SUCH_NUMBER, "NotNetworkSubscriber": NO_SUCH_NUMBER,
    "UserIsInactive": "The number is no longer in use.", "UserAccountSuspended": SUSPENDED,
    "UnsupportedNumberType": CANNOT_TAKE_SMS, "CouldNotRoute": "No network takes messages for this number.",
    "UserInBlackList": BLOCKED, "UserInBlacklist": BLOCKED, "DoNotDisturbRejection": BLOCKED,
    "EC_UNKNOWN_SUBSCRIBER": NO_SUCH_NUMBER, "EC_UNIDENTIFIED_SUBSCRIBER": NO_SUCH_NUMBER,
    "EC_ILLEGAL_SUBSCRIBER": SUSPENDED, "EC_TELESERVICE_NOT_PROVISIONED": CANNOT_TAKE_SMS,
    "REJECTED_DESTINATION": NO_SUCH_NUMBER, "REJECTED_PREFIX_MISSING": NO_SUCH_NUMBER,
    "REJECTED_INVALID_DESTINATION": NO_SUCH_NUMBER, "REJECTED_NOT_MOBILE": CANNOT_TAKE_SMS,
    "EC_USER_IN_BLACKLIST": BLOCKED, "REJECTED_DESTINATION_ON_BLACKLIST": BLOCKED, "BLACKLISTED_DND": BLOCKED,
}  # fmt: skip
"""Reasons that stay, whatever is sent to the number."""

ELSEWHERE_AT_FAULT = {
    "AbsentSubscriber": "The phone was switched off or out of reach for too long.",
    "EC_ABSENT_SUBSCRIBER": "The phone was switched off or out of reach for too long.",
    "Expired": "The phone was switched off or out of reach for too long.",
    "DeliveryFailure": "The network could not deliver it.", "Failed": "The network could not deliver it.",
    "Rejected": "The network refused it.", "RiskHold": "The gateway holds it back for review.",
    "InvalidSenderId": "The gateway does not know our sender name.",
    "REJECTED_SOURCE": "The gateway does not know our sender name.",
    "InsufficientBalance": "Our credit at the gateway is used up.",
    "InsufficientCredit": "The customer has no airtime for this message.",
    "REJECTED_NOT_ENOUGH_CREDITS": "Our credit at the gateway is used up.",
    "EC_MESSAGE_QUEUE_FULL": "The phone's message memory is full.",
    "InternalServerError": "The gateway had a fault.", "GatewayError": "The gateway had a fault.",
    "RejectedByGateway": "The gateway refused it.", "UNAUTHORIZED": "The gateway did not accept our key.",
    "stopped": "The customer asked for no messages (STOP).",
    "flagged": "The number has failed again and again; it is left alone until the office clears it.",
    "withdrawn": "The bulk message was stopped.",
    "unreachable": "The gateway cannot be reached.", "lost": "The gateway's answer was lost; it may have been sent.",
    "unreadable": "The gateway's answer could not be read; it may have been sent.",
    "died": "The sender stopped before the answer came; it may have been sent.",
}  # fmt: skip


class FailingNumber(Base):
    """A number that messages could not reach, and how often in a row; flagged when that is enough."""

    __tablename__ = "failing_number"
    __table_args__ = (Index("ix_failing_number_flagged", "phone", postgresql_where=text("flagged_at IS NOT NULL")),)

    phone: Mapped[Phone] = mapped_column(primary_key=True)
    failures: Mapped[int]
    reason: Mapped[str]
    failed_at: Mapped[datetime]
    flagged_at: Mapped[datetime | None]


def in_words(reason: str | None) -> str:
    """A reason as the office reads it."""
    code, _, rest = (reason or "").partition(": ")
    words = NUMBER_AT_FAULT.get(code) or ELSEWHERE_AT_FAULT.get(code)
    if code == "gave up":
        return f"Given up after several tries. {in_words(rest)}".strip()
    return words or (reason or "")


def note_failure(session: Session, phone: Phone, reason: str) -> None:
    """Count a failure that the number is to blame for; at the third in a row it is flagged."""
    if reason not in NUMBER_AT_FAULT:
        return
    failures = FailingNumber.failures + 1
    session.execute(
        insert(FailingNumber)
        .values(phone=phone, failures=1, reason=reason, failed_at=now())
        .on_conflict_do_update(
            index_elements=["phone"],
            set_={
                "failures": failures,
                "reason": reason,
                "failed_at": now(),
                "flagged_at": case((FailingNumber.flagged_at.is_not(None), FailingNumber.flagged_at),
                                   (failures >= ENOUGH, now())),
            },
        )
    )  # fmt: skip


def clear(session: Session, phone: Phone) -> bool:
    """Something reached the number, or the office wants it tried again. False where nothing was noted."""
    return (
        session.scalar(delete(FailingNumber).where(FailingNumber.phone == phone).returning(FailingNumber.phone))
        is not None
    )


def flagged_among(session: Session, phones: Iterable[Phone]) -> set[Phone]:
    """Which of these numbers are left alone."""
    return set(
        session.scalars(
            select(FailingNumber.phone).where(
                FailingNumber.phone.in_(list(phones)), FailingNumber.flagged_at.is_not(None)
            )
        )
    )
