"""Connections to Redis or Valkey: one that answers a customer at once or not at all, one that may wait."""

import os
from collections.abc import Sequence
from functools import cache
from threading import local
from typing import Any
from weakref import WeakKeyDictionary

from hiredis import pack_command
from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError, NoScriptError, ResponseError, TimeoutError
from redis.retry import Retry

from core.config import settings

_local = local()
_pack: Any = pack_command  # its own types know commands of a single word only

Command = tuple[str | bytes | int | float, ...]


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


def exchange(redis: "Redis", commands: Sequence[Command], scripts: Sequence[str] = ()) -> list[Any]:
    """Send all commands in one write and read their replies, at half the cost of the client's own pipeline.

    `scripts` are those that EVALSHA needs; they are loaded where the server was restarted or emptied since. On a lost
    connection all is sent once more, so the commands must bear being done twice. Raises redis.RedisError.
    """
    try:
        return _exchanged(redis, commands)
    except NoScriptError:
        for script in scripts:
            redis.script_load(script)
    except ConnectionError:  # it was closed while nobody looked, as by a restart of the server
        pass
    return _exchanged(redis, commands)


def _exchanged(redis: "Redis", commands: Sequence[Command]) -> list[Any]:
    connection = _line(redis)
    try:
        connection.send_packed_command([b"".join(_pack(command) for command in commands)], check_health=False)
        replies = [_reply(connection) for _ in commands]
    except BaseException:
        connection.disconnect()  # a reply that nobody has read must not be taken for the next one's
        raise
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise reply
    return replies


def _line(redis: "Redis") -> Any:
    """This thread's own connection, which nobody has to be asked for. It is opened when it is used."""
    lines: WeakKeyDictionary[Redis, Any] | None = getattr(_local, "lines", None)
    if lines is None or _local.process != os.getpid():
        lines, _local.process = WeakKeyDictionary(), os.getpid()
        _local.lines = lines
    if redis not in lines:
        lines[redis] = redis.connection_pool.make_connection()
    return lines[redis]


def _reply(connection: Any) -> Any:
    """One reply; an error that the server sends is a reply like others, after which more may come."""
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
