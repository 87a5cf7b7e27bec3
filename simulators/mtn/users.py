"""API users: the one of the environment, and those that the sandbox's provisioning makes."""

import secrets
import threading
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, request

from simulators.mtn import errors
from simulators.mtn.errors import MtnError
from simulators.mtn.settings import MtnSettings


@dataclass(slots=True)
class _User:
    host: str
    key: str = ""


class Users:
    """Who may ask for tokens; safe to use from any thread."""

    def __init__(self, settings: MtnSettings) -> None:
        self._lock = threading.Lock()
        self._users = {settings.api_user: _User(settings.callback_host, settings.api_key)}
        self.environment = settings.target_environment

    def make(self, name: str, host: str) -> bool:
        """False where there is one of that name."""
        with self._lock:
            return self._users.setdefault(name, made := _User(host)) is made

    def new_key(self, name: str) -> str | None:
        with self._lock:
            user = self._users.get(name)
            if user is None:
                return None
            user.key = secrets.token_hex(16)
            return user.key

    def host_of(self, name: str) -> str | None:
        with self._lock:
            user = self._users.get(name)
            return user.host if user else None

    def knows(self, name: str, key: str) -> bool:
        with self._lock:
            user = self._users.get(name)
            return user is not None and bool(user.key) and secrets.compare_digest(user.key, key)

    def may_call(self, host: str) -> bool:
        """Whether callbacks may go to this host: that of any user, or anywhere where one has none."""
        with self._lock:
            return any(user.host in ("", host) for user in self._users.values())


def blueprint(settings: MtnSettings, users: Users) -> Blueprint:
    """The sandbox's provisioning of API users."""
    web = Blueprint("users", __name__, url_prefix="/v1_0/apiuser")

    @web.before_request
    def subscribed() -> None:
        given = request.headers.get("Ocp-Apim-Subscription-Key", "")
        if not secrets.compare_digest(given.encode(), settings.subscription_key.encode()):
            raise MtnError(*errors.DENIED)

    @web.post("")
    def make() -> Response:
        body = request.get_json(force=True, silent=True)
        host = body.get("providerCallbackHost") if isinstance(body, dict) else None
        if not isinstance(host, str) or "/" in host:
            raise errors.invalid("providerCallbackHost")
        if not users.make(request.headers.get("X-Reference-Id", ""), host):
            raise MtnError(*errors.EXISTS)
        return Response(status=201)

    @web.post("/<name>/apikey")
    def key(name: str) -> tuple[Response, int]:
        made = users.new_key(name)
        if made is None:
            raise MtnError(*errors.NOT_FOUND)
        return jsonify(apiKey=made), 201

    @web.get("/<name>")
    def about(name: str) -> Response:
        host = users.host_of(name)
        if host is None:
            raise MtnError(*errors.NOT_FOUND)
        return jsonify(providerCallbackHost=host, targetEnvironment=users.environment)

    return web
