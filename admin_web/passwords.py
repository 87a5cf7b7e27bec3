"""Passwords: hashed with argon2, generated so that they can be read out, refused where anybody would guess them."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 200
CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is taken for another sign
GUESSES = 8.0
"""Powers of ten. NIST SP 800-63B (3.1.1.2) asks for a length and a list of what is common, and no rules of signs."""
JUDGED = 64
"""The estimate takes a time that grows with the square of the length; what is longer is judged by its beginning."""

_hasher = PasswordHasher()


def new_password() -> str:
    """Sixteen signs in four groups, such as "k7mq-2xhd-9fpa-wz3t": 79 bits."""
    return "-".join(group() for _ in range(4))


def group() -> str:
    """Four clear signs."""
    return "".join(secrets.choice(CLEAR) for _ in range(4))


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


def fault_in(password: str, *about: str) -> str | None:
    """Why `password` will not do, or None. `about` are words that a guesser would try: her name, the utility's.

    Common passwords, words, names, keyboard rows and their usual disguises are in lists of the package zxcvbn.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return f"At least {SHORTEST} characters. A few words are easy to keep."
    from zxcvbn import zxcvbn  # its lists take 0.15 s to load, which only this page should wait for

    if float(zxcvbn(password[:JUDGED], user_inputs=list(about))["guesses_log10"]) < GUESSES:
        return "This is among the first that others would guess. Put a few words together that do not belong together."
    return None
