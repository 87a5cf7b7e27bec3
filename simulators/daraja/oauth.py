"""Access tokens."""

import hmac
import secrets
import threading
import time

from flask import Blueprint, Response, jsonify, request

from simulators.daraja.errors import INVALID_TOKEN, DarajaError
from simulators.daraja.settings import DarajaSettings

LIFETIME_S = 3599


class Tokens:
    """The tokens that are good now; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._good_until: dict[str, float] = {}

    def issue(self) -> str:
        token, now = secrets.token_urlsafe(21), time.monotonic()
        with self._lock:
            self._good_until = {t: until for t, until in self._good_until.items() if until > now}
            self._good_until[token] = now + LIFETIME_S
        return token

    def check(self, header: str) -> None:
        """Raises DarajaError unless the Authorization header bears a good token."""
        scheme, _, token = header.partition(" ")
        with self._lock:
            if scheme.lower() != "bearer" or self._good_until.get(token, 0) < time.monotonic():
                raise DarajaError(*INVALID_TOKEN)

    def revoke_all(self) -> None:
        with self._lock:
            self._good_until.clear()


def blueprint(settings: DarajaSettings, tokens: Tokens) -> Blueprint:
    web = Blueprint("oauth", __name__)

    @web.get("/oauth/v1/generate")
    def generate() -> Response:
        if request.args.get("grant_type") != "client_credentials":
            raise DarajaError(400, "400.008.02", "Invalid grant type passed")
        basic = request.authorization
        if basic is None or basic.type != "basic":
            raise DarajaError(400, "400.008.01", "Invalid Authentication passed")
        given = f"{basic.username}:{basic.password}".encode()
        if not hmac.compare_digest(given, f"{settings.consumer_key}:{settings.consumer_secret}".encode()):
            return Response(status=400)
        return jsonify(access_token=tokens.issue(), expires_in=str(LIFETIME_S))

    return web
