"""A new version of a tariff, by a sheet or as JSON, with a calculator that is the real rating."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from admin_web.access import CLERKS, EVERYONE, officer, page
from admin_web.forms import Form, FormSchema, Number, calendar_day, filled, read
from admin_web.tariff_sheet import COLUMNS, MODELS, ROWS, Row, SheetError, rows_of, sheet_of, tariff_from
from billing.models import Tariff, TariffVersion
from billing.rating import Bill, rate
from billing.rules import Period
from billing.tariff_form import read_tariff
from billing.tariffs import add_version, version_in_force
from core.clock import today
from core.config import settings

SAMPLE_USAGE = "17"
REFUSALS = {
    "valid_from": ("valid_from", "The newest version begins on that day or later. A new one comes after it."),
    "billed": ("valid_from", "A month from that day on has been billed already. Choose a later day."),
}
MONTH = Period(days=Decimal(30))
STARTER: dict[str, Any] = {
    "model": "graduated",
    "tiers": [
        {"from": "0", "to": "6", "rate": "50"},
        {"from": "6", "to": "20", "rate": "65"},
        {"from": "20", "to": None, "rate": "85"},
    ],
    "fixed_charges": [{"name": "meter_rent", "amount": "50"}],
    "rounding": {"line": "0.01"},
}
"""What the sheet of a tariff without a version begins with: something to change, not an empty table."""


class VersionForm(FormSchema):
    valid_from = calendar_day()


class UsageForm(FormSchema):
    usage = Number(most=10**7)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a usage costs by the tariff on the page: the bill line by line, or why there is none."""

    bill: Bill | None = None
    wrong: str = ""


def reckon(tariff: Mapping[str, Any], form: Form) -> Reckoned:
    """The bill for a month with the form's usage, by the rating that bills customers too."""
    asked = read(UsageForm(), form.raw)
    if not asked.fine:
        return Reckoned(wrong=f"The usage: {asked.errors['usage']}")
    try:
        return Reckoned(rate(read_tariff(tariff), asked.values["usage"], MONTH))
    except ValidationError as error:
        return Reckoned(wrong=first_told(error.messages))


def first_told(told: object) -> str:
    """The first thing that is wrong with a tariff, with the way to it: "tiers, 2, rate: Not a valid number."."""
    way: list[str] = []
    while isinstance(told, dict) and told:
        name, told = next(iter(told.items()))
        way.append(str(name + 1 if isinstance(name, int) else name))
    words = str(told[0] if isinstance(told, list) and told else told)
    return words if way in ([], ["_schema"]) else f"{', '.join(way)}: {words}"


@page("/tariffs/<int:tariff_id>/versions/new", roles=CLERKS)
def new_version(session: Session, tariff_id: int) -> ResponseReturnValue:
    """Begin with the version in force: most new ones change a price or two."""
    tariff = session.get(Tariff, tariff_id) or abort(404)
    day = today(settings().utility_zone)
    current = version_in_force(session, tariff.id, day)
    fields, rows, simple = sheet_of(current.rules) if current else sheet_of(STARTER)
    form = filled(valid_from=day.isoformat(), usage=SAMPLE_USAGE, **fields)
    write = "json" if request.args.get("write") == "json" or not simple else "sheet"
    return _editor(tariff, form, rows, write, reckon(current.rules if current else STARTER, form))


@page("/tariffs/<int:tariff_id>/versions/new", roles=CLERKS, methods=("POST",))
def save_version(session: Session, tariff_id: int) -> ResponseReturnValue:
    """Add the version, or only calculate with it."""
    tariff = session.get(Tariff, tariff_id) or abort(404)
    form = read(VersionForm(), request.form)
    rows, write = rows_of(request.form), request.form.get("write", "sheet")
    try:
        rules = tariff_from(request.form)
    except SheetError as error:
        form.refuse("form", str(error))
        return _editor(tariff, form, rows, write, Reckoned(wrong=str(error))), 422
    if request.form.get("do") == "calculate":
        form.errors.clear()
        return _editor(tariff, form, rows, write, reckon(rules, form))
    if form.fine:
        added = add_version(session, tariff.id, form.values["valid_from"], rules, officer().actor)
        if isinstance(added, TariffVersion):
            flash("The version is saved.", "good")
            return redirect(url_for("office.tariff", tariff_id=tariff.id), 303)
        form.refuse(*REFUSALS.get(added.kind, ("form", first_told(added.errors))))
    return _editor(tariff, form, rows, write, reckon(rules, form)), 422


@page("/tariffs/calculate", roles=EVERYONE, methods=("POST",), repeatable=True)
def calculate(_session: Session) -> ResponseReturnValue:
    """The bill for a usage by the sheet as it is typed: a part of the editor."""
    form = Form(raw=request.form)
    try:
        reckoned = reckon(tariff_from(request.form), form)
    except SheetError as error:
        reckoned = Reckoned(wrong=str(error))
    return render_template("office/_reckoned.html", reckoned=reckoned)


@page("/tariffs/versions/<int:version_id>/calculate", roles=EVERYONE)
def calculate_version(session: Session, version_id: int) -> ResponseReturnValue:
    """The bill for a usage by a version that is saved: a part of the tariff's page."""
    version = session.get(TariffVersion, version_id) or abort(404)
    return render_template("office/_reckoned.html", reckoned=reckon(version.rules, Form(raw=request.args)))


def _editor(tariff: Tariff, form: Form, rows: list[Row], write: str, reckoned: Reckoned) -> str:
    spare = max(ROWS - len(rows), 1)
    return render_template(
        "office/tariff_version.html",
        tariff=tariff,
        form=form,
        rows=[*rows, *(dict.fromkeys(COLUMNS, "") for _ in range(spare))],
        write=write,
        models=MODELS,
        reckoned=reckoned,
    )
