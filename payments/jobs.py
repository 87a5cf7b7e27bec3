"""The jobs that talk to M-Pesa. No transaction is open while they do."""

import json
from datetime import timedelta

from sqlalchemy import update

from billing.models import Connection
from core.clock import now
from core.config import settings
from core.database import transaction
from core.money import Money
from core.outbox import job
from payments.intents import move
from payments.janitor import FIRST_POLL_S
from payments.models import PaymentIntent
from payments.notices import store_notice
from payments.settlement import fail, settle
from payments.urls import push_callback
from payments.wallets import mpesa
from payments.wallets.protocol import Accepted, Failed, Paid, Refused, Unknown

job("payments.settle")(settle)
SLACK_S = 300
"""Clocks differ; a minute too many pulled is harmless."""


@job("payments.push")
def push(intent_id: int) -> None:
    """Send the prompt, at most once: that it is being sent is committed first, and no later run sends it again.

    Daraja takes no idempotency key, so a run that died in between leaves the attempt 'sending'; the janitor
    makes that 'unknown', and the callback's token still finds it.
    """
    with transaction() as session:
        if not move(session, intent_id, "sending", ["created"]):
            return
        intent = session.get_one(PaymentIntent, intent_id)
        account_no = session.get_one(Connection, intent.connection_id).account_no
    shillings = int(Money(intent.amount_minor, intent.currency).major)
    answer = mpesa.daraja().stk_push(intent.phone, shillings, account_no, push_callback(settings(), intent.token))
    with transaction() as session:
        match answer:
            case Accepted():
                # The callback may have been here already; then only the names of the request are new.
                session.execute(
                    update(PaymentIntent)
                    .where(PaymentIntent.id == intent_id, PaymentIntent.checkout_request_id.is_(None))
                    .values(
                        checkout_request_id=answer.checkout_request_id, merchant_request_id=answer.merchant_request_id
                    )
                )
                first = now() + timedelta(seconds=FIRST_POLL_S)
                move(session, intent_id, "sent", ["sending", "unknown"], next_poll_at=first)
            case Refused():
                intent = session.get_one(PaymentIntent, intent_id, with_for_update=True)
                fail(session, intent, answer.code, answer.message)
            case _:
                first = now() + timedelta(seconds=FIRST_POLL_S)
                move(session, intent_id, "unknown", ["sending"], result_text=answer.why, next_poll_at=first)


@job("payments.query")
def query(intent_id: int) -> None:
    """Ask M-Pesa about a silent push. Only a receipt credits; two equal answers are needed to call it failed."""
    with transaction() as session:
        intent = session.get(PaymentIntent, intent_id)
        if intent is None or intent.state not in ("sent", "unknown") or intent.checkout_request_id is None:
            return
    answer = mpesa.daraja().stk_query(intent.checkout_request_id)
    with transaction() as session:
        intent = session.get_one(PaymentIntent, intent_id, with_for_update=True)
        match answer:
            case Paid(message):
                move(session, intent_id, "confirmed", ["sent", "unknown"], result_text=message, next_poll_at=now())
            case Failed(code, message) if intent.result_code == code:
                fail(session, intent, code, message)
            case Failed(code, message):
                intent.result_code, intent.result_text = code, message


@job("payments.pull")
def pull(intent_id: int) -> None:
    """Fetch what the PayBill received since a push whose receipt is missing; each row is settled as a notice.

    The receipt is the same by every road, so a row that is known already credits nothing.
    """
    with transaction() as session:
        intent = session.get(PaymentIntent, intent_id)
        if intent is None or intent.state not in ("confirmed", "unknown"):
            return
        account_no = session.get_one(Connection, intent.connection_id).account_no
    rows = mpesa.daraja().pull(intent.created_at - timedelta(seconds=SLACK_S), now() + timedelta(seconds=SLACK_S))
    if isinstance(rows, Unknown):
        return
    ours = [row for row in rows if str(row.get("billreference", "")).strip() == account_no]
    with transaction() as session:
        for row in ours:
            body = json.dumps({**row, "shortcode": settings().mpesa_shortcode}).encode()
            store_notice(session, "pull", body, token=None, headers={}, remote_addr="")
