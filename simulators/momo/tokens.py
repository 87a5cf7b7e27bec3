"""Access tokens of a provider."""

import secrets
import threading
import time


class Tokens:
    """The tokens that are good now; safe to use from any thread."""

    def __init__(self, lifetime_s: float) -> None:
        self._lock = threading.Lock()
        self._lifetime_s = lifetime_s
        self._good_until: dict[str, float] = {}

    def issue(self) -> str:
        token, now = secrets.token_urlsafe(21), time.monotonic()
        with self._lock:
            self._good_until = {t: until for t, until in self._good_until.items() if until > now}
            self._good_until[token] = now + self._lifetime_s
        return token

    def good(self, header: str) -> bool:
        """Whether an Authorization header bears a token that is good now."""
        scheme, _, token = header.partition(" ")
        with self._lock:
            return scheme.lower() == "bearer" and self._good_until.get(token, 0) >= time.monotonic()

    def revoke_all(self) -> None:
        with self._lock:
            self._good_until.clear()
