"""M-Pesa as one wallet among others, over payments/daraja.py."""

from functools import cache

from core.config import Settings, settings
from core.phone import Phone
from payments.daraja import Daraja
from payments.forms import read_push
from payments.mpesa_results import CAUSES
from payments.wallets.protocol import Answer, Attempt, Cause, Claim, Facts, Outcome, Refund, Refused, Unknown

NAME = "mpesa"
FACTS = Facts(
    resend_is_safe=False,
    callback_has_amount=True,
    callback_has_token=True,
    needs_confirmation=False,
    status_is_final=False,
    refunds=False,
    most=250_000,
    patience_s=20,
)
PREFIXES = ("+2547", "+2541")


@cache
def daraja() -> Daraja:
    """This process's client of the utility's own app."""
    ours = settings()
    return Daraja(
        ours.daraja_base_url,
        ours.mpesa_consumer_key,
        ours.mpesa_consumer_secret,
        ours.mpesa_shortcode,
        ours.mpesa_passkey,
        ours.mpesa_till,
    )


class Mpesa:
    """Daraja takes no id of ours: a push is sent once, and found again by the token in its callback's address."""

    name, label, facts = NAME, "M-Pesa", FACTS

    def __init__(self, shortcode: str) -> None:
        self.shortcode = shortcode

    def takes(self, phone: Phone) -> bool:
        return phone.startswith(PREFIXES)

    def request(self, attempt: Attempt) -> Answer:
        amount = int(attempt.amount.major)
        return daraja().stk_push(attempt.phone, amount, attempt.account_no, attempt.callback_url)

    def status(self, attempt: Attempt) -> Outcome:
        if attempt.named is None:
            return Unknown("no CheckoutRequestID to ask about")
        return daraja().stk_query(attempt.named)

    def refund(self, refund: Refund) -> Answer:
        """A reversal is asked for with the initiator's credentials and answered later: see payments/daraja.py."""
        return Refused("refund", "M-Pesa payments are reversed, not refunded")

    def cause(self, code: str) -> Cause:
        return CAUSES.get(code, "other")

    def read_callback(self, body: bytes) -> Claim:
        said = read_push(body)
        return Claim(said.checkout_request_id, said.receipt is not None, said.receipt, said.amount)


def configured(ours: Settings) -> Mpesa | None:
    """M-Pesa moves Kenyan shillings only."""
    return Mpesa(ours.mpesa_shortcode) if ours.currency == "KES" else None
