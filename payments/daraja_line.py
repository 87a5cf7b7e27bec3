"""The line to Daraja: a token, a request, and what came back. Knows no product of theirs and no database.

Wire facts: Daraja 3.0, "Authorization". A token lives for an hour; `expires_in` is a string in the wild, a number in
the documentation. An invalid one is answered with HTTP 404 and code 404.001.03, and nothing was carried out then.
"""

import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

TIMEOUT_S = (3.05, 20)
EARLY_S = 60
"""A token is renewed this long before it ends."""
STALE = "404.001.03"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its HTTP status and its JSON object, empty where it was none."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str(self.body.get("errorCode", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("errorMessage", ""))

    @property
    def too_many(self) -> bool:
        """Asked too often: refused at the gate, so nothing was carried out."""
        words = self.message.lower()
        return self.status == 429 or "spike arrest" in words or "quota" in words


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Nothing has left: there was no token, or no connection."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """It was sent, and no answer came: it may have been carried out."""

    why: str


class Line:
    """One app at Daraja, at any address that speaks like it. Safe to use from several threads."""

    def __init__(self, base_url: str, key: str, secret: str) -> None:
        self._base, self._credentials = base_url.rstrip("/"), (key, secret)
        self._http = requests.Session()
        self._lock = threading.Lock()
        self._token, self._token_ends = "", 0.0

    def post(self, path: str, body: dict[str, Any]) -> Said | NotAsked | Lost:
        """Post with a token; with a fresh one once more where Daraja says that the token was not valid."""
        said = self._posted(path, body, refused="")
        if isinstance(said, tuple):
            stale, answer = said
            again = self._posted(path, body, refused=stale) if answer.code == STALE else said
            return again[1] if isinstance(again, tuple) else again
        return said

    def _posted(self, path: str, body: dict[str, Any], refused: str) -> tuple[str, Said] | NotAsked | Lost:
        """The token that was used, and the answer; `refused` is a token that is known to be none."""
        token = self._bearer(refused)
        if isinstance(token, NotAsked):
            return token
        try:
            # A redirect is not followed: it would post the same push twice, or its password to somebody else.
            answer = self._http.post(
                self._base + path, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S,
                allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            return NotAsked("unreachable", "no connection") if _never_left(error) else Lost(type(error).__name__)
        return token, Said(answer.status_code, _object(answer))

    def _bearer(self, refused: str) -> str | NotAsked:
        """A token that is not `refused`. Of many threads whose token ended at once, one fetches the next."""
        with self._lock:
            if self._token in ("", refused) or monotonic() > self._token_ends - EARLY_S:
                fresh = self._new_token()
                if isinstance(fresh, NotAsked):
                    return fresh
                self._token, self._token_ends = fresh
            return self._token

    def _new_token(self) -> tuple[str, float] | NotAsked:
        try:
            answer = self._http.get(
                f"{self._base}/oauth/v1/generate",
                params={"grant_type": "client_credentials"},
                auth=self._credentials,
                timeout=TIMEOUT_S,
            )
        except requests.RequestException as error:
            return NotAsked("token", f"no token: {type(error).__name__}")
        said = _object(answer)
        if answer.status_code == 429:
            return NotAsked("429", "no token: too many requests")
        if answer.status_code != 200 or not said.get("access_token"):
            return NotAsked("token", f"no token: HTTP {answer.status_code} {said.get('errorCode', '')}".strip())
        return str(said["access_token"]), monotonic() + _seconds(said.get("expires_in"))


def _never_left(error: requests.RequestException) -> bool:
    """Only where no connection was made is it sure that nothing was sent."""
    cause = error.args[0] if error.args else None
    refused = isinstance(getattr(cause, "reason", None), NewConnectionError)
    return isinstance(error, requests.ConnectTimeout) or refused


def _seconds(said: object) -> float:
    try:
        return float(str(said))
    except ValueError:
        return 3599.0


def _object(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
