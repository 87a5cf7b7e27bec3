"""What is done about debts: what is due today as a dry run, orders for the field, and each class's policy."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import ADMINISTRATORS, DEBTS, EVERYONE, FIELDWORK, officer, page
from admin_web.forms import FormSchema, Number, filled, read, whole
from admin_web.home import counted
from admin_web.places import account_numbers
from billing.arrears import debtors
from billing.dunning_rounds import open_rounds, start_round
from billing.late_fees import fees_due
from billing.models import CreditPolicy, DunningRound, DunningStep
from billing.moments import here
from billing.orders import OrderRefusal, open_orders, order_done, withdraw
from billing.policies import Policy, policies, set_policy
from billing.reminders import candidates
from core.config import settings
from core.money import Money

LOOKED_AT = 200  # debtors that the page looks at; what is started goes on through all of them
SHOWN = 100
STEPS = {"reminder": "Reminder", "notice": "Notice", "disconnection": "Cut off", "reconnection": "Reconnect"}
MONEY = ("approval_minor", "least_minor", "late_fee_minor", "reconnection_minor")
SHARES = ("late_fee_share", "reconnection_share")
DAYS = ("late_fee_days", "reminder_days", "notice_days", "order_days")


class PolicyForm(FormSchema):
    approval_minor = Number(places=2)
    least_minor = Number(places=2)
    late_fee_minor = Number(places=2)
    reconnection_minor = Number(places=2)
    late_fee_share = Number(places=2, most=100)
    reconnection_share = Number(places=2, most=100)
    late_fee_days = whole(0, 365)
    reminder_days = whole(0, 365)
    notice_days = whole(1, 365)
    order_days = whole(2, 365)


@page("/dunning", roles=EVERYONE)
def dunning(session: Session) -> ResponseReturnValue:
    """Who would be told what now, which fees are due, which orders are open. Nothing happens by looking."""
    window = debtors(session, request.args.get("after", default=0, type=int), LOOKED_AT)
    due, fees, orders = candidates(session, here(), window), fees_due(session, here(), window), open_orders(session)
    ids = [one.connection_id for one in due[:SHOWN]]
    ids += [one.connection_id for one in fees[:SHOWN]] + [one.connection_id for one in orders]
    return render_template(
        "office/dunning.html",
        due=due[:SHOWN],
        counts={step: sum(one.step == step for one in due) for step in STEPS if step != "reconnection"},
        fees=fees[:SHOWN],
        fees_count=len(fees),
        fees_total=Money(sum(fee.fee_minor for fee in fees), settings().currency),
        orders=orders,
        accounts=account_numbers(session, ids),
        steps=STEPS,
        policies=policies(session),
        window=window,
        size=LOOKED_AT,
        rounds=open_rounds(session),
    )


@page("/dunning/steps", roles=DEBTS, methods=("POST",))
def take_dunning_steps(session: Session) -> ResponseReturnValue:
    """Send the reminders and notices, give out the orders."""
    done = start_round(session, "steps", officer().actor)
    flash(_so_far(done, counted(done.taken, "step", "taken")), "good")
    return redirect(url_for("office.dunning"), 303)


@page("/dunning/fees", roles=DEBTS, methods=("POST",))
def charge_fees(session: Session) -> ResponseReturnValue:
    """Charge this month's late fees."""
    done = start_round(session, "fees", officer().actor)
    flash(_so_far(done, counted(done.taken, "late fee", "charged")), "good")
    return redirect(url_for("office.dunning"), 303)


def _so_far(done: DunningRound, words: str) -> str:
    return f"{words}." if done.done_at else f"{words} so far; the rest follows by itself."


@page("/dunning/orders/<int:order_id>", roles=FIELDWORK, methods=("POST",))
def close_order(session: Session, order_id: int) -> ResponseReturnValue:
    """The fitter has been there, or the order is taken back."""
    session.get(DunningStep, order_id) or abort(404)
    act = order_done if request.form.get("do") == "done" else withdraw
    done = act(session, order_id, officer().actor)
    if isinstance(done, OrderRefusal):
        flash("She has paid meanwhile: the order is withdrawn." if done.kind == "paid" else "It was closed already.",
              "note")  # fmt: skip
    else:
        flash("The order is done." if done.status == "done" else "The order is withdrawn.", "good")
    return redirect(url_for("office.dunning"), 303)


@page("/dunning/policy/<kind>", roles=ADMINISTRATORS, methods=("GET", "POST"))
def policy(session: Session, kind: str) -> ResponseReturnValue:
    """The settings of a class of customers."""
    kept = session.get(CreditPolicy, kind) or abort(404)
    form = filled(**_shown(kept))
    if request.method == "POST":
        form = read(PolicyForm(), request.form)
        if form.fine:
            if set_policy(session, kind, _meant(form.values), officer().actor) is not None:
                flash("The policy holds from now on.", "good")
                return redirect(url_for("office.dunning"), 303)
            form.refuse("order_days", "The steps have to follow each other: reminder, notice, order.")
    return render_template("office/policy.html", kept=kept, form=form), 200 if form.fine else 422


def _shown(kept: CreditPolicy) -> dict[str, Any]:
    """As a person writes it: amounts in major units, shares in per cent."""
    currency = settings().currency
    return (
        {name: Money(getattr(kept, name), currency).major for name in MONEY}
        | {name: f"{getattr(kept, name) * 100:.2f}" for name in SHARES}
        | {name: getattr(kept, name) for name in DAYS}
    )


def _meant(values: dict[str, Any]) -> Policy:
    currency = settings().currency
    meant: dict[str, Any] = {name: Money.of(values[name], currency).minor for name in MONEY}
    meant |= {name: values[name] / 100 for name in SHARES} | {name: values[name] for name in DAYS}
    return Policy(**meant)
