"""Payments that customers began by phone: how each stands in plain words, what happens next, and one safe button."""

from collections.abc import Sequence
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, page
from admin_web.paging import listed
from admin_web.places import account_numbers
from core.clock import now
from payments.checking import check_now
from payments.janitor import left_to_people
from payments.models import IntentEvent, Notice, PaymentIntent, Receipt
from payments.receipts import label_of
from payments.wallets.registry import cause_of

INTENT_STATES = {
    "created": ("busy", "Waiting to be sent"), "sending": ("busy", "Prompt being sent"),
    "sent": ("busy", "Waiting for the PIN"), "paid": ("good", "Paid"), "failed": ("bad", "Not paid"),
    "unknown": ("warn", "Unknown, being checked"), "confirmed": ("busy", "Paid, receipt awaited"),
}  # fmt: skip
CAUSES = {
    "cancelled": ("bad", "Cancelled"), "silent": ("bad", "Timed out"), "pin": ("bad", "Wrong PIN"),
    "funds": ("bad", "Too little money"), "limit": ("bad", "Over a limit"), "busy": ("bad", "Phone was busy"),
    "repeated": ("bad", "Same amount twice"), "blocked": ("bad", "Wallet blocked"),
    "no_wallet": ("bad", "No such wallet"), "other": ("bad", "Not paid"),
}  # fmt: skip
MEANS = {
    "created": "The PIN prompt is sent a few seconds after the conversation ends.",
    "sending": "The PIN prompt is on its way to {wallet}.",
    "sent": "{wallet} has shown the PIN prompt. The account is credited when {wallet} says that it was paid.",
    "paid": "{wallet} has confirmed it, and the account is credited.",
    "failed": "No money has moved. The customer may try again.",
    "unknown": "{wallet} has not answered clearly. Money may have moved, so nothing is sent a second time.",
    "confirmed": "{wallet} says it was paid, but its receipt is not here yet. The account is credited with it.",
}
SHOWS = {"paid": "Paid", "open": "On their way", "people": "Never cleared up", "failed": "Not paid"}
OPEN = ("created", "sending", "sent", "unknown", "confirmed")
ASKABLE = ("sent", "unknown", "confirmed")


@page("/payments", roles=DESK)
def payments(session: Session) -> ResponseReturnValue:
    """The latest first; while any is on its way, the list renews itself."""
    return render_template("office/payments.html", **_listed(session))


@page("/payments/now", roles=DESK)
def payments_now(session: Session) -> ResponseReturnValue:
    """The part of the list that changes by itself."""
    return render_template("office/_payments_now.html", **_listed(session))


def _listed(session: Session) -> dict[str, Any]:
    query, show = select(PaymentIntent), request.args.get("show", "")
    if show == "open":
        query = query.where(PaymentIntent.state.in_(OPEN))
    elif show == "people":
        query = query.where(left_to_people())
    elif show in ("paid", "failed"):
        query = query.where(PaymentIntent.state == show)
    found = listed(session, query, [PaymentIntent.id], newest_first=True)
    return {
        "found": found,
        "accounts": account_numbers(session, [intent.connection_id for intent in found.rows]),
        "receipts": _receipts(session, [intent.id for intent in found.rows]),
        "states": {intent.id: state_of(intent) for intent in found.rows},
        "moving": any(intent.state in OPEN for intent in found.rows),
        "show": show,
        "shows": SHOWS,
        "label_of": label_of,
        "now": now(),
    }


def state_of(intent: PaymentIntent) -> tuple[str, str]:
    """Tone and words: how it stands, and where it failed why."""
    if intent.state == "failed":
        return CAUSES[cause_of(intent.provider, intent.result_code or "")]
    return INTENT_STATES[intent.state]


def next_step(intent: PaymentIntent) -> str:
    """What happens by itself from here; "" where nothing does."""
    if intent.state == "created":
        return "The prompt goes out in a few seconds."
    if intent.state == "sending":
        return "Within a minute it is known to be sent, or checked."
    if intent.state in ASKABLE and intent.next_poll_at is None:
        return "Nothing more by itself: two days are over. Look into the provider's statement."
    return f"{label_of(intent.provider)} is asked again" if intent.state in ASKABLE else ""


def _receipts(session: Session, intent_ids: Sequence[int]) -> dict[int | None, Receipt]:
    rows = session.scalars(select(Receipt).where(Receipt.intent_id.in_(intent_ids)))
    return {receipt.intent_id: receipt for receipt in rows}


@page("/payments/<int:intent_id>", roles=DESK)
def intent(session: Session, intent_id: int) -> ResponseReturnValue:
    """One attempt to pay: each state it was in, in plain words."""
    return render_template("office/intent.html", **_one(session, intent_id))


@page("/payments/<int:intent_id>/now", roles=DESK)
def intent_now(session: Session, intent_id: int) -> ResponseReturnValue:
    """The part that changes by itself; when it is decided, the whole page is loaded again."""
    view = _one(session, intent_id)
    answer = make_response(render_template("office/_intent_now.html", **view))
    if not view["moving"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _one(session: Session, intent_id: int) -> dict[str, Any]:
    attempt = session.get(PaymentIntent, intent_id) or abort(404)
    events = select(IntentEvent).where(IntentEvent.intent_id == attempt.id).order_by(IntentEvent.id)
    return {
        "intent": attempt,
        "events": session.scalars(events).all(),
        "receipt": session.scalar(select(Receipt).where(Receipt.intent_id == attempt.id)),
        "account": account_numbers(session, [attempt.connection_id])[attempt.connection_id],
        "notices": session.scalars(select(Notice).where(Notice.token == attempt.token).order_by(Notice.id)).all(),
        "states": INTENT_STATES,
        "state": state_of(attempt),
        "means": MEANS[attempt.state].format(wallet=label_of(attempt.provider)),
        "next_step": next_step(attempt),
        "wallet": label_of(attempt.provider),
        "moving": attempt.state in OPEN,
        "askable": attempt.state in ASKABLE,
        "now": now(),
    }


@page("/payments/<int:intent_id>/check", roles=MONEY, methods=("POST",))
def check_intent(session: Session, intent_id: int) -> ResponseReturnValue:
    """Ask the provider what became of it. It is a question and never a second prompt, so it is always safe."""
    attempt = session.get(PaymentIntent, intent_id) or abort(404)
    asked = check_now(session, attempt)
    flash(f"{label_of(attempt.provider)} is asked. The answer appears here." if asked else "It is decided already.",
          "good" if asked else "note")  # fmt: skip
    return redirect(url_for("office.intent", intent_id=attempt.id), 303)


@page("/payments/receipts", roles=DESK)
def receipts(session: Session) -> ResponseReturnValue:
    """Money that is here, the latest first; found by its receipt."""
    asked = request.args.get("q", "").strip().upper()
    query = select(Receipt)
    if asked:
        query = query.where(Receipt.receipt.startswith(asked, autoescape=True))
    found = listed(session, query, [Receipt.id], newest_first=True)
    accounts = account_numbers(session, [receipt.connection_id for receipt in found.rows])
    return render_template("office/receipts.html", found=found, accounts=accounts, asked=asked, label_of=label_of)
