"""Is the day right? Channel by channel what the provider, the ledger and the bank say, and what waits."""

from datetime import date, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, officer, page
from billing.moments import here
from payments.bank_statement import open_lines
from payments.matching_models import DayClosing, DayDifference
from payments.receipts import label_of
from payments.reconciliation import close_day, days, decide_difference, differences, prepare
from payments.suspense import held

SHOWN = 14
STATES = {
    "open": ("warn", "Open"), "closed": ("good", "Closed"), "gone": ("off", "Gone by itself"),
    "decided": ("good", "Decided"),
}  # fmt: skip
KINDS = {
    "not_in_ledger": "The provider has it, the books do not", "not_at_provider": "The books have it, the provider not",
    "amount": "Another amount", "drawer": "The drawer was not what it should be",
}  # fmt: skip
WHY_NOT = {
    "today": "Today is not over yet.", "open": "Differences are open. Decide about each first.",
    "closed": "It was closed before.",
}  # fmt: skip


@page("/reconciliation", roles=DESK)
def reconciliation(session: Session) -> ResponseReturnValue:
    """The last fourteen days, and all that is open."""
    last = here()
    rows: dict[date, list[DayClosing]] = {}
    for one in days(session, last - timedelta(days=SHOWN), last):
        rows.setdefault(one.day, []).append(one)
    waiting = differences(session)
    count, money = held(session)
    return render_template(
        "office/reconciliation.html", rows=rows, waiting=waiting, kinds=KINDS, states=STATES, label_of=label_of,
        suspense=(count, money), lines=len(open_lines(session)), opened={one.day for one in waiting}, today=last,
    )  # fmt: skip


@page("/reconciliation/<day>", roles=DESK)
def reconciled_day(session: Session, day: str) -> ResponseReturnValue:
    """One day, channel by channel: it is right, or here is why not."""
    on = _day(day)
    rows = days(session, on, on)
    found = differences(session, on)
    agrees = all(one.provider_minor in (None, one.ledger_minor) for one in rows)
    return render_template(
        "office/reconciled_day.html", day=on, rows=rows, found=found, kinds=KINDS, states=STATES, agrees=agrees,
        label_of=label_of, today=here(), open=[one for one in found if one.status == "open"],
        closed=bool(rows) and all(one.status == "closed" for one in rows),
    )  # fmt: skip


@page("/reconciliation/<day>/prepare", roles=MONEY, methods=("POST",))
def prepare_day(session: Session, day: str) -> ResponseReturnValue:
    """Reckon it anew, now."""
    on = _day(day)
    if on > here():
        abort(404)
    prepare(session, on)
    flash("Reckoned anew.", "good")
    return redirect(url_for("office.reconciled_day", day=on), 303)


@page("/reconciliation/<day>/close", roles=MONEY, methods=("POST",))
def close_reconciled(session: Session, day: str) -> ResponseReturnValue:
    """Say that the day is right."""
    on = _day(day)
    refused = close_day(session, on, officer().actor, request.form.get("note", "").strip()[:200])
    flash(WHY_NOT[refused.kind] if refused else "The day is closed.", "bad" if refused else "good")
    return redirect(url_for("office.reconciled_day", day=on), 303)


@page("/reconciliation/differences/<int:difference_id>", roles=MONEY, methods=("POST",))
def decide_one_difference(session: Session, difference_id: int) -> ResponseReturnValue:
    """Say why a difference stays."""
    one = session.get(DayDifference, difference_id) or abort(404)
    done = decide_difference(session, one.id, request.form.get("decision", "")[:200], officer().actor)
    flash("Decided." if done else "Say why it stays. It may have gone in the meantime.", "good" if done else "bad")
    return redirect(url_for("office.reconciled_day", day=one.day), 303)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        abort(404)
