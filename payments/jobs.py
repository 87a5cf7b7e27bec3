"""The jobs that talk to a wallet's provider. No transaction is open while they do."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.clock import now
from core.database import transaction
from core.outbox import after_commit, job, step
from payments.hearing import ask, confirm, listen, turn
from payments.intents import attempt_of, move
from payments.models import OPEN, PaymentIntent
from payments.outcomes import RESEND_WITHIN_S, enter
from payments.settlement import fail, settle_kept
from payments.wallets.pace import slow_down
from payments.wallets.protocol import Accepted, Answer, Refused, Unknown, Wallet
from payments.wallets.registry import wallet

step("payments.settle")(settle_kept)
job("payments.confirm")(confirm)
BUSY_S = 5
PATIENT_S = 60
"""She has put the phone away by then."""
RESEND_S = 10
"""After a lost answer, where the same id may be sent again."""


@job("payments.push")
def push(intent_id: int) -> None:
    """Send the prompt. That it is being sent is committed first.

    Where the provider takes no id of ours (M-Pesa) no later run sends it again: a run that died in between leaves
    the attempt 'sending', the janitor makes that 'unknown', and the callback's token still finds it. Where it takes
    one, a run after a lost answer sends the same id, which is carried out once.
    """
    with transaction() as session:
        intent = session.get(PaymentIntent, intent_id)
        if intent is None:
            return
        payer = wallet(intent.provider)
        come_from = ["created", "sending", "unknown"] if payer.facts.resend_is_safe else ["created"]
        is_again = intent.state != "created"
        if not move(session, intent_id, "sending", come_from):
            return
        attempt, asked_at = attempt_of(session, intent), intent.created_at
    answer = payer.request(attempt)
    if is_again and isinstance(answer, Refused):  # the first time may have been carried out: only the status can say
        answer = Unknown(answer.message or answer.code)
    with transaction() as session:
        _sent(session, intent_id, payer, answer)
        young = now() - asked_at < timedelta(seconds=RESEND_WITHIN_S)
        if isinstance(answer, Unknown) and payer.facts.resend_is_safe and young:
            after_commit(session, "payments.push", intent_id, delay_s=RESEND_S)


def _sent(session: Session, intent_id: int, payer: Wallet, answer: Answer) -> None:
    first = now() + timedelta(seconds=payer.facts.patience_s)
    match answer:
        case Accepted(merchant_request_id, checkout_request_id):
            if checkout_request_id:
                # The callback may have been here already; then only the names of the request are new.
                session.execute(
                    update(PaymentIntent)
                    .where(PaymentIntent.id == intent_id, PaymentIntent.checkout_request_id.is_(None))
                    .values(checkout_request_id=checkout_request_id, merchant_request_id=merchant_request_id)
                )
            move(session, intent_id, "sent", ["sending", "unknown"], next_poll_at=first)
        case Refused(code="429") if _again_soon(session, intent_id, payer):
            pass
        case Refused(code, message):
            intent = session.get_one(PaymentIntent, intent_id, with_for_update=True)
            fail(session, intent, code, message)
        case Unknown(why):
            move(session, intent_id, "unknown", ["sending"], result_text=why, next_poll_at=first)


def _again_soon(session: Session, intent_id: int, payer: Wallet) -> bool:
    """Refused at the gate for being one too many, so nothing was begun: the prompt is sent while she still waits."""
    slow_down(session, payer, BUSY_S)
    intent = session.get_one(PaymentIntent, intent_id, with_for_update=True)
    if now() - intent.created_at > timedelta(seconds=PATIENT_S):
        return False
    if move(session, intent_id, "created", ["sending"]):
        after_commit(session, "payments.push", intent_id, delay_s=BUSY_S)
    return True


@job("payments.query")
def query(intent_id: int) -> None:
    """Ask a provider about an attempt that has gone silent, or that somebody wants to know about."""
    with transaction() as session:
        intent = session.get(PaymentIntent, intent_id)
        if intent is None or intent.state not in OPEN:
            return
        payer = wallet(intent.provider)
        if not payer.facts.resend_is_safe and intent.checkout_request_id is None:
            return  # it has no name that could be asked about
        wait_s = turn(session, payer, "payments.query", intent_id)
        if wait_s is None:
            return
        attempt = attempt_of(session, intent)
    outcome = ask(payer, attempt, wait_s)
    with transaction() as session:
        listen(session, payer, outcome)
        enter(session, session.get_one(PaymentIntent, intent_id, with_for_update=True), payer, outcome)
