"""What a conversation may ask of the world."""

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, TypeVar

from core.money import Money
from core.phone import Phone
from flows.values import (
    BalanceView,
    BillSummary,
    Caller,
    ConnectionRef,
    Forecast,
    LastPayment,
    MeterFace,
    MonthUsage,
    PastBill,
    Payee,
    PaymentResult,
    PinCheck,
    ReadingCheck,
    ReadingResult,
    ReceiptLine,
    RegisterResult,
    Secret,
    Ticket,
    Unfinished,
    WalletChoice,
)

F = TypeVar("F", bound=Callable[..., object])


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
    def past_bills(self, account_no: str) -> tuple[PastBill, ...]:
        """The last six, the newest first."""
        ...

    @read
    def usage(self, account_no: str) -> tuple[MonthUsage, ...]:
        """The last six months that have a reading, the oldest first."""
        ...

    @read
    def forecast(self, account_no: str) -> Forecast: ...
    @read
    def last_payment(self, account_no: str) -> LastPayment: ...
    @read
    def receipts(self, account_no: str) -> tuple[ReceiptLine, ...]:
        """The last five, the newest first."""
        ...

    @read
    def find_receipt(self, account_no: str, number: str) -> ReceiptLine | None: ...
    @read
    def payee(self, account_no: str) -> Payee | None: ...
    @read
    def wallets(self, phone: Phone) -> tuple[WalletChoice, ...]:
        """Those that this phone may pay from, the one of its network first; none where it has no mobile money."""
        ...

    @read
    def unfinished(self) -> Unfinished | None: ...
    @read
    def find_connection(self, account_no: str) -> ConnectionRef | None: ...
    @write
    def register(self, name: str, language: str, account_no: str) -> RegisterResult: ...
    @write
    def submit_reading(self, account_no: str, value: Decimal, confirmed: bool) -> ReadingResult: ...
    @write
    def set_language(self, language: str) -> None: ...
    @write
    def request_payment(self, account_no: str, amount: Money, phone: Phone, wallet: str) -> PaymentResult: ...
    @write
    def send_receipt(self, account_no: str, number: str) -> None:
        """Its SMS once more, to the phone that asks."""
        ...

    @write
    def link_connection(self, account_no: str) -> RegisterResult: ...
    @write
    def rename(self, name: str) -> None: ...
    @write
    def check_pin(self, pin: Secret) -> PinCheck: ...
    @write
    def set_pin(self, pin: Secret) -> None: ...
    @write
    def remove_pin(self) -> None: ...
    @write
    def report_fault(self, kind: str, account_no: str, note: str) -> Ticket:
        """`kind` is one of billing's FAULTS; `account_no` is "" where she has none."""
        ...

    @write
    def set_alert(self, above: Decimal | None) -> None: ...
    @write
    def stop_messages(self) -> None: ...
    @write
    def start_messages(self) -> None: ...
    @write
    def pass_to_office(self) -> None:
        """Put the message that opened this conversation into the office's inbox."""
        ...
