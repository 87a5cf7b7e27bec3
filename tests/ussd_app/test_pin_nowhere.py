"""A PIN is a secret: after all that can happen to it, it stands nowhere, in no store and in no log."""

import hashlib
import os
import re
import subprocess
import sys
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
import requests
from redis import Redis
from sqlalchemy.orm import Session

from core.config import Settings
from core.phone import Phone
from tests.ussd_app.town import Household, settle_town
from ussd_app import archive, late
from ussd_app.embedded.folder import ROOT, free_port
from ussd_app.session import SESSIONS

FIRST, MISTYPED, NEW, LATE, DIALLED, BROKEN = "8053", "4719", "9164", "6392", "5837", "7416"
TOO_SHORT = "863"
PINS = (FIRST, MISTYPED, NEW, LATE, DIALLED, BROKEN)
AMOUNT = "729"
"""What is no secret is found by the same search, or the search would be worth nothing."""
DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256")
BLAKE_BYTES = (8, 16, 20, 32, 64)


@dataclass
class Caller:
    """A phone at the service: a process of its own, so that all its log lines can be read."""

    url: str
    phone: Phone
    asked: list[dict[str, str]] = field(default_factory=list)

    def dial(self, session_id: str, *inputs: str, code: str = "*384*7#") -> str:
        """All hops of a session, each sent twice; the last screen."""
        screen = ""
        for hops in range(len(inputs) + 1):
            screen = self.hop(session_id, *inputs[:hops], code=code)
            assert self.hop(session_id, *inputs[:hops], code=code) == screen, "the gateway sends it again"
        return screen

    def hop(self, session_id: str, *inputs: str, code: str = "*384*7#") -> str:
        form = {
            "sessionId": session_id, "phoneNumber": self.phone, "networkCode": "63902", "serviceCode": code,
            "text": "*".join(inputs),
        }  # fmt: skip
        self.asked.append(form)
        answer = requests.post(self.url, data=form, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.text

    def hang_up(self, session_id: str, typed: str) -> None:
        """The gateway's notice of the end; it tells what was typed, and what was shown."""
        notice = {
            "date": "2026-11-21 06:04:45", "sessionId": session_id, "serviceCode": "*384*7#", "networkCode": "63902",
            "phoneNumber": self.phone, "status": "Incomplete", "cost": "KES 0.1", "durationInMillis": "60000",
            "hopsCount": "4", "input": typed, "lastAppResponse": f"CON Your PIN is {typed}", "errorMessage": typed,
        }  # fmt: skip
        assert requests.post(f"{self.url}/events", data=notice, timeout=20).status_code == 200


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "ussd.log"


@pytest.fixture
def caller(settings: Settings, session: Session, redis: "Redis", log: Path) -> Iterator[Caller]:
    [home] = settle_town(session, 1, first=22331100)
    assert isinstance(home, Household)
    port = free_port()
    environ = {**os.environ, "BIND": f"127.0.0.1:{port}", "USSD_CONCURRENCY": "1", "LOG_LEVEL": "debug"}
    command = [sys.executable, "-m", "ussd_app.cli", "ussd"]
    with log.open("wb") as out:
        pool = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/healthz", pool)
            yield Caller(f"{url}/ussd/{settings.gateway_secret}/africastalking", home.phone)
        finally:
            pool.terminate()
            pool.wait(20)


def wait_for(url: str, pool: "subprocess.Popen[bytes]") -> None:
    end = monotonic() + 30
    while pool.poll() is None and monotonic() < end:
        try:
            requests.get(url, timeout=1)
            return
        except requests.RequestException:
            sleep(0.1)
    raise AssertionError("the service does not start")


def test_a_pin_is_found_nowhere(
    caller: Caller, redis: "Redis", database: str, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    live_with_pins(caller, redis)
    fail_with_pins(caller, database)
    searched = [*kept_in(redis), *rows_of(database)]
    redis.zadd(SESSIONS, dict.fromkeys(values_of(redis, SESSIONS), 0))
    assert archive.drain(redis) > 5
    for name in values_of(redis, late.LATE):
        late.finish(name.decode())
    spoken = capfd.readouterr()
    searched += [*kept_in(redis), *rows_of(database), log.read_bytes(), (spoken.out + spoken.err).encode()]
    assert any(stands_in(AMOUNT, text) for text in rows_of(database)), "the archive holds what is no secret"
    assert any(stands_in(AMOUNT, text) for text in kept_in(redis)), "and so does the session"
    assert b"turn.failed" in log.read_bytes()
    assert b"turn.late" in log.read_bytes()
    for pin in (*PINS, TOO_SHORT):
        assert [text for text in searched if stands_in(pin, text)] == []
    for digest in guessable():
        assert [text for text in searched if digest in text] == []


def live_with_pins(caller: Caller, redis: "Redis") -> None:
    """She sets a PIN, uses it, mistypes it, changes it, and dials with it; the store is lost; the gateway tells all."""
    assert caller.dial("ATUid_set", "6", "3", FIRST, FIRST).startswith("END Your PIN is set")
    assert caller.dial("ATUid_wrong", "6", "2", TOO_SHORT, MISTYPED).startswith("CON Wrong PIN")
    assert caller.dial("ATUid_right", "6", "2", FIRST).startswith("CON We have you as")
    changed = ("6", "3", "1", FIRST, NEW, MISTYPED, NEW, NEW)
    assert caller.dial("ATUid_change", *changed).startswith("END Your PIN is set")
    assert caller.hop("ATUid_through", "6", "2", NEW).startswith("CON We have you as")
    assert caller.hop("ATUid_behind", code=f"*384*7*6*2*{NEW}#").startswith("CON We have you as")
    assert caller.hop("ATUid_guess", code=f"*384*7*6*2*{DIALLED}#").startswith("CON Wrong PIN")
    assert caller.dial("ATUid_amount", "2", "2", AMOUNT).startswith("CON ")
    for session_id, typed in (("ATUid_set", f"6*3*{FIRST}*{FIRST}"), ("ATUid_right", FIRST), ("ATUid_never", NEW)):
        caller.hang_up(session_id, typed)
    redis.flushdb()
    wrong = caller.hop("ATUid_wrong", "6", "2", TOO_SHORT, MISTYPED)
    assert wrong.startswith("CON Wrong PIN. 2 tries left"), "the verdict was kept, not the PIN"
    assert caller.hop("ATUid_right", "6", "2", FIRST).startswith("CON We have you as"), "though the PIN is another now"
    assert caller.hop("ATUid_change", *changed).startswith("END Your PIN is set")
    assert caller.hop("ATUid_right", "6", "2", FIRST, "Amina Wafula").startswith("END Thank you, Amina Wafula")
    assert caller.dial("ATUid_check", "6", "2", NEW).startswith("CON We have you as Amina Wafula")
    assert caller.dial("ATUid_amount", "2", "2", AMOUNT).startswith("CON ")


def fail_with_pins(caller: Caller, database: str) -> None:
    """PostgreSQL refuses in the very turn of the PIN, and in another it does not answer in time."""
    with broken(database):
        assert caller.hop("ATUid_broken", "6", "3", "1", NEW, BROKEN, BROKEN).startswith("END Sorry")
    with psycopg.connect(database) as other:
        other.execute("SELECT FROM customer FOR UPDATE")
        assert caller.hop("ATUid_late", "6", "2", LATE).startswith("END This takes longer")


@contextmanager
def broken(database: str) -> Iterator[None]:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("ALTER TABLE customer ADD CONSTRAINT frozen CHECK (id < 0) NOT VALID")
        try:
            yield
        finally:
            owner.execute("ALTER TABLE customer DROP CONSTRAINT frozen")


def kept_in(redis: Any) -> Iterator[bytes]:
    """Every key and every value of the store, jobs unpacked."""
    for key in redis.scan_iter():
        yield key
        for value in values_of(redis, key):
            yield value
            try:
                yield zlib.decompress(value)
            except zlib.error:
                continue


def values_of(redis: Any, key: bytes | str) -> list[bytes]:
    match redis.type(key):
        case b"string":
            return [redis.get(key)]
        case b"hash":
            return [part for pair in redis.hgetall(key).items() for part in pair]
        case b"zset":
            return list(redis.zrange(key, 0, -1))
        case b"set":
            return list(redis.smembers(key))
        case b"list":
            return list(redis.lrange(key, 0, -1))
        case b"stream":
            return [part for _id, entry in redis.xrange(key) for pair in entry.items() for part in pair]
    raise AssertionError(f"what is {key!r}?")


def rows_of(database: str) -> Iterator[bytes]:
    """Every row of every table as text."""
    with psycopg.connect(database) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            for (text,) in connection.execute(f'SELECT t::text FROM "{table}" t'):
                yield text.encode()


def stands_in(digits: str, text: bytes) -> bool:
    """Whether the digits stand there for themselves: not within a word, nor as the fraction of a second."""
    return re.search(rb"(?:(?<![\w.])|(?<=\\[nt]))%s(?!\w)" % digits.encode(), text) is not None


def guessable() -> Iterator[bytes]:
    """The digests by which anybody could find a PIN, trying out all ten thousand."""
    for pin in (*PINS, TOO_SHORT):
        said = pin.encode()
        made = [hashlib.new(name, said).digest() for name in DIGESTS]
        made += [hashlib.blake2b(said, digest_size=size).digest() for size in BLAKE_BYTES]
        for digest in made:
            yield from (digest, digest.hex().encode(), b64encode(digest).rstrip(b"="))
