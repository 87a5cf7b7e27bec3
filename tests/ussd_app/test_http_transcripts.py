"""The transcripts again through the real gateway: server, session store, database. Only the books are the sample."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select
from werkzeug.serving import WSGIRequestHandler, make_server

import ussd_app.world
from core.config import Settings
from core.database import transaction
from core.messages import Message
from core.outbox import Outbox
from core.phone import Phone
from flows.codec import read_result
from flows.sample_world import SampleWorld
from flows.talk import Call
from tests.flows.test_transcripts import FILES, Script, read
from ussd_app import inbound, texting
from ussd_app.edge import Edge
from ussd_app.effects import Effect
from ussd_app.gateways.web import DIALECTS
from ussd_app.session import unfinished_key
from ussd_app.world import leave

DIGEST = re.compile(r"Secret\(digest='\w+'\)")

Post = Callable[[str, dict[str, str]], str]
OpenBooks = Callable[[Script], "SampleBooks"]


@dataclass
class Hop:
    """What was typed (nothing to dial), what was done, and the screen as it goes over the wire."""

    said: str
    done: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def screen(self) -> str:
        return "\n".join(self.lines)


def hops_of(file: Path, script: Script) -> list[Hop]:
    hops = [Hop("")]
    for line in file.read_text().splitlines()[len(script.head) :]:
        if line.startswith("> "):
            hops.append(Hop(line[2:]))
        elif line.startswith("! "):
            hops[-1].done.append(DIGEST.sub("a secret", line[2:]))
        else:
            hops[-1].lines.append(line)
    return hops[1:] if script.by_sms else hops


@dataclass
class SampleBooks:
    """In the place of the books: each call goes to the caller's sample, and every write is counted."""

    world: SampleWorld
    numbers: Iterator[int] = field(default_factory=count)

    def __call__(self, _session: object, phone: Phone, _channel: str, _place: str = "") -> "SampleBooks":
        assert phone == self.phone
        return self

    def do(self, call: Call) -> object:
        return read_result(call, self.world.perform(call, f"never the same {next(self.numbers)}"))

    @property
    def phone(self) -> Phone:
        return self.world.caller.phone

    @property
    def done(self) -> list[str]:
        return [DIGEST.sub("a secret", " ".join(map(str, write))) for write in self.world.writes]


@pytest.fixture
def open_books(monkeypatch: pytest.MonkeyPatch) -> OpenBooks:
    def opened(script: Script) -> SampleBooks:
        books = SampleBooks(script.world())
        monkeypatch.setattr(ussd_app.world, "BookActions", books)
        return books

    return opened


@pytest.fixture(scope="module")
def line(app: Flask) -> Iterator[HTTPConnection]:
    """To a server, which has one thread for all, as its callers come one after the other."""

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: object) -> None:
            pass

    service = Edge(app.wsgi_app, DIALECTS)
    server = make_server("127.0.0.1", 0, service, request_handler=Quiet)
    thread = Thread(target=server.serve_forever)
    thread.start()
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    yield connection
    connection.close()
    server.shutdown()
    thread.join()


@pytest.fixture
def post(line: HTTPConnection, settings: Settings) -> Post:
    def posted(path: str, form: dict[str, str]) -> str:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", path.format(secret=settings.gateway_secret), urlencode(form), kind)
        answer = line.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, body
        return body

    return posted


def files(*, by_sms: bool) -> dict[str, list[Path]]:
    """Flow -> its transcripts in all languages."""
    flows: dict[str, list[Path]] = {}
    for file in FILES:
        if read(file).by_sms == by_sms:
            flows.setdefault(file.name.split(".")[0], []).append(file)
    return flows


@pytest.mark.parametrize("flow", files(by_sms=False))
def test_by_ussd(flow: str, open_books: OpenBooks, post: Post, redis: "Redis") -> None:
    for file in files(by_sms=False)[flow]:
        redis.flushdb()
        books = open_books(script := read(file))
        if (left := books.world.unfinished()) is not None:
            redis.set(unfinished_key(books.phone), leave("an earlier session", left.how, left.answers))
        dial_through(file, script, books, post, redis)


def dial_through(file: Path, script: Script, books: SampleBooks, post: Post, redis: "Redis") -> None:
    hops, done, session = hops_of(file, script), list[str](), f"ATUid_{file.stem}"
    about = {"sessionId": session, "phoneNumber": books.phone, "networkCode": script.network, "serviceCode": "*384*7#"}

    def send(at: int) -> str:
        return post("/ussd/{secret}/africastalking", about | {"text": "*".join(hop.said for hop in hops[1 : at + 1])})

    for at, hop in enumerate(hops):
        done += hop.done
        assert send(at) == hop.screen
        assert books.done == done
        assert send(at) == hop.screen, "the gateway sends the hop again"
    assert [send(at) for at in range(len(hops))] == [hop.screen for hop in hops], "every hop comes again, late"
    redis.flushdb()
    assert send(len(hops) - 1) == hops[-1].screen, "the last hop comes again after the store was lost"
    assert books.done == done
    assert effects(f":{session}:") == len(done)


@pytest.mark.parametrize("flow", files(by_sms=True))
def test_by_sms(flow: str, open_books: OpenBooks, post: Post, redis: "Redis") -> None:
    for file in files(by_sms=True)[flow]:
        redis.flushdb()
        text_through(file, open_books(read(file)), post)


def text_through(file: Path, books: SampleBooks, post: Post) -> None:
    done, screens, before, recorded = list[str](), list[str](), len(replies()), effects("sms:")
    for at, hop in enumerate(hops_of(file, read(file))):
        done, screens = done + hop.done, [*screens, hop.screen]
        form = {"from": books.phone, "to": "20880", "id": f"{file.stem}-{at}", "text": hop.said, "date": "2026-11-21"}
        for _again in range(2):
            post("/sms/{secret}/africastalking/inbound", form)
            message_id = answered()
            assert [f"SMS {text}" for text in replies()[before:]] == screens
            assert f"SMS {texting.answer(books.phone, message_id, hop.said).text}" == hop.screen
            assert books.done == done
    assert effects("sms:") - recorded == len(done)


def effects(name: str) -> int:
    """How many writes are recorded of the conversations with `name` in theirs."""
    of_hers = Effect.conversation.contains(name)
    with transaction() as session:
        return session.scalar(select(func.count()).where(of_hers, Effect.action != "unfinished")) or 0


def answered() -> int:
    """Do the job of the last message, however often it has been done; which message that is."""
    with transaction() as session:
        [message_id] = session.scalars(
            select(Outbox.subject_id).where(Outbox.job == "inbound.answer").order_by(Outbox.id.desc()).limit(1)
        )
    inbound.answer_message(message_id)
    return message_id


def replies() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Message.body).where(Message.direction == "out").order_by(Message.id)))
