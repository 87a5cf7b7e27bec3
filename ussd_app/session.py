"""The session in Redis: one hash for each, loaded in one round trip and committed in another.

The hash holds the state of the conversation and, for each position (how many inputs there were), a receipt: the
digest of the whole input, the reply that was given and its screen. `mita:sessions` lists the sessions by the moment
when they may be archived. What was typed at a PIN question is nowhere; digests are keyed.
"""

from collections.abc import Sequence
from hashlib import sha1
from random import getrandbits
from secrets import token_hex
from time import time
from typing import Any, NamedTuple

import orjson
from redis import Redis

from core.phone import Phone
from core.seal import digest
from ussd_app.stores import Command, as_text, exchange

LIFETIME_S = 900  # a gateway drops a session after 180 s; the rest is for late repeats and for the archive
ABANDONED_S = 240  # nobody types for so long: then the session is archived as it stands
UNFINISHED_S = 600  # so long may a dropped conversation be taken up again
SESSIONS = "mita:sessions"
DIGEST_LENGTH = 32
BETWEEN = "\x1f"

FIELDS = (
    "revision", "position", "digest", "bound", "state", "tape", "ended", "reply", "screen", "began", "last", "run",
    "dropped",
)  # fmt: skip

# With the session comes how often this very turn has been begun: at the first try nothing of it can be in the books.
LOAD = f"""
local place = ARGV[1]
if place == '' then place = (redis.call('HGET', KEYS[1], 'position') or -1) + 1 end
local found = redis.call('HMGET', KEYS[1], '{"', '".join(FIELDS)}', 'receipt:' .. place)
if found[1] then found[{len(FIELDS) + 2}] = redis.call('HINCRBY', KEYS[1], 'tried:' .. place, 1) end
return found
"""

# A gateway may open a new session under the name of an old one; that is put aside for the archive.
COMMIT = """
local revision = redis.call('HGET', KEYS[1], 'revision') or ''
if revision ~= ARGV[1] then
  return {0, redis.call('HGET', KEYS[1], 'receipt:' .. ARGV[3]) or ''}
end
if ARGV[17] == '1' and revision ~= '' then
  redis.call('RENAME', KEYS[1], KEYS[1] .. ':' .. revision)
  revision = ''
end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'position', ARGV[3], 'digest', ARGV[4], 'bound', ARGV[5],
  'state', ARGV[6], 'tape', ARGV[7], 'ended', ARGV[8], 'reply', ARGV[10], 'screen', ARGV[13], 'last', ARGV[14],
  'dropped', ARGV[16], 'receipt:' .. ARGV[3], ARGV[4] .. ARGV[10] .. '\\31' .. ARGV[13], 'hop:' .. ARGV[3], ARGV[11])
if revision == '' then
  redis.call('HSET', KEYS[1], 'about', ARGV[9], 'began', ARGV[15], 'run', ARGV[18])
end
redis.call('EXPIRE', KEYS[1], ARGV[12])
return {1, ''}
"""
LOAD_SHA, COMMIT_SHA = (sha1(script.encode(), usedforsecurity=False).hexdigest() for script in (LOAD, COMMIT))


class Receipt(NamedTuple):
    """What stands for a turn that was answered: the digest of the whole input, the reply, the screen's name."""

    digest: str
    reply: str
    screen: str = ""


class Stored(NamedTuple):
    """A session as it was loaded. `receipt` is that of the position asked for.

    `tried` counts how often the turn asked for has been begun, this time included. `began` is in seconds since 1970.
    `last` tells the latest turn of a gateway that sends only the newest input. `run` tells sessions of one name apart.
    `dropped`: an unfinished conversation of this phone is stored.
    """

    revision: str
    position: int
    digest: str
    bound: str
    state: str
    tape: str
    ended: bool
    reply: str
    receipt: Receipt | None
    screen: str = ""
    began: float = 0.0
    last: str = ""
    run: str = ""
    dropped: bool = False
    tried: int = 1


class First(NamedTuple):
    """What is there when a session begins: itself, if this is a repeat; the phone's dropped conversation or ""; and
    the replies to what was asked in the same round trip."""

    stored: Stored | None
    left: str
    replies: Sequence[Any] = ()


class About(NamedTuple):
    """What the archive keeps of a session beside its turns. `started_at` is in seconds since 1970."""

    provider: str
    session_id: str
    phone: str
    service_code: str
    network: str
    started_at: float


class Hop(NamedTuple):
    """A turn for the archive. `at` is in seconds since 1970, `ms` how long we took to answer."""

    said: str
    screen: str
    language: str
    at: float
    ms: int


class Commit(NamedTuple):
    """What a turn leaves behind, to be stored where the session is still as `revision` says ("" for none).

    Revisions are random, so that a session made anew after the store was emptied is never taken for the old one.
    `anew` begins another session in the place of an old one. `unfinished` is what a later dial may take up, "" where
    what is there is to be forgotten, None where nothing is to be done; `dropped` says that there is something then.
    """

    revision: str
    position: int
    digest: str
    bound: str
    state: str
    tape: str
    ended: bool
    reply: str
    about: About
    hop: Hop
    last: str = ""
    run: str = ""
    anew: bool = False
    unfinished: str | None = None
    dropped: bool = False


def key_of(provider: str, session_id: str) -> str:
    """The braces make a Redis Cluster keep all of a session in one place."""
    return f"mita:session:{{{provider}:{session_id}}}"


def unfinished_key(phone: Phone) -> str:
    """Where a phone's dropped conversation is stored."""
    return f"mita:unfinished:{{{phone}}}"


def digest_of(inputs: tuple[str, ...], before: str = "") -> str:
    """The fingerprint of the whole input: of `inputs`, after those that the fingerprint `before` stands for.

    Each input is chained to all before it, so that ("1", "2") and ("12",) differ.
    """
    chained = before or digest("session", "")
    for said in inputs:
        chained = digest("session", chained + said)
    return chained


class SessionStore:
    """Sessions of all gateways. Every method may raise redis.RedisError."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis

    def load(self, key: str, position: int | None) -> Stored | None:
        """The session at `key` with its receipt at `position` (None: the next one), or None where there is none."""
        [found] = exchange(self.redis, (("EVALSHA", LOAD_SHA, 1, key, "" if position is None else position),), (LOAD,))
        return _stored(found)

    def load_first(self, key: str, phone: Phone, also: Sequence[Command] = ()) -> First:
        """The session at `key` with its first receipt; the replies to whatever is asked `also` come with it."""
        asked = (("EVALSHA", LOAD_SHA, 1, key, 0), ("GET", unfinished_key(phone)), *also)
        found, unfinished, *replies = exchange(self.redis, asked, (LOAD,))
        return First(_stored(found), as_text(unfinished or ""), replies)

    def opening(self, key: str) -> str:
        """A name for the session that opens at `key` now; the same one if it is asked for again."""
        fresh = token_hex(4)
        [earlier] = exchange(self.redis, (("SET", f"mita:opening:{key}", fresh, "EX", LIFETIME_S, "NX", "GET"),))
        return as_text(earlier) if earlier else fresh

    def commit(self, key: str, commit: Commit) -> tuple[bool, Receipt | None]:
        """Store a turn. (False, the receipt that stands at its position) where another turn came first."""
        moment = int(time())
        asked: list[Command] = [
            ("EVALSHA", COMMIT_SHA, 1, key, *_arguments(commit)),
            ("ZADD", SESSIONS, moment + (0 if commit.ended else ABANDONED_S), key),
        ]
        if commit.anew and commit.revision:
            asked.append(("ZADD", SESSIONS, moment, f"{key}:{commit.revision}"))
        if commit.unfinished is not None:
            place = unfinished_key(Phone(commit.about.phone))
            asked.append(("SET", place, commit.unfinished, "EX", UNFINISHED_S) if commit.unfinished else ("DEL", place))
        won, receipt = exchange(self.redis, asked, (COMMIT,))[0]
        return bool(won), read_receipt(as_text(receipt)) if receipt else None


def read_receipt(stored: str) -> Receipt:
    """A receipt as it stands in the session."""
    reply, _, screen = stored[DIGEST_LENGTH:].partition(BETWEEN)
    return Receipt(stored[:DIGEST_LENGTH], reply, screen)


def _stored(found: list[bytes | None]) -> Stored | None:
    if found[0] is None:
        return None
    texts = [value.decode() if value else "" for value in found[: len(FIELDS) + 1]]
    revision, at, said, bound, state, tape, ended, reply, screen, began, last, run, dropped, receipt = texts
    return Stored(
        revision, int(at), said, bound, state, tape, ended == "1", reply, read_receipt(receipt) if receipt else None,
        screen, float(began or 0), last, run, dropped == "1", int(found[len(FIELDS) + 1] or 1),
    )  # fmt: skip


def _arguments(commit: Commit) -> Command:
    """In the order in which the script numbers them."""
    return (
        commit.revision,
        f"{getrandbits(64):016x}",
        commit.position,
        commit.digest,
        commit.bound,
        commit.state,
        commit.tape,
        "1" if commit.ended else "0",
        orjson.dumps(commit.about._asdict()) if commit.anew or not commit.revision else "",
        commit.reply,
        orjson.dumps(commit.hop._asdict()),
        LIFETIME_S,
        commit.hop.screen,
        commit.last,
        commit.about.started_at,
        "1" if commit.dropped else "0",
        "1" if commit.anew else "0",
        commit.run,
    )
