"""A new version of a tariff, by a sheet or as JSON, with a calculator that is the real rating."""

import json
from datetime import date
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from admin_web.access import BILLING, EVERYONE, officer, page
from admin_web.forms import Form, FormSchema, calendar_day, filled, read
from admin_web.tariff_calculator import (
    SAMPLE_USAGE,
    Reckoned,
    first_told,
    reckon,
    reckon_draft,
    saved_versions,
)
from admin_web.tariff_lines import CHANGES, SheetError
from admin_web.tariff_sheet import COLUMNS, MODELS, ROWS, Row, rows_of, sheet_of, tariff_from
from billing.models import Tariff, TariffVersion
from billing.tariffs import add_version, version_in_force
from core.clock import today
from core.config import settings

LARGEST = 200_000  # characters of a tariff's file
REFUSALS = {
    "valid_from": ("valid_from", "The newest version begins on that day or later. A new one comes after it."),
    "billed": ("valid_from", "A month from that day on has been billed already. Choose a later day."),
}
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


@page("/tariffs/<int:tariff_id>/versions/new", roles=BILLING)
def new_version(session: Session, tariff_id: int) -> ResponseReturnValue:
    """Begin with the version in force: most new ones change a price or two."""
    tariff = session.get(Tariff, tariff_id) or abort(404)
    day = today(settings().utility_zone)
    current = version_in_force(session, tariff.id, day)
    fields, rows, simple = sheet_of(current.rules) if current else sheet_of(STARTER)
    form = filled(valid_from=day.isoformat(), usage=SAMPLE_USAGE, **fields)
    write = "json" if request.args.get("write") == "json" or not simple else "sheet"
    reckoned = reckon_draft(
        session, saved_versions(session, tariff.id), current.rules if current else STARTER, day, form
    )
    return _editor(tariff, form, rows, write, reckoned)


@page("/tariffs/<int:tariff_id>/versions/new", roles=BILLING, methods=("POST",))
def save_version(session: Session, tariff_id: int) -> ResponseReturnValue:
    """Add the version, or only calculate with it."""
    tariff = session.get(Tariff, tariff_id) or abort(404)
    form = read(VersionForm(), request.form)
    rows, write = rows_of(request.form), request.form.get("write", "sheet")
    saved, begins = saved_versions(session, tariff.id), form.values.get("valid_from")
    try:
        rules = tariff_from(request.form)
    except SheetError as error:
        form.refuse("form", str(error))
        return _editor(tariff, form, rows, write, Reckoned(wrong=str(error))), 422
    if request.form.get("do") == "calculate":
        form.errors.clear()
        return _editor(tariff, form, rows, write, reckon_draft(session, saved, rules, begins, form))
    if form.fine:
        added = add_version(session, tariff.id, form.values["valid_from"], rules, officer().actor)
        if isinstance(added, TariffVersion):
            flash("The version is saved.", "good")
            return redirect(url_for("office.tariff", tariff_id=tariff.id), 303)
        form.refuse(*REFUSALS.get(added.kind, ("form", first_told(added.errors))))
    return _editor(tariff, form, rows, write, reckon_draft(session, saved, rules, begins, form)), 422


@page("/tariffs/<int:tariff_id>/import", roles=BILLING, methods=("POST",), repeatable=True)
def import_version(session: Session, tariff_id: int) -> ResponseReturnValue:
    """A file of the documented JSON into the editor, where it is looked at and calculated with before it is saved."""
    tariff = session.get(Tariff, tariff_id) or abort(404)
    sent = request.files.get("file")
    text = sent.stream.read(LARGEST + 1).decode("utf-8", "replace") if sent else ""
    day = today(settings().utility_zone)
    form = filled(valid_from=day.isoformat(), usage=SAMPLE_USAGE, rules=text[:LARGEST])
    try:
        rules = tariff_from(MultiDict({"write": "json", "rules": text[:LARGEST]}))
    except SheetError as error:
        form.refuse("form", str(error))
        return _editor(tariff, form, [], "json", Reckoned(wrong=str(error))), 422
    form = filled(valid_from=day.isoformat(), usage=SAMPLE_USAGE, rules=json.dumps(rules, indent=2, ensure_ascii=False))
    return _editor(
        tariff, form, [], "json", reckon_draft(session, saved_versions(session, tariff.id), rules, day, form)
    )


@page("/tariffs/versions/<int:version_id>/json", roles=EVERYONE)
def export_version(session: Session, version_id: int) -> ResponseReturnValue:
    """The version as the documented JSON, to keep or to import elsewhere."""
    version = session.get(TariffVersion, version_id) or abort(404)
    text = json.dumps(version.rules, indent=2, ensure_ascii=False) + "\n"
    name = f"tariff-{version.tariff_id}-{version.valid_from:%Y-%m-%d}.json"
    return Response(
        text, mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@page("/tariffs/calculate", roles=EVERYONE, methods=("POST",), repeatable=True)
def calculate(session: Session) -> ResponseReturnValue:
    """The bill for a usage by the sheet as it is typed, among the versions of `tariff`: a part of the editor."""
    form, saved = Form(raw=request.form), saved_versions(session, request.args.get("tariff", default=0, type=int))
    try:
        reckoned = reckon_draft(
            session, saved, tariff_from(request.form), _begins(request.form.get("valid_from")), form
        )
    except SheetError as error:
        reckoned = Reckoned(wrong=str(error))
    return render_template("office/_reckoned.html", reckoned=reckoned)


@page("/tariffs/<int:tariff_id>/calculate", roles=EVERYONE)
def calculate_saved(session: Session, tariff_id: int) -> ResponseReturnValue:
    """The bill for a usage over days by the versions that are saved: a part of the tariff's page."""
    if session.get(Tariff, tariff_id) is None:
        abort(404)
    reckoned = reckon(session, saved_versions(session, tariff_id), Form(raw=request.args))
    return render_template("office/_reckoned.html", reckoned=reckoned)


def _begins(typed: str | None) -> date | None:
    try:
        return date.fromisoformat(typed or "")
    except ValueError:
        return None


def _editor(tariff: Tariff, form: Form, rows: list[Row], write: str, reckoned: Reckoned) -> str:
    spare = max(ROWS - len(rows), 1)
    return render_template(
        "office/tariff_version.html",
        tariff=tariff,
        form=form,
        rows=[*rows, *(dict.fromkeys(COLUMNS, "") for _ in range(spare))],
        write=write,
        models=MODELS,
        changes=CHANGES,
        reckoned=reckoned,
    )
