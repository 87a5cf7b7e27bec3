"""Connections to Redis or Valkey: one that answers a customer at once or not at all, one that may wait."""

from functools import cache

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

from core.config import settings


def as_text(value: object) -> str:
    """A value of the store; what we keep there is text in UTF-8."""
    return value.decode() if isinstance(value, bytes) else str(value)


@cache
def quick() -> "Redis":
    """For a turn. A lost connection is opened anew once; a silent server is given up after 0.4 s."""
    return Redis.from_url(
        settings().redis_url,
        socket_connect_timeout=0.4,
        socket_timeout=0.4,
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    )


@cache
def patient() -> "Redis":
    """For work behind the scenes: rides out a restart of the server within some seconds."""
    return Redis.from_url(
        settings().redis_url,
        socket_connect_timeout=2,
        socket_timeout=15,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), 5, supported_errors=(ConnectionError, TimeoutError)),
        health_check_interval=15,
    )
