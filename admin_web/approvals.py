"""Money that waits for a second person, and refunds that wait to be paid out."""

from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, officer, page
from admin_web.forms import FormSchema, choice, read, word
from admin_web.paging import listed
from admin_web.places import account_numbers
from admin_web.suspense import MOVE_KINDS, PAYOUT_STATES, WHY_NOT
from payments.approvals import MoneyRefusal, decide, limit
from payments.cashier import drawer, open_day_of
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.refunds import ask_wallet, by_wallet, owed, pay_out

SHOWS = {"proposed": "To decide", "posted": "In the books", "rejected": "Rejected"}
WAYS = {"bank": "By bank transfer", "drawer": "In cash, out of my drawer"}


class PayOutForm(FormSchema):
    way = choice(WAYS)
    note = word(80)


@page("/payments/approvals", roles=DESK)
def approvals(session: Session) -> ResponseReturnValue:
    """Moves of money, those to decide first."""
    show = request.args.get("show", "proposed")
    query = select(MoneyMove)
    if show in SHOWS:
        query = query.where(MoneyMove.status == show)
    found = listed(session, query, [MoneyMove.id], newest_first=True)
    ids = [move.from_id for move in found.rows] + [move.to_id for move in found.rows]
    return render_template(
        "office/approvals.html", found=found, accounts=account_numbers(session, ids), kinds=MOVE_KINDS,
        receipts=_receipts(session, found.rows), show=show, shows=SHOWS, limit=limit(),
    )  # fmt: skip


@page("/payments/approvals/<int:move_id>", roles=MONEY, methods=("POST",))
def decide_move(session: Session, move_id: int) -> ResponseReturnValue:
    """Approve or reject what somebody else asked for."""
    move = session.get(MoneyMove, move_id) or abort(404)
    done = decide(session, move.id, officer().actor, approve=request.form.get("do") == "approve")
    if isinstance(done, MoneyRefusal):
        flash(WHY_NOT[done.kind], "bad")
    else:
        flash("It is in the books." if done.status == "posted" else "It is rejected; nothing has changed.", "good")
    return redirect(url_for("office.approvals"), 303)


@page("/payments/refunds", roles=DESK)
def refunds(session: Session) -> ResponseReturnValue:
    """What finance has still to give back, the oldest first."""
    waiting = owed(session)
    receipts = _receipts(session, waiting)
    asked = {move.id for move in waiting if by_wallet(receipts[move.receipt_id], move)}
    return render_template(
        "office/refunds.html", moves=waiting, receipts=receipts, asked=asked, how=WAYS, payouts=PAYOUT_STATES
    )


@page("/payments/refunds/<int:move_id>", roles=MONEY, methods=("POST",))
def refund_paid(session: Session, move_id: int) -> ResponseReturnValue:
    """Finance or the cashier has given the money back; or the wallet is to be asked again."""
    move = session.get(MoneyMove, move_id) or abort(404)
    if request.form.get("do") == "ask":
        ask_wallet(session, move, session.get_one(Receipt, move.receipt_id))
        flash("The wallet is asked. It never pays the same refund twice.", "good")
        return redirect(url_for("office.refunds"), 303)
    form = read(PayOutForm(), request.form)
    if not form.fine:
        flash("Say how it was paid out, and its reference.", "bad")
        return redirect(url_for("office.refunds"), 303)
    by = officer()
    day = open_day_of(session, by.username)
    if form.values["way"] == "drawer" and day is None:
        flash("Open your day at the cash desk first.", "bad")
    elif pay_out(session, move.id, drawer(by.username) if day and form.values["way"] == "drawer" else "cash:bank",
                 f"{form.values['note']}, {by.actor}"):  # fmt: skip
        flash("It is paid out in the books.", "good")
    else:
        flash(WHY_NOT["state"], "bad")
    return redirect(url_for("office.refunds"), 303)


def _receipts(session: Session, moves: Sequence[MoneyMove]) -> dict[int, Receipt]:
    ids = {move.receipt_id for move in moves}
    return {one.id: one for one in session.scalars(select(Receipt).where(Receipt.id.in_(ids)))}
