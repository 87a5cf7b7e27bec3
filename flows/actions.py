"""What a conversation may ask of the world, and the values that come back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

from core.money import Money
from core.phone import Phone

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class ConnectionRef:
    """A connection as its owner knows it: the account number and the place."""

    account_no: str
    label: str
    status: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, and whom; `known` is false for a phone that speaks for no customer."""

    phone: Phone
    known: bool
    name: str
    language: str
    connections: tuple[ConnectionRef, ...]
    utility: str
    service_code: str
    short_code: str
    paybill: str
    currency: str


@dataclass(frozen=True, slots=True)
class BillSummary:
    """The newest bill, and what is owed now in all; `number` is None before the first bill."""

    number: str | None
    amount: Money
    owed: Money
    due_on: date | None
    period: date | None
    usage: Decimal


@dataclass(frozen=True, slots=True)
class BalanceView:
    """What is owed (negative: credit) and the last payment."""

    owed: Money
    last_paid: Money | None
    last_paid_on: date | None


@dataclass(frozen=True, slots=True)
class MeterFace:
    """The meter in place and its last accepted reading."""

    serial: str
    digits: int
    value: Decimal | None
    taken_on: date | None


@dataclass(frozen=True, slots=True)
class ReadingCheck:
    """What the office's rules think of a reading before it is entered."""

    kind: Literal["ok", "low", "high", "below", "too_many_digits", "no_meter", "duplicate"]
    previous: Decimal | None
    usage: Decimal | None


@dataclass(frozen=True, slots=True)
class ReadingResult:
    """What became of a reading, and the bill it would make today."""

    kind: Literal["accepted", "review", "refused"]
    usage: Decimal | None
    provisional: Money | None


@dataclass(frozen=True, slots=True)
class RegisterResult:
    kind: Literal["linked", "unknown_account", "taken"]


@dataclass(frozen=True, slots=True)
class PaymentResult:
    kind: Literal["requested", "refused"]
    reason: str


def read(method: F) -> F:
    """Mark an action that changes nothing."""
    return method


def write(method: F) -> F:
    """Mark an action that happens once for its place in a conversation."""
    method.writes = True  # type: ignore[attr-defined]
    return method


class Actions(Protocol):
    """The world as a conversation sees it; the running service implements it over the books."""

    @read
    def identify(self) -> Caller: ...
    @read
    def current_bill(self, account_no: str) -> BillSummary: ...
    @read
    def balance(self, account_no: str) -> BalanceView: ...
    @read
    def last_reading(self, account_no: str) -> MeterFace | None: ...
    @read
    def check_reading(self, account_no: str, value: Decimal) -> ReadingCheck: ...
    @read
    def find_connection(self, account_no: str) -> ConnectionRef | None: ...
    @write
    def register(self, name: str, language: str, account_no: str) -> RegisterResult: ...
    @write
    def submit_reading(self, account_no: str, value: Decimal, confirmed: bool) -> ReadingResult: ...
    @write
    def set_language(self, language: str) -> None: ...
    @write
    def request_payment(self, account_no: str, amount: Money, phone: Phone) -> PaymentResult: ...
