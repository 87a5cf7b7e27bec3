"""The wallets, and the book of what was really paid: the truth that the utility's books are compared with."""

import secrets
import string
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone

NAIROBI = timezone(timedelta(hours=3), "EAT")
"""Kenya keeps no summer time, so the zone database is not needed."""

ALPHABET = string.digits + string.ascii_uppercase


@dataclass(frozen=True, slots=True)
class Payment:
    """Money from a wallet: whole shillings from `phone` (2547..) to the paybill's `account`."""

    receipt: str
    phone: str
    amount: int
    account: str
    paid_at: datetime
    checkout_id: str | None
    """None where the customer paid the bill from the phone's own menu."""
    org_balance: int | None = None
    """The paybill's own balance after it; None while no money has moved."""
    number: int = 0
    """Which payment of this phone it is, from 1."""
    reversed: bool = False

    def as_json(self) -> dict[str, object]:
        road = "stk" if self.checkout_id else "paybill"
        return {**asdict(self), "road": road, "paid_at": self.paid_at.isoformat(timespec="seconds")}


@dataclass(slots=True)
class _Wallet:
    balance: int
    drafts: int = 0
    paid: list[tuple[int, float]] = field(default_factory=list)


class Bank:
    """Opens a wallet for any phone that turns up; safe to use from any thread."""

    def __init__(self, opening_balance: int) -> None:
        self._opening = opening_balance
        self._lock = threading.Lock()
        self._wallets: dict[str, _Wallet] = {}
        self._book: list[Payment] = []
        self._place: dict[str, int] = {}
        self._taken = 0
        self._receipts: set[str] = set()

    def balance(self, phone: str) -> int:
        with self._lock:
            return self._wallet(phone).balance

    def draft(self, phone: str, amount: int, account: str, checkout_id: str | None = None) -> Payment:
        """A payment with its receipt number, before any money has moved."""
        now = datetime.now(NAIROBI)
        with self._lock:
            wallet = self._wallet(phone)
            wallet.drafts += 1
            return Payment(self._receipt(now), phone, amount, account, now, checkout_id, number=wallet.drafts)

    def take(self, draft: Payment) -> Payment | None:
        """Move the money and write it in the book; None where the wallet does not hold enough."""
        with self._lock:
            wallet = self._wallet(draft.phone)
            if wallet.balance < draft.amount:
                return None
            wallet.balance -= draft.amount
            wallet.paid.append((draft.amount, time.monotonic()))
            self._taken += draft.amount
            payment = replace(draft, org_balance=self._taken)
            self._place[payment.receipt] = len(self._book)
            self._book.append(payment)
            return payment

    def find(self, receipt: str) -> Payment | None:
        """The payment of that receipt, as the book has it."""
        with self._lock:
            place = self._place.get(receipt)
            return None if place is None else self._book[place]

    def reverse(self, receipt: str) -> Payment | None:
        """Give the money back to the wallet it came from; None where it was given back before, or never paid."""
        with self._lock:
            place = self._place.get(receipt)
            if place is None or self._book[place].reversed:
                return None
            payment = self._book[place] = replace(self._book[place], reversed=True)
            self._wallet(payment.phone).balance += payment.amount
            self._taken -= payment.amount
            return payment

    def holds(self) -> int:
        """What the paybill itself holds."""
        with self._lock:
            return self._taken

    def paid_within(self, phone: str, amount: int, seconds: float) -> bool:
        """Whether this very amount left this wallet in the last `seconds`."""
        since = time.monotonic() - seconds
        with self._lock:
            return any(paid == amount and at > since for paid, at in self._wallet(phone).paid)

    def book(self) -> list[Payment]:
        with self._lock:
            return list(self._book)

    def reset(self) -> None:
        """Opening balances again and an empty book. Receipts stay used: the utility remembers them."""
        with self._lock:
            self._wallets.clear()
            self._book.clear()
            self._place.clear()
            self._taken = 0

    def _wallet(self, phone: str) -> _Wallet:
        return self._wallets.setdefault(phone, _Wallet(self._opening))

    def _receipt(self, now: datetime) -> str:
        """Ten characters as on a real receipt: year, month and day as signs, then chance."""
        letters = string.ascii_uppercase
        date = letters[(now.year - 2006) % 26] + letters[now.month - 1] + ALPHABET[now.day]
        while True:
            receipt = date + "".join(secrets.choice(ALPHABET) for _ in range(7))
            if receipt not in self._receipts:
                self._receipts.add(receipt)
                return receipt
