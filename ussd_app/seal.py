"""Keyed digests and sealed notes: Redis may hold that something was said, and nobody can guess there what it was.

A PIN has four digits, so a plain digest of it is no secret. Ours are keyed from SECRET_KEY, one key for each purpose.
"""

from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from itertools import count
from secrets import token_bytes

from core.config import settings

DIGEST_BYTES = 16
NONCE_BYTES = 16


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    return blake2b(secret.encode(), digest_size=32, person=purpose.encode()).digest()


def digest(purpose: str, text: str) -> str:
    """32 characters that stand for `text`; `purpose` (at most 16 bytes) keeps those of different uses apart."""
    return blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, key=_key(settings().secret_key, purpose)
    ).hexdigest()


def shut(purpose: str, text: str) -> bytes:
    """`text` so that only this service can read it, and nobody can change it.

    The standard library has no cipher; a keyed BLAKE2b that counts blocks is a stream, a second one the check.
    """
    key, nonce = _key(settings().secret_key, purpose), token_bytes(NONCE_BYTES)
    hidden = _stream(key, nonce, text.encode("utf-8", "surrogatepass"))
    return nonce + _check(key, nonce + hidden) + hidden


def opened(purpose: str, sealed: bytes) -> str:
    """What was shut. Raises ValueError where it was not shut by us, or has been changed since."""
    key = _key(settings().secret_key, purpose)
    nonce, check, hidden = sealed[:NONCE_BYTES], sealed[NONCE_BYTES : 2 * NONCE_BYTES], sealed[2 * NONCE_BYTES :]
    if not compare_digest(check, _check(key, nonce + hidden)):
        raise ValueError("not sealed by this service")
    return _stream(key, nonce, hidden).decode("utf-8", "surrogatepass")


def _stream(key: bytes, nonce: bytes, data: bytes) -> bytes:
    blocks = (blake2b(nonce + at.to_bytes(8, "big"), key=key, person=b"stream").digest() for at in count())
    pad = b"".join(next(blocks) for _ in range(0, len(data), 64))
    return bytes(a ^ b for a, b in zip(data, pad, strict=False))


def _check(key: bytes, data: bytes) -> bytes:
    return blake2b(data, key=key, digest_size=NONCE_BYTES, person=b"check").digest()
