"""The secret in a callback's address: who does not know it finds nothing there."""

from functools import wraps
from hmac import compare_digest
from typing import Any, Protocol

from flask import abort
from flask.typing import ResponseReturnValue

from core.config import settings


class View(Protocol):
    def __call__(self, *args: Any, **kwargs: Any) -> ResponseReturnValue: ...


def behind_secret(view: View) -> View:
    """Answer 404 unless the address's `secret` is ours. The comparison takes as long for any wrong one."""

    @wraps(view)
    def guarded(*args: Any, secret: str, **kwargs: Any) -> ResponseReturnValue:
        if not compare_digest(secret.encode(), settings().gateway_secret.encode()):
            abort(404)
        return view(*args, **kwargs)

    return guarded
