"""Keyed digests and sealed notes: Redis may hold that something was said, and nobody can guess there what it was.

A PIN has four digits, so a plain digest of it is no secret. Ours are keyed from SECRET_KEY, one key for each purpose.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken

from core.config import settings

DIGEST_BYTES = 16


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    return blake2b(secret.encode(), digest_size=32, person=purpose.encode()).digest()


def digest(purpose: str, text: str) -> str:
    """32 characters that stand for `text`; `purpose` (at most 16 bytes) keeps those of different uses apart."""
    return blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, key=_key(settings().secret_key, purpose)
    ).hexdigest()


def shut(purpose: str, text: str) -> bytes:
    """`text` so that only this service can read it, and nobody can change it."""
    return _box(purpose).encrypt(text.encode("utf-8", "surrogatepass"))


def opened(purpose: str, sealed: bytes) -> str:
    """What was shut. Raises ValueError where it was not shut by us, or has been changed since."""
    try:
        return _box(purpose).decrypt(sealed).decode("utf-8", "surrogatepass")
    except InvalidToken as error:
        raise ValueError("not sealed by this service") from error


def _box(purpose: str) -> Fernet:
    return Fernet(urlsafe_b64encode(_key(settings().secret_key, f"{purpose} box")))
