"""A receipt and where its money stands: out of suspense, to another account, back to its payer."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, officer, page
from admin_web.forms import Form, FormSchema, Number, filled, read, word
from admin_web.paging import listed
from admin_web.places import account_numbers
from billing.customers import find_connection
from billing.ledger import balance_of
from billing.models import Connection, Customer
from core.config import settings
from core.money import Money
from payments.approvals import MoneyRefusal, available, limit, moves_of, standing
from payments.desk_models import DeskPayment
from payments.matching import suggest
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.receipts import LABELS, label_of
from payments.refunds import refund
from payments.suspense import allocate, give_back
from payments.thanks import send_again
from payments.transfers import transfer

MOVE_KINDS = {
    "allocation": "Credited out of suspense", "return": "Back to suspense", "transfer": "To another account",
    "refund": "Given back", "bounce": "Cheque not paid",
}  # fmt: skip
PAYOUT_STATES = {
    "owed": ("warn", "To be paid out"), "sending": ("busy", "Asked of the wallet"),
    "unknown": ("warn", "Not known if paid"), "paid": ("good", "Paid out"), "failed": ("bad", "The wallet refused"),
}  # fmt: skip
WHY_NOT = {
    "reason": "Say why.", "state": "It was decided already.", "account": "There is no such open account.",
    "amount": "That is nothing, or more than is there.",
    "same_person": "Another person has to approve what you asked for.",
}  # fmt: skip
DEEDS = {
    "allocate": ("Credit an account", "Credit it"), "return": ("Put back into suspense", "Put it back"),
    "transfer": ("Move to the right account", "Move it"), "refund": ("Give back", "Give it back"),
}  # fmt: skip
ASKS_TO = ("allocate", "transfer")


class MoveForm(FormSchema):
    to = word(24, required=False)
    amount = Number(places=2, required=False)
    reason = word(200)


@dataclass(frozen=True, slots=True)
class Planned:
    """A move as it would be made: the second look before money moves."""

    amount: Money
    source: Connection | None
    to: Connection | None
    owner: str
    before: Money | None
    after: Money | None
    second: bool


@page("/payments/suspense", roles=DESK)
def suspense(session: Session) -> ResponseReturnValue:
    """Money whose account is not known yet: it is in the books, and waits. The likeliest account beside each."""
    found = listed(session, select(Receipt).where(Receipt.held_minor > 0), [Receipt.id], newest_first=True)
    likeliest = {receipt.id: next(iter(suggest(session, receipt)), None) for receipt in found.rows}
    return render_template("office/suspense.html", found=found, likeliest=likeliest, label_of=label_of)


@page("/payments/receipts/<int:receipt_id>", roles=DESK)
def receipt(session: Session, receipt_id: int) -> ResponseReturnValue:
    """Everything about one receipt: who paid, where the money stands, each move with its reason."""
    one = session.get(Receipt, receipt_id) or abort(404)
    moves = moves_of(session, one.id)
    stands = standing(session, one)
    ids = [one.connection_id, *stands, *(move.from_id for move in moves), *(move.to_id for move in moves)]
    return render_template(
        "office/receipt.html",
        receipt=one,
        desk=session.get(DeskPayment, one.id),
        label=LABELS.get(one.provider, one.provider),
        stands=stands,
        moves=moves,
        accounts=account_numbers(session, ids),
        suggestions=suggest(session, one) if one.held_minor else [],
        kinds=MOVE_KINDS,
        payouts=PAYOUT_STATES,
    )


@page("/payments/receipts/<int:receipt_id>/again", roles=MONEY, methods=("POST",))
def receipt_again(session: Session, receipt_id: int) -> ResponseReturnValue:
    """The receipt's SMS once more, to its customer's own phone."""
    one = session.get(Receipt, receipt_id) or abort(404)
    sent = send_again(session, one)
    flash("It is on its way." if sent else "There is no phone to send it to.", "good" if sent else "bad")
    return redirect(url_for("office.receipt", receipt_id=one.id), 303)


@page("/payments/receipts/<int:receipt_id>/<deed>", roles=MONEY,
      methods=("GET", "POST"))  # fmt: skip
def move_money(session: Session, receipt_id: int, deed: str) -> ResponseReturnValue:
    """Say where it should go and why; look once more; do it."""
    one = session.get(Receipt, receipt_id) or abort(404)
    if deed not in DEEDS:
        abort(404)
    source = _source(session, deed)
    sent = request.form if request.method == "POST" else request.args
    if "reason" not in sent:
        form, plan = filled(to=sent.get("to", ""), amount=_free(session, one, source).number, reason=""), None
    else:
        form = read(MoveForm(), sent)
        plan = _planned(session, one, deed, source, form)
    if request.method == "POST" and plan is not None:
        done = _do(session, one, deed, plan, form.values["reason"])
        if isinstance(done, MoneyMove):
            return _told(done)
        form.refuse("form", WHY_NOT[done.kind])
    return render_template(
        "office/move.html", receipt=one, deed=deed, words=DEEDS[deed], form=form, plan=plan if form.fine else None,
        source=source, asks_to=deed in ASKS_TO, again="?" + urlencode({k: v for k, v in sent.items() if k in FIELDS}),
        limit=limit(), back=request.args.get("from", ""),
    ), 200 if form.fine else 422  # fmt: skip


FIELDS = ("to", "amount", "reason", "at")


def _source(session: Session, deed: str) -> Connection | None:
    """The account that the money leaves, from the address; none where it leaves suspense."""
    at = request.values.get("at", "")
    found = find_connection(session, at) if at else None
    if (at and found is None) or (found is None and deed in ("return", "transfer")):
        abort(404)
    return None if deed == "allocate" else found


def _free(session: Session, one: Receipt, source: Connection | None) -> Money:
    return available(session, one, source.id if source else None)


def _planned(session: Session, one: Receipt, deed: str, source: Connection | None, form: Form) -> Planned | None:
    """What would happen, or None with the form saying what is wrong."""
    if not form.fine:
        return None
    to = find_connection(session, form.values["to"] or "") if deed in ASKS_TO else None
    if deed in ASKS_TO and (to is None or to == source):
        form.refuse("to", "There is no such account." if to is None else "It is this account already.")
    free = _free(session, one, source)
    amount = free
    if deed != "return" and form.values["amount"] is not None:
        amount = _money(form)
    if not 0 < amount.minor <= free.minor:
        form.refuse("amount", f"From 0.01 to {free}." if free else "Nothing of it is there any more.")
    if not form.fine:
        return None
    affected = to or source
    before = balance_of(session, affected.id) if affected else None
    after = None if before is None else before - amount if to else before + amount
    second = deed in ("transfer", "refund") and amount > limit()
    return Planned(amount, source, to, _owner(session, affected), before, after, second)


def _money(form: Form) -> Money:
    try:
        return Money.of(form.values["amount"], settings().currency)
    except ValueError:
        form.refuse("amount", "There is no such coin.")
        return Money.zero(settings().currency)


def _owner(session: Session, place: Connection | None) -> str:
    owner = session.get(Customer, place.customer_id) if place and place.customer_id else None
    return owner.name if owner else ""


def _do(session: Session, one: Receipt, deed: str, plan: Planned, reason: str) -> MoneyMove | MoneyRefusal:
    by, source_id = officer().actor, plan.source.id if plan.source else None
    if deed == "allocate" and plan.to is not None:
        return allocate(session, one.id, plan.to.id, reason, by, plan.amount)
    if deed == "return" and source_id is not None:
        return give_back(session, one.id, source_id, reason, by)
    if deed == "transfer" and source_id is not None and plan.to is not None:
        return transfer(session, one.id, source_id, plan.to.id, plan.amount, reason, by)
    return refund(session, one.id, source_id, plan.amount, reason, by)


def _told(done: MoneyMove) -> ResponseReturnValue:
    waits: Any = done.status == "proposed"
    flash("It is over the limit and waits for a second person." if waits else "It is in the books.",
          "note" if waits else "good")  # fmt: skip
    return redirect(url_for("office.receipt", receipt_id=done.receipt_id), 303)
