"""The SMS that M-PESA itself sends to the subscriber."""

import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from simulators.daraja.bank import Payment


@dataclass(frozen=True, slots=True)
class Sms:
    id: int
    phone: str
    at: str
    text: str

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Messages:
    """Every SMS since the last reset, oldest first; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: list[Sms] = []
        self._last_id = 0

    def send(self, phone: str, text: str) -> None:
        with self._lock:
            self._last_id += 1
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._sent.append(Sms(self._last_id, phone, now, text))

    def since(self, after: int, phone: str) -> list[Sms]:
        with self._lock:
            return [m for m in self._sent if m.id > after and m.phone == phone]

    def reset(self) -> None:
        with self._lock:
            self._sent.clear()


def paid_text(payment: Payment, business: str, balance: int) -> str:
    """As M-PESA words it, down to the missing space."""
    when = f"{payment.paid_at:%-d/%-m/%y} at {payment.paid_at:%-I:%M %p}"
    return (
        f"{payment.receipt} Confirmed. Ksh{payment.amount:,}.00 sent to {business} "
        f"for account {payment.account} on {when} New M-PESA balance is Ksh{balance:,}.00. Transaction cost, Ksh0.00."
    )


def short_of_funds_text(amount: int, business: str, balance: int) -> str:
    return (
        f"Failed. You do not have enough money in your M-PESA account to pay Ksh{amount:,}.00 to {business}. "
        f"Your M-PESA balance is Ksh{balance:,}.00."
    )
