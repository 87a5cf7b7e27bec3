"""The load: many phones at once over connections that stay open, each living whole sessions and checking each screen.

One process, one thread: the callers are plain sockets behind a selector, so that little of the machine goes into them.
"""

import re
import selectors
import socket
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from urllib.parse import quote_plus

from benchmarks.customers import account_of, phone_of

Session = Generator[str, str, None]
"""One session from the caller's side: what is shown is sent in, all that she has typed so far comes out."""

OPTION = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


class WrongScreen(AssertionError):
    """The service showed something else than it should."""


def expect(screen: str, *words: str) -> None:
    for word in words:
        if word not in screen:
            raise WrongScreen(f"{word!r} is not in {screen!r}")


def option(screen: str, wording: str) -> str:
    """The number to press for an option."""
    found = [number for number, text in OPTION.findall(screen) if text.startswith(wording)]
    if not found:
        raise WrongScreen(f"no option {wording!r} in {screen!r}")
    return str(found[0])


def balance(number: int, _turn: int) -> Session:
    screen = yield ""
    expect(screen, "CON ", f"Amina Otieno {number}")
    screen = yield option(screen, "Balance")
    expect(screen, account_of(number), "KES 1,250")


def menu(number: int, _turn: int) -> Session:
    screen = yield ""
    first = option(screen, "Help")
    screen = yield first
    screen = yield f"{first}*{option(screen, 'By SMS')}"
    expect(screen, "END ", "20880")


def pay(number: int, turn: int) -> Session:
    amount = 100 + (number + 37 * turn) % 800
    screen = yield ""
    said = option(screen, "Pay")
    screen = yield said
    expect(screen, account_of(number), "KES 1,250")
    said = f"{said}*{amount}"
    screen = yield said
    expect(screen, f"KES {amount}", account_of(number))
    screen = yield f"{said}*{option(screen, 'Yes')}"
    expect(screen, "END ", "M-Pesa PIN")


def reading(number: int, turn: int) -> Session:
    value = 118 + turn
    screen = yield ""
    said = option(screen, "Read my meter")
    screen = yield said
    expect(screen, f"WM{number:08d}")
    said = f"{said}*{value}"
    screen = yield said
    if screen.startswith("CON "):
        screen = yield f"{said}*{option(screen, 'Yes')}"
    expect(screen, "END ", f"{value}")


def bare(_number: int, _turn: int) -> Session:
    said = ""
    for _ in range(3):
        screen = yield said
        expect(screen, "CON ")
        said = f"{said}*1" if said else "1"


def long(_number: int, _turn: int) -> Session:
    """To and fro between two screens, sixty steps deep."""
    screen = yield ""
    said = option(screen, "Bills and usage")
    for _ in range(29):
        screen = yield said
        expect(screen, "My last bill")
        screen = yield f"{said}*0"
        expect(screen, "Amina Otieno")
        said = f"{said}*0*{option(screen, 'Bills and usage')}"


WRITING = ("pay", "reading")
"""Sessions whose last step writes to the books."""
MIX: tuple[Callable[[int, int], Session], ...] = (balance, pay, reading, menu)


@dataclass
class Result:
    """What a phase has found: steps a second, how long a step took, and what it cost the service's processor."""

    seconds: float = 0.0
    times_ms: list[float] = field(default_factory=list)
    writing_ms: list[float] = field(default_factory=list)
    """Those of the steps that ended with a COMMIT on disk."""
    by_position: dict[int, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.times_ms) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        return quantile(self.times_ms, share)

    @property
    def reading_ms(self) -> list[float]:
        """The times of the steps that wrote nothing to the books."""
        left = Counter(self.times_ms)
        left.subtract(self.writing_ms)
        return list(left.elements())

    def as_json(self) -> dict[str, float]:
        return {
            "steps_per_s": round(self.rate, 1),
            "p50_ms": round(self.quantile(0.5), 2),
            "p99_ms": round(self.quantile(0.99), 2),
            "p99_ms_of_reads": round(quantile(self.reading_ms, 0.99), 2),
            "p99_ms_of_writes": round(quantile(self.writing_ms, 0.99), 2),
            "cpu_us_per_step": round(1e6 * self.cpu_s / max(len(self.times_ms), 1), 1),
        }


def quantile(times_ms: Sequence[float], share: float) -> float:
    ordered = sorted(times_ms) or [0.0]
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@dataclass
class Load:
    """Callers at one service. `customers` take turns; no two sessions at once are one customer's."""

    port: int
    path: str
    customers: int
    sessions: tuple[Callable[[int, int], Session], ...] = MIX
    callers: int = 16
    started: Iterator[int] = field(default_factory=count)
    cpu_s: Callable[[], float] = lambda: 0.0
    """The processor time that the service has used so far."""

    def run(self, seconds: float, rate: float | None = None) -> Result:
        """Call for so long: as fast as answers come, or at `rate` steps a second in all."""
        result, selector = Result(), selectors.DefaultSelector()
        callers = [_Caller(self, rate / self.callers if rate else None, at) for at in range(self.callers)]
        for caller in callers:
            selector.register(caller.socket, selectors.EVENT_READ, caller)
        began, used = perf_counter(), self.cpu_s()
        for caller in callers:
            caller.due = began + (caller.every_s * caller.at / self.callers if rate else 0)
        while (moment := perf_counter()) < began + seconds:
            for caller in callers:
                if caller.sent_at == 0.0 and caller.due <= moment:
                    caller.send()
            for key, _ in selector.select(0.0005 if rate else 0.05):
                caller = key.data
                if caller.receive(result) and not rate:
                    caller.send()
        result.seconds, result.cpu_s = perf_counter() - began, self.cpu_s() - used
        for caller in callers:
            caller.socket.close()
        selector.close()
        return result

    def next_session(self) -> tuple[int, str, Session]:
        """The customer, what she wants, and her session."""
        number = next(self.started)
        customer, turn = number % self.customers, number // self.customers
        kind = self.sessions[(number + turn) % len(self.sessions)]
        return customer, kind.__name__, kind(customer, turn)


class _Caller:
    """One connection, one session after the other."""

    def __init__(self, load: Load, rate: float | None, at: int) -> None:
        self.load, self.at = load, at
        self.every_s = 1 / rate if rate else 0.0
        self.due = self.sent_at = 0.0
        self.socket = socket.create_connection(("127.0.0.1", load.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self._open()

    def _open(self) -> None:
        self.customer, self.kind, self.session = self.load.next_session()
        self.id = f"bench{self.at}x{id(self.session):x}{perf_counter():.6f}"
        self.text = next(self.session)

    def send(self) -> None:
        phone = quote_plus(phone_of(self.customer))
        body = (
            f"sessionId={self.id}&phoneNumber={phone}&networkCode=63902&serviceCode=%2A384%2A7%23"
            f"&text={self.text.replace('*', '%2A')}"
        )
        self.sent_at = perf_counter()
        self.socket.sendall(
            (
                f"POST {self.load.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded"
                f"\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )

    def receive(self, result: Result) -> bool:
        """Take what has come; whether that was the whole answer, and the next step is ready to be sent."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the service closed the connection")
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        lower = head.lower()
        if not found or len(body) < int(lower.partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
            return False
        self.received = b""
        moment = perf_counter()
        waited_ms = 1000 * (moment - (self.due if self.every_s else self.sent_at))
        result.times_ms.append(waited_ms)
        result.by_position.setdefault(self.text.count("*") + 1 if self.text else 0, []).append(waited_ms)
        self.sent_at, self.due = 0.0, self.due + self.every_s
        try:
            if not head.startswith(b"HTTP/1.1 200"):
                raise WrongScreen(head.decode())
            self.text = self.session.send(body.decode())
        except StopIteration:
            if self.kind in WRITING:
                result.writing_ms.append(waited_ms)
            self._open()
        except WrongScreen as wrong:
            result.wrong.append(str(wrong))
            self._open()
        return True
