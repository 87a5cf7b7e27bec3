"""Who may come in: the secret in a callback's address, and the addresses a gateway calls from.

Whoever does not know the secret, or calls from elsewhere, finds nothing there: 404. A secret is changed without a gap.
The new one is put first and the old one behind it; the gateway is told the new address; then the old one is removed.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from hmac import compare_digest
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Protocol

import structlog
from flask import abort, request
from flask.typing import ResponseReturnValue

from core.config import settings
from core.gates import Network

log = structlog.get_logger("gateway")


class View(Protocol):
    def __call__(self, *args: Any, **kwargs: Any) -> ResponseReturnValue: ...


def admitted(gateway: str, secret: str, environ: Mapping[str, Any]) -> bool:
    """Whether a request (its WSGI environment) with this secret in its address comes from the gateway."""
    said, ours = secret.encode(errors="replace"), settings()
    # All are compared, and each takes as long for any wrong one.
    matches = [compare_digest(said, accepted.encode()) for accepted in ours.secrets_of(gateway)]
    if not any(matches):
        return False
    sources = ours.sources_of(gateway)
    if not sources:
        return True
    address = client_of(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""), ours.proxies())
    if address is not None and any(address in network for network in sources):
        return True
    # The secret was right: either the list is out of date, or the secret is in other hands.
    log.warning("gateway.refused", gateway=gateway, source=str(address))
    return False


def behind_secret(view: View, gateway: str = "") -> View:
    """Answer 404 unless the address's `secret` is that of the gateway, or without one GATEWAY_SECRET."""

    @wraps(view)
    def guarded(*args: Any, secret: str, **kwargs: Any) -> ResponseReturnValue:
        if not admitted(gateway, secret, request.environ):
            abort(404)
        return view(*args, **kwargs)

    return guarded


def behind_secret_of(gateway: str) -> Callable[[View], View]:
    """The same as a decorator for one gateway's callbacks."""
    return lambda view: behind_secret(view, gateway)


def client_of(peer: str, forwarded: str, proxies: Sequence[Network]) -> IPv4Address | IPv6Address | None:
    """The address that called: the nearest one that is no proxy of ours, from the peer back through X-Forwarded-For.

    Each proxy adds its peer at the end, so what stands before the first stranger may be made up. A peer without
    an address is a proxy at a Unix socket.
    """
    address = None
    for said in [*([peer] if peer else []), *(reversed(forwarded.split(",")) if forwarded else [])]:
        address = _address(said)
        if address is None or not any(address in network for network in proxies):
            break
    return address


def _address(said: str) -> IPv4Address | IPv6Address | None:
    """An address as peers and proxies write it, perhaps with a port. IPv4 inside IPv6 is that IPv4 address."""
    said = said.strip()
    if said.startswith("["):
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:
        said = said.partition(":")[0]
    try:
        address = ip_address(said)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
