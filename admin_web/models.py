"""Who may enter the office, where they are logged in, and which forms were already sent."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

ROLES = ("administrator", "billing", "accountant", "field", "support", "auditor")


class OfficeUser(Base):
    """A person of the utility. Users are deactivated, never deleted: readings and payments name them.

    `totp_sealed` is the secret of her second step, readable with SECRET_KEY only; `totp_step` the last step used.
    """

    __tablename__ = "office_user"
    __table_args__ = (
        CheckConstraint(f"role IN {ROLES}", name="role"),
        Index("uq_office_user_username", "username", unique=True),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    username: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None]
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    last_login_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands in for a lost phone, once."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("office_user.id"))
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]


class OfficeSession(Base):
    """One browser's login. The cookie holds the token, this table only its digest; `id` names it to its owner."""

    __tablename__ = "office_session"
    __table_args__ = (
        Index("ix_office_session_user_id", "user_id"),
        Index("uq_office_session_id", "id", unique=True),
    )

    id: Mapped[int] = mapped_column(Identity(always=True))
    token_digest: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("office_user.id"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    address: Mapped[str]
    browser: Mapped[str] = mapped_column(default="", server_default="")


class LoginThrottle(Base):
    """Failed logins of one subject, "user amina" or "address 10.0.0.7", and until when it must wait."""

    __tablename__ = "login_throttle"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class SentForm(Base):
    """A form that was sent and acted on: sending it again leads to `location` and changes nothing."""

    __tablename__ = "sent_form"
    __table_args__ = (Index("ix_sent_form_sent_at", "sent_at"),)

    token: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("office_user.id"))
    path: Mapped[str]
    sent_at: Mapped[datetime]
    location: Mapped[str | None]
