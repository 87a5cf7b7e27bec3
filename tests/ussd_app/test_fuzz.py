"""Ten thousand requests that no gateway would send: never a 500, never a trace, never another customer's data."""

import io
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import run_wsgi_app

from core.config import Settings
from core.database import transaction
from tests.ussd_app.town import Household
from ussd_app import archive
from ussd_app.edge import Edge
from ussd_app.effects import Effect
from ussd_app.gateways.web import DIALECTS
from ussd_app.stores import patient

REQUESTS = 10_000
SEED = 20261121
FORM = "application/x-www-form-urlencoded"
TRACES = re.compile(rb"Traceback|File \"|sqlalchemy|psycopg|redis\.|KeyError|Error:", re.IGNORECASE)
SCREEN = re.compile(rb'\A(CON |END |\{"SessionId": ")')

LAWFUL: dict[str, dict[str, str]] = {
    "/ussd/{}/africastalking": {
        "sessionId": "{session}", "phoneNumber": "{phone}", "networkCode": "63902", "serviceCode": "*384*7#",
        "text": "{typed}",
    },
    "/ussd/{}/africastalking/events": {
        "sessionId": "{session}", "phoneNumber": "{phone}", "serviceCode": "*384*7#", "networkCode": "63902",
        "status": "Success", "cost": "KES 0.10", "durationInMillis": "9000", "hopsCount": "4", "input": "{typed}",
        "lastAppResponse": "END", "errorMessage": "none",
    },
    "/ussd/{}/hubtel": {
        "Type": "{kind}", "Mobile": "{phone}", "SessionId": "{session}", "ServiceCode": "384*7", "Message": "{typed}",
        "Operator": "mtn", "Sequence": "{number}", "ClientState": "",
    },
    "/ussd/{}/advanta": {
        "SESSIONID": "{session}", "USSDCODE": "*384*7#", "MSISDN": "{phone}", "INPUT": "*384*7*{typed}#",
    },
    "/sms/{}/africastalking/inbound": {
        "id": "{number}", "from": "{phone}", "to": "20880", "text": "{typed}", "date": "2026-11-21 06:00:00",
        "linkId": "", "networkCode": "63902",
    },
    "/sms/{}/infobip/inbound": {"messageId": "{number}", "from": "{phone}", "to": "20880", "text": "{typed}"},
    "/sms/{}/infobip/delivery": {"messageId": "{number}", "to": "{phone}", "status": "3", "error": "{typed}"},
    "/sms/{}/africastalking/delivery": {
        "id": "{number}", "status": "Success", "phoneNumber": "{phone}", "networkCode": "63902", "failureReason": "",
    },
}  # fmt: skip
STRANGE = [
    "", " ", "\0", "0", "-1", "1e309", "NaN", "null", "true", "None", "9" * 30, "9" * 5000, "*", "#", "*#", "***",
    "*384*7#", "*384*7*2*500#", "1*2*3", "0*00*98", "98*98*98", "1" + "*1" * 70, "' OR 1=1 --", "{{7*7}}", "${7*7}",
    "../../etc/passwd", "\r\nX-Other: 1", "<script>", "\u202e", "\U0001f4a7", "\ud800", "٣", "é" * 200, "+", "%00",
    "+254700000003", "0700000004", "254700000005", "STOP", "BAL", "READ 1234", "lipa 500/=", "Initiation", "Release",
    "Timeout", "response", "END ", "CON ", "Success", "Failed", "\x1b[2J", "a" * 128, "a" * 129,
]  # fmt: skip
TYPES = [
    *[FORM] * 8, *["application/json"] * 4, FORM + "; charset=utf-16", FORM + "; charset=nonsense",
    "application/json; charset=utf-7", "text/plain", "", "garbage", "multipart/form-data",
    "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "x" * 200, "application/xml", "\xff/\xfe",
]  # fmt: skip
METHODS = [*["POST"] * 12, *["GET"] * 6, "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "FOO", "post"]
HEADERS: list[dict[str, str]] = [
    {}, {}, {}, {"HTTP_X_FORWARDED_FOR": "1.2.3.4, garbage, ::1"}, {"HTTP_X_REQUEST_ID": "<script>" * 40},
    {"HTTP_CONTENT_ENCODING": "gzip"}, {"HTTP_TRANSFER_ENCODING": "chunked"}, {"HTTP_HOST": "a b:c"},
    {"HTTP_HOST": ""}, {"HTTP_COOKIE": "session=\xff\xfe; x"}, {"HTTP_ACCEPT": "\x00"}, {"HTTP_RANGE": "bytes=-1"},
    {"HTTP_EXPECT": "100-continue"}, {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"}, {"REMOTE_ADDR": ""},
    {"REMOTE_ADDR": "not an address"}, {"HTTP_AT_USSD_HOP_METADATA": "x" * 4000}, {"HTTP_AUTHORIZATION": "Basic ="},
]  # fmt: skip


@dataclass
class Fuzzer:
    """Makes requests out of lawful ones. Everything comes from one seeded die, so a finding can be had again."""

    dice: random.Random
    secret: str
    phones: list[str]
    sessions: list[str] = field(default_factory=lambda: [f"session{number}" for number in range(40)])

    def request(self) -> tuple[str, dict[str, Any]]:
        """The number of the caller who is named in it, as far as one is, and the WSGI environment."""
        path = self.dice.choice(list(LAWFUL))
        phone = self.dice.choice(self.phones)
        fields: dict[str, Any] = {name: self._filled(value, phone) for name, value in LAWFUL[path].items()}
        wildness = self.dice.random()
        if wildness > 0.5:
            self._mutate(fields)
        method, kind, body, query = self._carried(path, fields)
        headers: dict[str, str] = {}
        if wildness > 0.75:
            method, kind, headers = self.dice.choice(METHODS), self.dice.choice(TYPES), self.dice.choice(HEADERS)
        if wildness > 0.85:
            body, query = self._mangled(body), self._mangled(query)
        address = self._address(path, wildness)
        return phone, environ(method, address, query, kind, body, headers, self._length(body))

    def _filled(self, value: str, phone: str) -> str:
        typed = "*".join(
            self.dice.choice(["1", "2", "3", "117", "500", "0", "98"]) for _ in range(self.dice.randint(0, 4))
        )
        return value.format(
            session=self.dice.choice(self.sessions), phone=phone, typed=typed, number=self.dice.randint(1, 500),
            kind=self.dice.choice(["Initiation", "Response", "Response", "Response", "Release", "Timeout"]),
        )  # fmt: skip

    def _mutate(self, fields: dict[str, Any]) -> None:
        for _ in range(self.dice.randint(1, 3)):
            name = self.dice.choice(list(fields) or ["text"])
            what = self.dice.random()
            if what < 0.2:
                fields.pop(name, None)
            elif what < 0.8:
                fields[name] = self.dice.choice(STRANGE)
            elif what < 0.9:
                fields[name] = self.dice.choice([None, True, 0, -1, 10**40, 1.5, [], {}, [1], {"a": {}}, float("inf")])
            else:
                fields[self.dice.choice(STRANGE)] = self.dice.choice(STRANGE)

    def _carried(self, path: str, fields: dict[str, Any]) -> tuple[str, str, bytes, bytes]:
        """The method, content type, body and query in which this gateway would send the fields."""
        if path.endswith("hubtel"):
            return "POST", "application/json", json.dumps(fields).encode(), b""
        if "infobip" in path:
            results = [{**fields, "status": {"groupId": fields.get("status")}, "error": {"name": fields.get("error")}}]
            return "POST", "application/json", json.dumps({"results": results}).encode(), b""
        words = {name: str(value).encode("utf-8", "surrogatepass") for name, value in fields.items()}
        pairs = urlencode({name.encode("utf-8", "surrogatepass"): value for name, value in words.items()}).encode()
        return ("GET", "", b"", pairs) if path.endswith("advanta") else ("POST", FORM, pairs, b"")

    def _mangled(self, data: bytes) -> bytes:
        dice = self.dice
        match dice.randint(0, 9):
            case 0:
                return dice.randbytes(dice.choice([0, 1, 50, 3000, 20_000, 20_000]))
            case 1:
                return data[: dice.randint(0, len(data))]
            case 2:
                return data * dice.choice([2, 3, 100])
            case 3:
                return b"[" * dice.choice([1, 900, 15_000])
            case 4:
                return data.decode("utf-8", "replace").encode("utf-16")
            case 5:
                return b"\xef\xbb\xbf" + data
            case 6:
                return b"--x\r\nContent-Disposition: form-data; name=text\r\n\r\n1\r\n--x--\r\n"
            case 7:
                return b"&" * 5000 + b"=" * 3000
            case 8:
                at = dice.randint(0, len(data))
                return data[:at] + dice.randbytes(3) + data[at:]
            case _:
                return b'{"a":' * 2000 + b"1" * 5000

    def _address(self, path: str, wildness: float) -> str:
        if wildness < 0.95:
            return path.format(self.secret)
        secret = self.dice.choice(
            ["wrong", "", "\0", "é", "%2e%2e", self.secret.upper(), self.secret + "/", "x" * 3000]
        )
        return path.format(secret) + self.dice.choice(["", "/", "//", "/..", "/events/events", "\xff\xfe", "?x"])

    def _length(self, body: bytes) -> str:
        if self.dice.random() < 0.9:
            return str(len(body))
        return self.dice.choice([str(len(body)), "0", "-1", "", "abc", "9" * 30, str(len(body) + 100), "1e3", "\xb2"])


def environ(
    method: str, path: str, query: bytes, kind: str, body: bytes, headers: dict[str, str], length: str
) -> dict[str, Any]:
    """As a server hands it over: bytes as latin-1, and nothing checked."""
    return {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path.encode("utf-8").decode("latin-1"),
        "QUERY_STRING": quote(query, safe="%&=*+"), "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": kind, "CONTENT_LENGTH": length,
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False, **headers,
    }  # fmt: skip


def archived() -> int:
    """Archive all sessions in the store, as if nobody had typed for long."""
    store = patient()
    for name in store.zrange(archive.SESSIONS, 0, -1):
        store.zadd(archive.SESSIONS, {name: 0})  # type: ignore[dict-item]
    return sum(iter(lambda: archive.drain(store), 0))


def told(sent: dict[str, Any]) -> str:
    """A request in words, for a finding."""
    body = sent["wsgi.input"].getvalue()[:300]
    return f"{sent['REQUEST_METHOD']} {sent['PATH_INFO']}?{sent['QUERY_STRING'][:300]} {sent['CONTENT_TYPE']} {body!r}"


def test_ten_thousand_strange_requests(
    app: Flask, homes: list[Household], settings: Settings, redis: "Redis", session: Session,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    fuzzer = Fuzzer(random.Random(SEED), settings.gateway_secret, [home.phone for home in homes])
    ways = [Edge(app.wsgi_app, DIALECTS), app.wsgi_app]
    private = {home.phone: (home.account_no.encode(), home.serial.encode()) for home in homes}
    seen: Counter[int] = Counter()
    for number in range(REQUESTS):
        phone, sent = fuzzer.request()
        pieces, status, headers = run_wsgi_app(fuzzer.dice.choice(ways), sent)
        answer, code = b"".join(pieces), int(status[:3])
        seen[code] += 1
        assert code < 500, (number, told(sent), answer)
        assert not TRACES.search(answer), (number, told(sent), answer)
        assert all("\n" not in value and "\r" not in value for _, value in headers)
        if code == 200 and "/ussd/" in sent["PATH_INFO"] and not sent["PATH_INFO"].endswith("/events"):
            assert SCREEN.match(answer) or sent["REQUEST_METHOD"] == "OPTIONS", (number, told(sent), answer)
        named = {home for home in private if home[4:].encode() in told(sent).encode()} | {phone}
        strangers = [private[other] for other in private if other not in named]
        assert not any(secret in answer for secrets in strangers for secret in secrets), (number, told(sent), answer)
    assert seen[200] > REQUESTS // 4, seen
    assert {400, 404, 405, 413} <= set(seen), seen
    assert archived() > 100, "and all that was said can be kept"
    logged = capfd.readouterr().out
    assert "archive.unreadable" not in logged
    assert "turn.failed" not in logged, next(line for line in logged.splitlines() if "turn.failed" in line)
    assert settings.gateway_secret not in logged
    with transaction() as books:
        for conversation in books.scalars(select(Effect.conversation)):
            assert conversation.rsplit(":", 1)[-1] in private, conversation
