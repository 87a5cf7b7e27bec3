"""An HTTP server that stands for the SMS gateway: it answers as told and remembers what it was asked."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs


def recipients(code: int = 101, status: str = "Success", message_id: str = "ATXid_1") -> str:
    recipient = {
        "statusCode": code, "number": "+254700000001", "status": status, "cost": "KES 0.8000", "messageId": message_id,
        "messageParts": 1,
    }  # fmt: skip
    return json.dumps({"SMSMessageData": {"Message": "Sent to 1/1 Total Cost: KES 0.8000", "Recipients": [recipient]}})


@dataclass
class FakeGateway:
    """`hang_up` closes the connection after reading; `hold` keeps the answer back until it is set.

    `reply` makes the answer's body out of the request's, where it depends on that.
    """

    port: int = 0
    status: int = 201
    body: str = field(default_factory=recipients)
    content_type: str = "application/json; charset=utf-8"
    hang_up: bool = False
    hold: Event | None = None
    reply: Callable[[str], str] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[FakeGateway]:
    told = FakeGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.bodies.append(body)
            told.headers.append(dict(self.headers.items()))
            form = parse_qs(body)
            told.asked.append({name: values[0] for name, values in form.items()} | {"path": self.path})
            if told.hang_up:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if told.hold is not None:
                told.hold.wait(20)
            self.send_response(told.status)
            self.send_header("Content-Type", told.content_type)
            if 300 <= told.status < 400:
                self.send_header("Location", self.path)
            self.end_headers()
            self.wfile.write((told.reply(body) if told.reply else told.body).encode())

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A caller that was killed is part of the tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        told.port = server.server_address[1]
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
