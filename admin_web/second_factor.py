"""The second step of a login: a code of the officer's phone (TOTP, RFC 6238), or a recovery code, each once."""

import hmac
from datetime import datetime

from argon2 import PasswordHasher
from pyotp import TOTP, random_base32
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from admin_web import passwords
from admin_web.models import OfficeUser, RecoveryCode
from core import seal
from core.clock import now
from core.config import settings

STEP_S = 30
DRIFT = 1
"""Steps that a phone's clock may be ahead or behind (RFC 6238, 5.2 recommends one)."""
RECOVERY_CODES = 10
PURPOSE = "second step"

_hasher = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
"""Cheaper than for passwords: a code of 59 random bits is not guessed from its digest at any speed."""


def new_secret() -> str:
    """160 bits in base 32, as authenticator apps take it (RFC 4226, 4: R6)."""
    return random_base32()


def address(username: str, secret: str) -> str:
    """What the QR code says to the phone's app."""
    return TOTP(secret).provisioning_uri(name=username, issuer_name=f"Mita {settings().utility_name}")


def step_of(secret: str, code: str, after: int = 0, at: datetime | None = None) -> int | None:
    """The step whose code this is, later than the step `after`; None where it is none of those that may be used now."""
    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdecimal():
        return None
    here = int((at or now()).timestamp()) // STEP_S
    totp = TOTP(secret)
    for step in range(max(here - DRIFT, after + 1), here + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def enrol(session: Session, user: OfficeUser, secret: str, code: str) -> list[str] | None:
    """Use `secret` from now on; returns her recovery codes, kept as digests only. None where `code` is not its own."""
    step = step_of(secret, code)
    if step is None:
        return None
    user.totp_sealed, user.totp_step = seal.shut(PURPOSE, f"{user.id} {secret}"), step
    return new_recovery_codes(session, user)


def new_recovery_codes(session: Session, user: OfficeUser) -> list[str]:
    """Ten new ones, such as "k7mq-2xhd-9fpa"; the old ones are void."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = ["-".join(passwords.group() for _ in range(3)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hasher.hash(code)) for code in codes)
    session.flush()
    return codes


def passes(session: Session, user_id: int, code: str) -> bool:
    """Whether `code` lets the user in. It is used up: neither it nor an earlier one passes again."""
    user = session.get_one(OfficeUser, user_id, with_for_update=True, populate_existing=True)
    if user.totp_sealed is None:
        return False
    step = step_of(_secret_of(user), code, after=user.totp_step or 0)
    if step is not None:
        user.totp_step = step
        return True
    return _use_recovery_code(session, user_id, code.strip().lower())


def take_away(session: Session, user: OfficeUser) -> None:
    """She logs in with her password alone, and sets up a new second step where her role needs one."""
    user.totp_sealed = user.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes are unused."""
    return len(session.scalars(_unused(user_id)).all())


def _unused(user_id: int) -> Select[tuple[RecoveryCode]]:
    return select(RecoveryCode).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))


def _use_recovery_code(session: Session, user_id: int, code: str) -> bool:
    if len(code) != 14:  # nothing else is worth ten slow comparisons
        return False
    for kept in session.scalars(_unused(user_id)):
        if passwords.matches(kept.code_hash, code):
            kept.used_at = now()
            return True
    return False


def _secret_of(user: OfficeUser) -> str:
    """Bound to its user, so that a row of one cannot be given to another. ValueError where it is not ours."""
    assert user.totp_sealed is not None
    owner, _, secret = seal.opened(PURPOSE, user.totp_sealed).partition(" ")
    if owner != str(user.id):
        raise ValueError("this secret belongs to somebody else")
    return secret
