"""Money that came by phone: receipts, the attempts behind them, and what nobody could be credited with."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, page
from admin_web.paging import listed
from admin_web.places import account_numbers
from payments.models import IntentEvent, PaymentIntent, Receipt

# What has happened so far, and what happens next without anybody doing anything.
INTENT_STATES = {
    "created": ("busy", "Waiting to be sent"), "sending": ("busy", "Being sent"),
    "sent": ("busy", "Waiting for the PIN"), "paid": ("good", "Paid"), "failed": ("bad", "Not paid"),
    "unknown": ("warn", "Being checked"), "confirmed": ("busy", "Receipt awaited"),
}  # fmt: skip
INTENT_MEANS = {
    "created": "The PIN prompt is sent a few seconds after the conversation ends.",
    "sending": "The PIN prompt is on its way to M-Pesa.",
    "sent": "M-Pesa has shown the PIN prompt. The account is credited when M-Pesa says it was paid.",
    "paid": "M-Pesa has confirmed it, and the account is credited.",
    "failed": "No money has moved. The customer may try again.",
    "unknown": "M-Pesa has not answered clearly. It is asked again by itself; nothing is sent twice.",
    "confirmed": "M-Pesa says it was paid, but has not sent its receipt yet. The account is credited with the receipt.",
}
SHOWS = {"paid": "Paid", "open": "On their way", "failed": "Not paid"}
OPEN = ("created", "sending", "sent", "unknown", "confirmed")


@page("/payments", roles=EVERYONE)
def payments(session: Session) -> ResponseReturnValue:
    """Payments that customers began by phone, the latest first."""
    query, show = select(PaymentIntent), request.args.get("show", "")
    if show == "open":
        query = query.where(PaymentIntent.state.in_(OPEN))
    elif show in ("paid", "failed"):
        query = query.where(PaymentIntent.state == show)
    found = listed(session, query, [PaymentIntent.id], newest_first=True)
    return render_template(
        "office/payments.html",
        found=found,
        accounts=account_numbers(session, [intent.connection_id for intent in found.rows]),
        receipts=_receipts(session, [intent.id for intent in found.rows]),
        show=show,
        shows=SHOWS,
        states=INTENT_STATES,
    )


def _receipts(session: Session, intent_ids: list[int]) -> dict[int | None, Receipt]:
    rows = session.scalars(select(Receipt).where(Receipt.intent_id.in_(intent_ids)))
    return {receipt.intent_id: receipt for receipt in rows}


@page("/payments/<int:intent_id>", roles=EVERYONE)
def intent(session: Session, intent_id: int) -> ResponseReturnValue:
    """One attempt to pay: each state it was in, in plain words."""
    attempt = session.get(PaymentIntent, intent_id) or abort(404)
    events = session.scalars(select(IntentEvent).where(IntentEvent.intent_id == attempt.id).order_by(IntentEvent.id))
    return render_template(
        "office/intent.html",
        intent=attempt,
        events=events.all(),
        receipt=session.scalar(select(Receipt).where(Receipt.intent_id == attempt.id)),
        account=account_numbers(session, [attempt.connection_id])[attempt.connection_id],
        states=INTENT_STATES,
        means=INTENT_MEANS,
    )


@page("/payments/receipts", roles=EVERYONE)
def receipts(session: Session) -> ResponseReturnValue:
    """Money that is here, the latest first; found by its receipt."""
    asked = request.args.get("q", "").strip().upper()
    query = select(Receipt)
    if asked:
        query = query.where(Receipt.receipt.startswith(asked, autoescape=True))
    return _receipt_page(session, query, asked=asked)


@page("/payments/suspense", roles=EVERYONE)
def suspense(session: Session) -> ResponseReturnValue:
    """Money whose account is not known yet: it is in the books, and waits."""
    return _receipt_page(session, select(Receipt).where(Receipt.connection_id.is_(None)), in_suspense=True)


def _receipt_page(
    session: Session, query: Select[tuple[Receipt]], *, asked: str = "", in_suspense: bool = False
) -> str:
    found = listed(session, query, [Receipt.id], newest_first=True)
    return render_template(
        "office/receipts.html",
        found=found,
        accounts=account_numbers(session, [receipt.connection_id for receipt in found.rows]),
        asked=asked,
        in_suspense=in_suspense,
    )
