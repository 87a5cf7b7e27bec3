"""Callbacks over connections that stay open, each sent when the one before it has been answered."""

import selectors
import socket
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Answered:
    """How long each answer took, and all of them together."""

    times_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.times_ms) or [0.0]
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def post_all(port: int, letters: list[bytes], callers: int) -> Answered:
    """Post every letter once, by so many callers at once. Raises RuntimeError for an answer that is not 200."""
    left, answered, selector = deque(letters), Answered(), selectors.DefaultSelector()
    began = perf_counter()
    lines = [_Line(port) for _ in range(min(callers, len(letters)))]
    for line in lines:
        selector.register(line.socket, selectors.EVENT_READ, line)
        line.send(left.popleft())
    while len(answered.times_ms) < len(letters):
        for key, _ in selector.select(1):
            waited_s = key.data.received()
            if waited_s is None:
                continue
            answered.times_ms.append(1e3 * waited_s)
            if left:
                key.data.send(left.popleft())
    answered.seconds = perf_counter() - began
    for line in lines:
        line.socket.close()
    return answered


class _Line:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at, self.answer = 0.0, b""

    def send(self, letter: bytes) -> None:
        self.sent_at, self.answer = perf_counter(), b""
        self.socket.sendall(letter)

    def received(self) -> float | None:
        """The seconds that the answer took; None while it is not whole."""
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("the service closed a connection")
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a callback was answered with {head.splitlines()[0].decode()}")
        return perf_counter() - self.sent_at
