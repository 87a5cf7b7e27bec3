"""The session in Redis: one hash for each, loaded in one round trip and committed by one script.

The hash holds the state of the conversation and, for each position (how many inputs there were), a receipt: the
digest of the whole input and the reply that was given. `mita:sessions` lists the sessions by the moment
when they may be archived.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b, sha1
from secrets import token_hex
from time import time

from redis import Redis
from redis.exceptions import NoScriptError

from ussd_app.stores import as_text

LIFETIME_S = 900  # a gateway drops a session after 180 s; the rest is for late repeats and for the archive
ABANDONED_S = 240  # nobody types for so long: then the session is archived as it stands
SESSIONS = "mita:sessions"

COMMIT = """
local revision = redis.call('HGET', KEYS[1], 'revision') or ''
if revision ~= ARGV[1] then
  return {0, redis.call('HGET', KEYS[1], 'receipt:' .. ARGV[3]) or ''}
end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'position', ARGV[3], 'digest', ARGV[4], 'bound', ARGV[5],
  'state', ARGV[6], 'tape', ARGV[7], 'ended', ARGV[8], 'reply', ARGV[10],
  'receipt:' .. ARGV[3], ARGV[4] .. ARGV[10], 'hop:' .. ARGV[3], ARGV[11])
if revision == '' then
  redis.call('HSET', KEYS[1], 'about', ARGV[9])
end
redis.call('EXPIRE', KEYS[1], ARGV[12])
return {1, ''}
"""
COMMIT_SHA = sha1(COMMIT.encode(), usedforsecurity=False).hexdigest()
FIELDS = ("revision", "position", "digest", "bound", "state", "tape", "ended", "reply")
DIGEST_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Stored:
    """A session as it was loaded. `receipt` is that of the position asked for, as digest and reply."""

    revision: str
    position: int
    digest: str
    bound: str
    state: str
    tape: str
    ended: bool
    reply: str
    receipt: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class About:
    """What the archive keeps of a session beside its turns. `started_at` is in seconds since 1970."""

    provider: str
    session_id: str
    phone: str
    service_code: str
    network: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Hop:
    """A turn for the archive. `at` is in seconds since 1970, `ms` how long we took to answer."""

    said: str
    screen: str
    language: str
    at: float
    ms: int


@dataclass(frozen=True, slots=True)
class Commit:
    """What a turn leaves behind, to be stored where the session is still as `revision` says ("" for none).

    Revisions are random, so that a session made anew after the store was emptied is never taken for the old one.
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


def key_of(provider: str, session_id: str) -> str:
    """The braces make a Redis Cluster keep all of a session in one place."""
    return f"mita:session:{{{provider}:{session_id}}}"


def digest_of(inputs: tuple[str, ...]) -> str:
    """The fingerprint of the whole input. Lengths are part of it, so that ("1", "2") and ("1*2",) differ."""
    whole = "".join(f"{len(said)}:{said}" for said in inputs)
    return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=DIGEST_LENGTH // 2).hexdigest()


class SessionStore:
    """Sessions of all gateways. Every method may raise redis.RedisError."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis

    def load(self, key: str, position: int) -> Stored | None:
        """The session at `key` with its receipt at `position`, or None where there is none."""
        found = self.redis.hmget(key, [*FIELDS, f"receipt:{position}"])
        if found[0] is None:
            return None
        revision, at, digest, bound, state, tape, ended, reply, receipt = [as_text(value or "") for value in found]
        given = read_receipt(receipt) if receipt else None
        return Stored(revision, int(at), digest, bound, state, tape, ended == "1", reply, given)

    def commit(self, key: str, commit: Commit) -> tuple[bool, tuple[str, str] | None]:
        """Store a turn. (False, the receipt that stands at its position) where another turn came first."""
        try:
            won, receipt = self._run(key, commit)
        except NoScriptError:  # the server was restarted or emptied since; it did nothing
            self.redis.script_load(COMMIT)
            won, receipt = self._run(key, commit)
        return bool(won), read_receipt(as_text(receipt)) if receipt else None

    def _run(self, key: str, commit: Commit) -> tuple[int, object]:
        with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.evalsha(COMMIT_SHA, 1, key, *_arguments(commit))
            pipeline.zadd(SESSIONS, {key: int(time()) + (0 if commit.ended else ABANDONED_S)})
            (won, receipt), _added = pipeline.execute()
        return won, receipt


def read_receipt(stored: str) -> tuple[str, str]:
    """The digest and the reply that stand in a receipt."""
    return stored[:DIGEST_LENGTH], stored[DIGEST_LENGTH:]


def _arguments(commit: Commit) -> list[str | int]:
    return [
        commit.revision,
        token_hex(8),
        commit.position,
        commit.digest,
        commit.bound,
        commit.state,
        commit.tape,
        "1" if commit.ended else "0",
        json.dumps(asdict(commit.about)),
        commit.reply,
        json.dumps(asdict(commit.hop)),
        LIFETIME_S,
    ]
