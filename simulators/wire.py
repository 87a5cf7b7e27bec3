"""Plain HTTP to neighbours: no proxy of the environment comes between, no redirect is followed."""

from collections.abc import Mapping

import requests


def call(
    method: str,
    url: str,
    *,
    timeout_s: float,
    params: Mapping[str, str] | None = None,
    body: bytes | None = None,
    json: object = None,
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """One request on a connection of its own. Raises requests.RequestException."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method,
            url,
            params=params,
            data=body,
            json=json,
            headers=headers,
            timeout=timeout_s,
            allow_redirects=False,
        )
