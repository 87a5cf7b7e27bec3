"""A connection's account: its statement, what is open since when, and what the office may do about it."""

from datetime import date, timedelta
from decimal import Decimal

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import BILLING, DEBTS, EVERYONE, MONEY, officer, page
from admin_web.forms import Form, FormSchema, Number, calendar_day, choice, filled, read, whole, word
from admin_web.places import places
from billing import deposits, plans
from billing.arrears import buckets, open_items
from billing.forecast import Expected, forecast_bill
from billing.models import Adjustment, Connection, PaymentPlan
from billing.moments import here
from billing.notes import ACCOUNTS, NoteRefusal, correct
from billing.orders import OrderRefusal, reconnect
from billing.statements import statement_of
from core.config import settings
from core.money import Money

BACK = timedelta(days=90)
NOTES = {"credit_note": "Credit note (she owes less)", "debit_note": "Debit note (she owes more)",
         "write_off": "Write off a debt"}  # fmt: skip
WHY_NOT = {
    "amount": "This amount is not possible: look at what is owed and what is held.", "reason": "Say why.",
    "account": "Choose an account.", "known": "This receipt is in the books already.",
    "channel": "Choose where the money is.", "days": "The first day is over.", "active": "There is a plan already.",
    "ended": "The plan has ended.", "state": "There is nothing to reconnect.",
    "owes": "She has not paid enough of the debt yet.",
}  # fmt: skip


class NoteForm(FormSchema):
    kind = choice(NOTES)
    amount = Number(places=2)
    account = choice(ACCOUNTS)
    reason = word(200)


class DepositForm(FormSchema):
    do = choice({"take": "", "use": "", "return": ""})
    amount = Number(places=2)
    channel = choice(deposits.CHANNELS, default="cash:bank")
    reference = word(60, required=False)


class PlanForm(FormSchema):
    amount = Number(places=2)
    count = whole(1, plans.MOST)
    first = calendar_day()


class DaysForm(FormSchema):
    first = calendar_day(required=False)
    last = calendar_day(required=False)


@page("/connections/<int:connection_id>/account", roles=EVERYONE)
def account(session: Session, connection_id: int) -> ResponseReturnValue:
    """The statement of some days, the open charges by age, deposits, the plan."""
    return _account(session, connection_id, Form())


@page("/connections/<int:connection_id>/notes", roles=BILLING, methods=("POST",))
def add_note(session: Session, connection_id: int) -> ResponseReturnValue:
    """Change what is owed, with a reason; over the limit it waits for a second person."""
    form = read(NoteForm(), request.form)
    if not form.fine:
        return _account(session, connection_id, form), 422
    minor = _minor(form.values["amount"])
    signed = minor if form.values["kind"] == "debit_note" else -minor
    made = correct(session, form.values["kind"], _known(session, connection_id).id, signed, form.values["account"],
                   form.values["reason"], officer().actor)  # fmt: skip
    return _told(connection_id, made, "It waits for a second person." if _waits(made) else "It is in the books.")


@page("/connections/<int:connection_id>/deposit", roles=MONEY, methods=("POST",))
def change_deposit(session: Session, connection_id: int) -> ResponseReturnValue:
    """Take, use or return a deposit."""
    form = read(DepositForm(), request.form)
    if not form.fine:
        return _account(session, connection_id, form), 422
    of = _known(session, connection_id).id
    amount, channel, by = Money.of(form.values["amount"], settings().currency), form.values["channel"], officer().actor
    done: object
    if form.values["do"] == "take":
        done = deposits.take_deposit(session, of, amount, channel, form.values["reference"] or "")
    elif form.values["do"] == "use":
        done = deposits.use_deposit(session, of, amount, by)
    else:
        done = deposits.return_deposit(session, of, amount, channel, by)
    return _told(connection_id, done, "The deposit is in the books.")


@page("/connections/<int:connection_id>/plan", roles=MONEY, methods=("POST",))
def make_plan(session: Session, connection_id: int) -> ResponseReturnValue:
    """Let the debt be paid in equal parts, every thirty days."""
    form = read(PlanForm(), request.form)
    if not form.fine:
        return _account(session, connection_id, form), 422
    parts = plans.shared_out(_minor(form.values["amount"]), form.values["count"])
    days = [form.values["first"] + timedelta(days=30 * place) for place in range(len(parts))]
    of = _known(session, connection_id).id
    done = plans.agree(session, of, list(zip(days, parts, strict=True)), officer().actor)
    return _told(connection_id, done, "The plan is made.")


@page("/connections/<int:connection_id>/plan/end", roles=MONEY, methods=("POST",))
def stop_plan(session: Session, connection_id: int) -> ResponseReturnValue:
    """End the plan: what is left of it is due now."""
    plan = plans.active_plan(session, connection_id) or abort(404)
    return _told(connection_id, plans.end_plan(session, plan.id, officer().actor), "The plan is ended.")


@page("/connections/<int:connection_id>/reconnect", roles=DEBTS, methods=("POST",))
def order_reconnection(session: Session, connection_id: int) -> ResponseReturnValue:
    """Order the supply back, with its fee."""
    done = reconnect(session, _known(session, connection_id).id, officer().actor)
    return _told(connection_id, done, "The order is given, and the fee is charged.")


def _account(session: Session, connection_id: int, form: Form) -> str:
    of = _known(session, connection_id)
    days = read(DaysForm(), request.args)
    last = days.values.get("last") or here()
    first: date = days.values.get("first") or last - BACK
    items = open_items(session, [of.id])
    plan = plans.active_plan(session, of.id)
    return render_template(
        "office/account.html",
        place=places(session, Connection.id == of.id)[0],
        statement=statement_of(session, of.id, first, last),
        days=filled(first=first, last=last),
        items=items,
        ages=buckets(items, here()),
        today=here(),
        held=deposits.held(session, of.id),
        plan=plan,
        parts=plans.instalments(session, plan) if plan else [],
        earlier=session.scalars(select(PaymentPlan).where(
            PaymentPlan.connection_id == of.id, PaymentPlan.status != "active")).all(),
        notes=session.scalars(select(Adjustment).where(Adjustment.connection_id == of.id)
                              .order_by(Adjustment.id.desc()).limit(10)).all(),
        expected=_expected(session, of),
        form=form,
        kinds=NOTES,
        accounts=ACCOUNTS,
        channels=deposits.CHANNELS,
    )  # fmt: skip


def _expected(session: Session, of: Connection) -> Expected | None:
    """The next bill, where it can be said."""
    found = forecast_bill(session, of, here())
    return found if isinstance(found, Expected) else None


def _known(session: Session, connection_id: int) -> Connection:
    return session.get(Connection, connection_id) or abort(404)


def _minor(amount: Decimal) -> int:
    return Money.of(amount, settings().currency).minor


def _waits(made: object) -> bool:
    return isinstance(made, Adjustment) and made.status == "proposed"


def _told(connection_id: int, done: object, words: str) -> ResponseReturnValue:
    refused = isinstance(done, NoteRefusal | deposits.DepositRefusal | plans.PlanRefusal | OrderRefusal)
    flash(WHY_NOT.get(getattr(done, "kind", ""), "This is not possible.") if refused else words,
          "bad" if refused else "good")  # fmt: skip
    return redirect(url_for("office.account", connection_id=connection_id), 303)
