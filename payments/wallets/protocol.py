"""What the service asks of a mobile-money provider, and the answers that there are. Knows no database, no network.

The providers differ in what may be trusted and repeated; `Facts` says how, and the jobs go by it alone. Each answer
is one of a few values: a provider's codes and shapes stay in its own file.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from core.money import Money
from core.phone import Phone

Cause = Literal["funds", "cancelled", "pin", "limit", "repeated", "silent", "busy", "blocked", "no_wallet", "other"]
"""Why nothing was paid, as a customer may hear it; payments.texts has the words, in her language."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The prompt will be shown. Nothing is paid yet. The names are M-Pesa's; others know the request by ours."""

    merchant_request_id: str = ""
    checkout_request_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was begun, and the message says why."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No clear answer: it may have been done. Whether it may be sent again is the provider's `resend_is_safe`."""

    why: str


@dataclass(frozen=True, slots=True)
class Paid:
    """It was paid. M-Pesa's query gives neither receipt nor amount, Airtel's no amount (major units)."""

    message: str = ""
    receipt: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """No money moved; `code` is the provider's, and `Wallet.cause` says what it means."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Processing:
    """Not decided yet."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The provider has never heard of it."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Asked too often (HTTP 429, "Spike arrest"): nothing was looked up, and all of us ask less from now on."""


Answer = Accepted | Refused | Unknown
Outcome = Paid | Failed | Processing | Missing | Busy | Unknown


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt as a provider needs it. `reference` is ours and was committed before it is sent anywhere.

    `named` is the provider's own name for it, where it gives one (CheckoutRequestID), `callback_url` holds its token.
    """

    reference: str
    named: str | None
    phone: Phone
    amount: Money
    account_no: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money to be given back; `reference` is ours, once for the refund, `receipt` the provider's of the payment."""

    reference: str
    receipt: str
    payment_reference: str
    phone: Phone
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a callback says, which anyone may have written; `reference` is our own id in it."""

    reference: str
    paid: bool
    receipt: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a provider, whatever the request.

    `resend_is_safe`: our reference is its idempotency key, so that a request whose answer was lost may be sent again.
    `callback_has_token`: each request names the address of its callback; else all go to one that was registered.
    `needs_confirmation`: a callback only makes us ask for the status; the answer to that is what is entered.
    `status_is_final`: its "failed" may be believed at once; else two equal answers are needed.
    `refunds`: it can give money back on request. `most`: whole units it takes at once. `patience_s`: how long it is
    left alone before it is asked what became of a request. `pace_s`: seconds between two questions, of all workers.
    """

    resend_is_safe: bool
    callback_has_amount: bool
    callback_has_token: bool
    needs_confirmation: bool
    status_is_final: bool
    refunds: bool
    most: int
    patience_s: float
    pace_s: float = 0.0


class Wallet(Protocol):
    """One provider, as the settings have it. Safe to use from several threads; every call is one to the network.

    `name` stands in the database and the ledger ("cash:mtn"), `label` is what customers call it. `shortcode` is the
    utility's own account there: a receipt is unique for (name, shortcode, receipt).
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def shortcode(self) -> str: ...
    @property
    def facts(self) -> Facts: ...

    def takes(self, phone: Phone) -> bool:
        """Whether this phone's number can have such a wallet at all."""
        ...

    def request(self, attempt: Attempt) -> Answer:
        """Have the customer asked for her PIN."""
        ...

    def status(self, attempt: Attempt) -> Outcome:
        """What became of it."""
        ...

    def refund(self, refund: Refund) -> Answer:
        """Give money back; accepted means that it is or will be given."""
        ...

    def cause(self, code: str) -> Cause:
        """What a code of its refusal or failure means for the customer."""
        ...

    def read_callback(self, body: bytes) -> Claim:
        """The claim in a callback's body. Raises payments.forms.Unreadable."""
        ...
