"""Who may call in, as the settings write it: `hubtel:new,old;advanta:other` for secrets, and the same for addresses."""

from collections.abc import Mapping
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType

GATEWAYS = ("africastalking", "hubtel", "advanta", "infobip", "mpesa", "mtn", "airtel")
"""Whose callbacks reach us."""
SHORTEST_SECRET = 16

Network = IPv4Network | IPv6Network


@cache
def by_gateway(raw: str) -> Mapping[str, tuple[str, ...]]:
    """What is set for each gateway. Raises ValueError for an unknown name or an empty list, never naming a value."""
    found = {}
    for part in filter(None, map(str.strip, raw.split(";"))):
        name, _, values = part.partition(":")
        if name.strip() not in GATEWAYS:
            raise ValueError(f"begins each part with one of {', '.join(GATEWAYS)} and a colon")
        found[name.strip()] = listed(values)
        if not found[name.strip()]:
            raise ValueError(f"has nothing for {name.strip()}")
    return MappingProxyType(found)


@cache
def secrets_by_gateway(raw: str) -> Mapping[str, tuple[str, ...]]:
    """Each gateway's own secrets, the present one first. Raises ValueError where one is too short to be one."""
    found = by_gateway(raw)
    for name, secrets in found.items():
        if min(map(len, secrets)) < SHORTEST_SECRET:
            raise ValueError(f"needs at least {SHORTEST_SECRET} random characters for each secret of {name}")
        if any("/" in secret for secret in secrets):
            raise ValueError(f"has a secret of {name} with a slash, which cannot stand in an address")
    return found


@cache
def networks_by_gateway(raw: str) -> Mapping[str, tuple[Network, ...]]:
    """The networks that each gateway may call from. Raises ValueError naming the one that is none."""
    return MappingProxyType({name: networks(",".join(values)) for name, values in by_gateway(raw).items()})


@cache
def networks(raw: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by commas. Raises ValueError naming the one that is none."""
    return tuple(ip_network(value, strict=False) for value in listed(raw))


def listed(raw: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, raw.split(","))))
