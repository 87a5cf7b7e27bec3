"""The office wants to know now what became of an attempt: a question to the provider, never a second prompt."""

from sqlalchemy.orm import Session

from core.outbox import after_commit
from payments import pulling
from payments.models import PaymentIntent
from payments.wallets.registry import wallets

ASKABLE = ("sent", "unknown", "confirmed")


def check_now(session: Session, intent: PaymentIntent) -> bool:
    """Have the provider asked, as the janitor would; False where nothing is open.

    What M-Pesa knows no name of, or lacks only its receipt, is looked for in its list of payments.
    """
    if intent.state not in ASKABLE:
        return False
    payer = wallets().get(intent.provider)
    knows_ours = payer is not None and payer.facts.resend_is_safe
    if knows_ours or (intent.state != "confirmed" and intent.checkout_request_id is not None):
        after_commit(session, "payments.query", intent.id)
    else:
        pulling.read_soon(session)
    return True
