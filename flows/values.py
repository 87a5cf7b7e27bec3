"""The values that come back from the world into a conversation."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from core.i18n import LANGUAGES
from core.money import Money
from core.phone import Phone


@dataclass(frozen=True, slots=True)
class ConnectionRef:
    """A connection as its owner knows it; an institution's has a building and a department as well."""

    account_no: str
    label: str
    status: str
    building: str = ""
    department: str = ""
    prepaid: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, and whom; `known` is false for a phone that speaks for no customer.

    `waiting` are account numbers that the office has still to link to this phone, `alert_above` a month's usage worth
    a warning, `stopped` says that she wants no messages but those she asks for.
    """

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
    has_pin: bool = False
    waiting: tuple[str, ...] = ()
    alert_above: Decimal | None = None
    stopped: bool = False
    languages: tuple[str, ...] = tuple(LANGUAGES)


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
    """`waits`: the office has to approve it first."""

    kind: Literal["linked", "waits", "unknown_account", "taken"]


@dataclass(frozen=True, slots=True)
class PaymentResult:
    kind: Literal["requested", "refused"]
    reason: str


@dataclass(frozen=True, slots=True)
class WalletChoice:
    """A mobile-money wallet to pay from; `label` is a name, the same in every language."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class PastBill:
    """A bill of an earlier month: the month it is for, what was used, what it came to."""

    number: str
    period: date
    usage: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """What was used between the first and the last day of `month`."""

    month: date
    usage: Decimal


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the next bill will come to if the days go on like the last ones; `kind` says why there is none."""

    kind: Literal["forecast", "too_early", "no_tariff"]
    usage: Decimal | None = None
    amount: Money | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class LastPayment:
    """The newest payment or attempt at one. `reference` is the provider's receipt where it is paid."""

    kind: Literal["none", "paid", "waiting", "failed"]
    amount: Money | None = None
    on: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A payment that has a receipt: its number, what it was, the day of it."""

    number: str
    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class Payee:
    """Another person's connection, for one who wants to pay for it: her name in initials only."""

    account_no: str
    name: str


@dataclass(frozen=True, slots=True)
class PinCheck:
    """What became of a PIN. At the third wrong try in a row it is locked until the office clears it."""

    kind: Literal["right", "wrong", "locked"]
    tries_left: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """The number by which the office and the customer speak of a report."""

    number: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A PIN as it was typed. Beyond the turn in which it was typed only its keyed digest is left, and no text."""

    digest: str
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A conversation of this phone that was dropped: how it may be taken up again, and (screen, answer) so far."""

    how: Literal["ask", "continue"]
    answers: tuple[tuple[str, str], ...]
