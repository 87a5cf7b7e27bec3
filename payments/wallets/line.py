"""The line to a provider that gives out tokens: a request, and what came back. Knows no product and no database."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

TIMEOUT_S = (3.05, 20)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its HTTP status and its JSON object, empty where it was none."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Nothing has left: there was no token, or no connection."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """It was sent, and no answer came: it may have been carried out."""

    why: str


Heard = Said | NotAsked | Lost


@dataclass(frozen=True, slots=True)
class TokenCall:
    """How a token is asked for, how long before its end it is renewed, and how long it lives where that is not said."""

    path: str
    early_s: float
    auth: tuple[str, str] | None = None
    json: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    params: Mapping[str, str] | None = None
    lives_s: float = 0.0


def unauthorized(said: Said) -> bool:
    """The usual answer to a token that is none any more; nothing was carried out then."""
    return said.status == 401


class Line:
    """One account at a provider. Safe to use from several threads; redirects are not followed."""

    def __init__(
        self, base_url: str, token_call: TokenCall, clock: Callable[[], float] = monotonic,
        stale: Callable[[Said], bool] = unauthorized,
    ) -> None:  # fmt: skip
        self._base, self._token_call, self._clock = base_url.rstrip("/"), token_call, clock
        self._stale = stale
        self._http = requests.Session()
        self._lock = threading.Lock()
        self._token, self._token_ends = "", 0.0

    def call(self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None) -> Heard:
        """One request with a token; with a fresh one once more where the token was not valid."""
        token = self._bearer("")
        heard = self._sent(method, path, json, headers, token)
        if isinstance(heard, Said) and self._stale(heard) and isinstance(token, str):
            heard = self._sent(method, path, json, headers, self._bearer(token))
        return heard

    def _sent(
        self, method: str, path: str, json: object, headers: Mapping[str, str] | None, token: str | NotAsked
    ) -> Heard:
        if isinstance(token, NotAsked):
            return token
        said = {"Authorization": f"Bearer {token}", **(headers or {})}
        try:
            answer = self._http.request(
                method, self._base + path, json=json, headers=said, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            return NotAsked("unreachable", "no connection") if _never_left(error) else Lost(type(error).__name__)
        return Said(answer.status_code, _object(answer))

    def _bearer(self, refused: str) -> str | NotAsked:
        """A token that is not `refused`. Of many threads whose token ended at once, one fetches the next."""
        with self._lock:
            if self._token in ("", refused) or self._clock() > self._token_ends - self._token_call.early_s:
                fresh = self._new_token()
                if isinstance(fresh, NotAsked):
                    return fresh
                self._token, self._token_ends = fresh
            return self._token

    def _new_token(self) -> tuple[str, float] | NotAsked:
        how = self._token_call
        try:
            answer = self._http.request(
                how.method, self._base + how.path, params=how.params, auth=how.auth, json=how.json,
                headers=dict(how.headers), timeout=TIMEOUT_S, allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            return NotAsked("token", f"no token: {type(error).__name__}")
        said = _object(answer)
        if answer.status_code == 429:
            return NotAsked("429", "no token: too many requests")
        if answer.status_code != 200 or not said.get("access_token"):
            return NotAsked("token", f"no token: HTTP {answer.status_code}")
        return str(said["access_token"]), self._clock() + _seconds(said.get("expires_in"), how.lives_s)


def _never_left(error: requests.RequestException) -> bool:
    """Only where no connection was made is it sure that nothing was sent."""
    cause = error.args[0] if error.args else None
    refused = isinstance(getattr(cause, "reason", None), NewConnectionError)
    return isinstance(error, requests.ConnectTimeout) or refused


def _seconds(said: object, otherwise: float) -> float:
    """`expires_in` is a number at one provider and a string at another."""
    try:
        return float(str(said))
    except ValueError:
        return otherwise


def _object(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
