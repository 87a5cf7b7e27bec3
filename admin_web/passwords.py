"""Passwords: hashed with argon2, generated so that they can be read out and typed."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST = 200
CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is taken for another sign

_hasher = PasswordHasher()


def new_password() -> str:
    """Sixteen signs in four groups, such as "k7mq-2xhd-9fpa-wz3t": 79 bits."""
    return "-".join("".join(secrets.choice(CLEAR) for _ in range(4)) for _ in range(4))


def digest(password: str) -> str:
    """The hash to keep, with its salt and its cost."""
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    return digest(new_password())


def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one of `kept`. For an unknown user (None) it takes as long and is False."""
    try:
        return _hasher.verify(kept or _nobody(), password[:LONGEST]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
