"""The cash desk: a day is opened, payments are taken with a second look, and the day is closed on counted cash."""

from urllib.parse import urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from admin_web.access import ADMINISTRATORS, DESK, MONEY, officer, page
from admin_web.forms import Form, FormSchema, Number, choice, filled, read, word
from admin_web.paging import listed
from admin_web.places import account_numbers
from billing.customers import find_connection
from billing.ledger import balance_of
from billing.models import Connection, Customer
from billing.moments import here
from core.config import settings
from core.money import Money
from payments.cashier import DeskRefusal, objection, offices, open_day, open_day_of, take
from payments.closing import close, counted, expected, faces, takings
from payments.desk_models import DeskDay, DeskPayment
from payments.models import Receipt

METHODS = {"cash": "Cash", "cheque": "Cheque", "bank": "Bank slip"}
WHY_NOT = {
    "office": "There is no such office.", "open": "Your day is open already.",
    "old": "An earlier day of yours is still open. Close it first.",
    "closed": "This day is closed. It takes no more entries.", "account": "There is no such account.",
    "amount": "Write an amount above zero.", "reference": "Write the number of the cheque or slip; cash has none.",
    "known": "This cheque or slip was taken before.", "reason": "Say why the cash is not what the books say.",
    "kept": "That is more than was counted.",
}  # fmt: skip
STATES = {"open": ("busy", "Open"), "closed": ("good", "Closed")}


class TakeForm(FormSchema):
    account = word(24)
    amount = Number(places=2)
    method = choice(METHODS, default="cash")
    payer = word(60)
    bank = word(40, required=False)
    reference = word(40, required=False)


class CloseForm(FormSchema):
    cents = Number(places=2, required=False)
    kept = Number(places=2, required=False)
    reason = word(200, required=False)


@page("/desk", roles=DESK)
def desk(session: Session) -> ResponseReturnValue:
    """My day: what I took, what is in my drawer, and the form for the next one."""
    day = open_day_of(session, officer().username)
    found = None
    if day is not None:
        mine = (
            select(Receipt).join(DeskPayment, DeskPayment.receipt_id == Receipt.id).where(DeskPayment.day_id == day.id)
        )
        found = listed(session, mine, [Receipt.id], newest_first=True)
    rows = found.rows if found else []
    return render_template(
        "office/desk.html", day=day, found=found, offices=offices(), today=here(),
        form=filled(method="cash", account=request.args.get("account", "")[:24]),
        methods=METHODS, accounts=account_numbers(session, [one.connection_id for one in rows]),
        takings=takings(session, day) if day else [], drawer=expected(session, day) if day else None,
    )  # fmt: skip


def _of_day(day: DeskDay) -> Select[tuple[Receipt]]:
    return select(Receipt).join(DeskPayment, DeskPayment.receipt_id == Receipt.id).where(DeskPayment.day_id == day.id)


@page("/desk/open", roles=MONEY, methods=("POST",))
def open_desk(session: Session) -> ResponseReturnValue:
    """Begin the day at an office."""
    done = open_day(session, officer().username, request.form.get("office", ""))
    if isinstance(done, DeskRefusal):
        flash(WHY_NOT[done.kind], "bad")
    else:
        flash("Your day is open.", "good")
    return redirect(url_for("office.desk"), 303)


@page("/desk/take", roles=MONEY, methods=("GET", "POST"))
def take_payment(session: Session) -> ResponseReturnValue:
    """Who pays what for which account; look at it once more; take it."""
    sent = request.form if request.method == "POST" else request.args
    form = read(TakeForm(), sent)
    place, amount = _checked(session, form)
    if request.method == "POST" and form.fine and place is not None:
        values = form.values
        done = take(session, officer().username, place.id, amount, values["method"], values["payer"],
                    values["bank"] or "", values["reference"] or "")  # fmt: skip
        if isinstance(done, Receipt):
            flash(f"Taken: {done.receipt}. The customer gets an SMS.", "good")
            return redirect(url_for("office.receipt", receipt_id=done.id), 303)
        form.refuse("form", WHY_NOT[done.kind])
    shown = place if form.fine else None
    owner = session.get(Customer, shown.customer_id) if shown and shown.customer_id else None
    balance = balance_of(session, shown.id) if shown else None
    return render_template(
        "office/desk_take.html", form=form, methods=METHODS, place=shown, owner=owner, amount=amount, before=balance,
        after=balance - amount if balance is not None else None, again="?" + urlencode(dict(sent)),
    ), 200 if form.fine else 422  # fmt: skip


def _checked(session: Session, form: Form) -> tuple[Connection | None, Money]:
    """The account and the amount that are meant; what is wrong is said in the form."""
    nothing = Money.zero(settings().currency)
    if not form.fine:
        return None, nothing
    place = find_connection(session, form.values["account"])
    if place is None:
        form.refuse("account", "There is no such account.")
    try:
        amount = Money.of(form.values["amount"], settings().currency)
    except ValueError:
        form.refuse("amount", "There is no such coin.")
        return place, nothing
    reference = "".join((form.values["reference"] or "").upper().split())
    bank = " ".join((form.values["bank"] or "").upper().split())
    refused = objection(session, officer().username, amount, form.values["method"], bank, reference)
    if refused is not None:
        field = refused.kind if refused.kind in ("amount", "reference") else "form"
        form.refuse("reference" if refused.kind == "known" else field, WHY_NOT[refused.kind])
    return place, amount


@page("/desk/days", roles=DESK)
def desk_days(session: Session) -> ResponseReturnValue:
    """Every cashier's days, the latest first."""
    found = listed(session, select(DeskDay), [DeskDay.id], newest_first=True)
    return render_template("office/desk_days.html", found=found, states=STATES, offices=offices())


@page("/desk/days/<int:day_id>", roles=DESK)
def desk_day(session: Session, day_id: int) -> ResponseReturnValue:
    """One day: what it took by method, and how it was closed."""
    day = session.get(DeskDay, day_id) or abort(404)
    found = listed(session, _of_day(day), [Receipt.id], newest_first=True)
    return render_template(
        "office/desk_day.html", day=day, found=found, takings=takings(session, day), states=STATES, methods=METHODS,
        accounts=account_numbers(session, [one.connection_id for one in found.rows]), offices=offices(),
    )  # fmt: skip


@page("/desk/days/<int:day_id>/close", roles=MONEY, methods=("GET", "POST"))
def close_desk(session: Session, day_id: int) -> ResponseReturnValue:
    """Count the drawer. One's own day, or anybody's for an administrator."""
    day = session.get(DeskDay, day_id) or abort(404)
    if day.cashier != officer().username and officer().role not in ADMINISTRATORS:
        abort(403)
    if day.status == "closed":
        flash(WHY_NOT["closed"], "note")
        return redirect(url_for("office.desk_day", day_id=day.id), 303)
    form, books = Form(), expected(session, day)
    if request.method == "POST":
        form = read(CloseForm(), request.form)
        if form.fine and (done := _closed(session, day, form)) is not None:
            return done
    count = {face: request.form.get(f"face-{face}", "") for face in faces(settings().currency)}
    return render_template(
        "office/desk_close.html", day=day, form=form, books=books, count=count, takings=takings(session, day),
        methods=METHODS,
    ), 200 if form.fine else 422  # fmt: skip


def _closed(session: Session, day: DeskDay, form: Form) -> ResponseReturnValue | None:
    """Close it on what was counted; None with the form saying what is wrong."""
    currency = settings().currency
    count: dict[int, int] = {}
    for face in faces(currency):
        written = request.form.get(f"face-{face}", "").strip() or "0"
        if not (written.isascii() and written.isdigit() and len(written) < 7):
            form.refuse("form", f"How many of {face} is not a whole number.")
            return None
        count[face] = int(written)
    try:
        cents = Money.of(form.values["cents"] or 0, currency).minor
        kept = Money.of(form.values["kept"] or 0, currency)
    except ValueError:
        form.refuse("cents", "There is no such coin.")
        return None
    done = close(session, day.id, count, cents, kept, form.values["reason"] or "", officer().actor)
    if isinstance(done, DeskRefusal):
        cash = counted(count, cents, currency)
        more = f" You counted {cash}, the books say {expected(session, day)}." if done.kind == "reason" else ""
        form.refuse(done.kind if done.kind in ("reason", "kept") else "form", WHY_NOT[done.kind] + more)
        return None
    flash("The day is closed.", "good")
    return redirect(url_for("office.desk_day", day_id=day.id), 303)
