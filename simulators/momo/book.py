"""The wallets, and the book of what was really paid: the truth that the utility's books are compared with."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """Money from a wallet: `amount` in major units from `phone` (2547..) for the request with the utility's own id."""

    receipt: str
    reference: str
    phone: str
    amount: Decimal
    account: str
    paid_at: datetime
    refunded: bool = False

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "amount": str(self.amount), "paid_at": self.paid_at.isoformat(timespec="seconds")}


class Book:
    """Opens a wallet for any phone that turns up; safe to use from any thread."""

    def __init__(self, opening_balance: int, receipt: Callable[[datetime], str]) -> None:
        self._opening, self._receipt = Decimal(opening_balance), receipt
        self._lock = threading.Lock()
        self._wallets: dict[str, Decimal] = {}
        self._payments: dict[str, Payment] = {}

    def balance(self, phone: str) -> Decimal:
        with self._lock:
            return self._wallets.get(phone, self._opening)

    def take(self, reference: str, phone: str, amount: Decimal, account: str) -> Payment | None:
        """Move the money and write it in the book; None where the wallet does not hold enough."""
        with self._lock:
            left = self._wallets.get(phone, self._opening) - amount
            if left < 0:
                return None
            self._wallets[phone] = left
            now = datetime.now(UTC)
            payment = Payment(self._receipt(now), reference, phone, amount, account, now)
            self._payments[payment.receipt] = payment
            return payment

    def give_back(self, receipt: str) -> Payment | None:
        """The payment, its money back in the wallet; None where there is none, or it was given back before."""
        with self._lock:
            payment = self._payments.get(receipt)
            if payment is None or payment.refunded:
                return None
            self._wallets[payment.phone] = self._wallets.get(payment.phone, self._opening) + payment.amount
            self._payments[receipt] = replace(payment, refunded=True)
            return payment

    def payments(self) -> list[Payment]:
        """Every payment that really happened, the oldest first."""
        with self._lock:
            return list(self._payments.values())

    def reset(self) -> None:
        with self._lock:
            self._wallets.clear()
            self._payments.clear()
