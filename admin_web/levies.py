"""Levies that are gazetted month by month: their rates, and a form for the next one."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from admin_web.access import BILLING, EVERYONE, officer, page
from admin_web.forms import NEEDED, FormSchema, calendar_day, filled, read
from billing.levies import LevyRefusal, add_rate, rates_of, series_named
from billing.tariff_parts import NAME
from core.clock import today
from core.config import settings

REFUSALS = {
    "known": "This levy has a rate for that month already.",
    "billed": "A reading of that month or of a later one has been billed with this levy already.",
}


class RateForm(FormSchema):
    series = fields.String(required=True, validate=NAME, error_messages=NEEDED)
    month = calendar_day()
    rate = fields.Decimal(
        required=True,
        allow_nan=False,
        validate=validate.Range(-(10**6), 10**6, error="At most a million either way."),
        error_messages=NEEDED | {"invalid": "Write a number, such as 3.59 or -1.2."},
    )


@page("/levies", roles=EVERYONE)
def levies(session: Session) -> ResponseReturnValue:
    """Every rate, by levy, the newest first."""
    return _page(session, filled(month=today(settings().utility_zone).replace(day=1).isoformat()))


@page("/levies", roles=BILLING, methods=("POST",))
def add_levy(session: Session) -> ResponseReturnValue:
    """Enter the rate of a month."""
    form = read(RateForm(), request.form)
    if form.fine:
        values = form.values
        added = add_rate(session, values["series"], values["month"], values["rate"], officer().actor)
        if not isinstance(added, LevyRefusal):
            flash(f"{added.series} is {added.rate.normalize():f} from {added.month:%B %Y} on.", "good")
            return redirect(url_for("office.levies"), 303)
        form.refuse("month", REFUSALS[added.kind])
    return _page(session, form), 422


def _page(session: Session, form: object) -> str:
    rates = [(one, f"{one.rate.normalize():f}") for one in rates_of(session)]
    return render_template("office/levies.html", rates=rates, named=series_named(session), form=form)
