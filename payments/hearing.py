"""Callbacks that have to be confirmed: anyone may have written one, so it only makes us ask.

What is entered is the provider's own answer, over a line that we opened. A callback that this does not bear out, or
that says something else, is put aside for people to see. So a forged one credits nothing.
"""

import time
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.database import transaction
from core.money import Money
from core.outbox import after_commit
from payments.intents import attempt_of
from payments.models import Notice, PaymentIntent, Receipt
from payments.notices import conclude
from payments.outcomes import enter
from payments.settlement import settles
from payments.wallets.pace import slow_down, speed_up, take_place
from payments.wallets.protocol import Attempt, Busy, Claim, Outcome, Paid, Unknown, Wallet
from payments.wallets.registry import wallets

AGAIN_S = 5
"""Between two questions about one attempt that callbacks are the reason for."""
BELIEVED_S = 120
"""A callback that its provider does not bear out within this time is put aside."""
SLOWER_S = 10


def turn(session: Session, payer: Wallet, job_name: str, subject_id: int) -> float | None:
    """In how many seconds the provider may be asked; None where that is long, and the job comes again then."""
    has_place, seconds = take_place(session, payer)
    if has_place:
        return seconds
    after_commit(session, job_name, subject_id, delay_s=seconds)
    return None


def ask(payer: Wallet, attempt: Attempt, wait_s: float) -> Outcome:
    """What the provider says of an attempt, when its turn has come."""
    if wait_s > 0:
        time.sleep(wait_s)
    return payer.status(attempt)


def listen(session: Session, payer: Wallet, outcome: Outcome) -> None:
    """Where the provider found us too fast, all workers leave it alone for a while; where it answers, they trust it."""
    if isinstance(outcome, Busy):
        slow_down(session, payer, SLOWER_S)
    elif not isinstance(outcome, Unknown):
        speed_up(session, payer)


@settles("wallet")
def hear(session: Session, notice: Notice) -> None:
    """Have the provider asked what a callback is about. Raises Unreadable.

    Copies that arrive meanwhile wait for the answer to the first, and cost no question of their own.
    """
    payer = wallets().get(notice.provider)
    if payer is None:
        return conclude(notice, "quarantined", "no such wallet is switched on")
    claim = payer.read_callback(notice.body)
    intent = _claimed(session, notice, claim)
    if intent is None:
        return conclude(notice, "quarantined", "no attempt has this token and id")
    if intent.state == "paid":
        return _known(session, notice, intent, claim)
    if intent.asked_at is not None and now() - intent.asked_at < timedelta(seconds=AGAIN_S):
        return after_commit(session, "payments.settle", notice.id, delay_s=AGAIN_S)
    intent.asked_at = now()
    return after_commit(session, "payments.confirm", notice.id)


def confirm(notice_id: int) -> None:
    """Ask the provider what a callback is about, and enter its answer."""
    with transaction() as session:
        notice = session.get(Notice, notice_id, with_for_update=True)
        if notice is None or notice.outcome is not None:
            return
        payer = wallets()[notice.provider]
        claim = payer.read_callback(notice.body)
        intent = _claimed(session, notice, claim)
        if intent is None:
            return
        wait_s = turn(session, payer, "payments.confirm", notice_id)
        if wait_s is None:
            return
        intent_id, attempt = intent.id, attempt_of(session, intent)
    outcome = ask(payer, attempt, wait_s)
    with transaction() as session:
        listen(session, payer, outcome)
        notice = session.get_one(Notice, notice_id, with_for_update=True)
        if notice.outcome is None:
            intent = session.get_one(PaymentIntent, intent_id, with_for_update=True)
            _conclude(session, notice, intent, claim, outcome, enter(session, intent, payer, outcome))


def _claimed(session: Session, notice: Notice, claim: Claim) -> PaymentIntent | None:
    """The attempt that a callback is about, locked: its address and its body must both name it, where both can."""
    mine = select(PaymentIntent).where(
        PaymentIntent.provider == notice.provider, PaymentIntent.reference == claim.reference
    )
    if notice.token is not None:
        mine = mine.where(PaymentIntent.token == notice.token)
    return session.scalar(mine.with_for_update())


def _known(session: Session, notice: Notice, intent: PaymentIntent, claim: Claim) -> None:
    """A callback of an attempt that is paid already says the same once more, or is put aside."""
    receipt = session.scalar(select(Receipt).where(Receipt.intent_id == intent.id))
    known = Paid("", receipt.receipt if receipt else None, Money(intent.amount_minor, intent.currency).major)
    objection = _contradiction(claim, known)
    return conclude(notice, "quarantined" if objection else "duplicate", objection)


def _conclude(
    session: Session, notice: Notice, intent: PaymentIntent, claim: Claim, outcome: Outcome, entered: str
) -> None:
    if entered == "open" and now() - notice.received_at < timedelta(seconds=BELIEVED_S):
        return after_commit(session, "payments.settle", notice.id, delay_s=AGAIN_S)
    if entered == "open":
        return conclude(notice, "quarantined", "the provider does not bear it out")
    if entered not in ("applied", "duplicate"):
        return conclude(notice, "quarantined", entered)
    objection = _contradiction(claim, outcome)
    return conclude(notice, "quarantined" if objection else entered, objection)


def _contradiction(claim: Claim, outcome: Outcome) -> str:
    """What a callback says otherwise than its provider does when asked; "" where they agree."""
    if not isinstance(outcome, Paid):
        return "the provider says that nothing was paid" if claim.paid else ""
    if not claim.paid:
        return "the provider says that it was paid"
    if claim.receipt and outcome.receipt and claim.receipt.upper() != outcome.receipt.upper():
        return "another receipt than the provider's"
    if claim.amount is not None and outcome.amount is not None and claim.amount != outcome.amount:
        return "another amount than the provider's"
    return ""
