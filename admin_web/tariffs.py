"""Tariffs: the list, a new one, its versions in time and what a usage costs by it."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from admin_web.access import BILLING, EVERYONE, page
from admin_web.customers import KINDS
from admin_web.forms import FormSchema, choice, filled, read, word
from admin_web.tariff_calculator import SAMPLE_USAGE, reckon, saved_versions
from admin_web.tariff_lines import CHANGES
from admin_web.tariff_sheet import MODELS, sheet_of
from billing.models import Connection, Tariff, TariffVersion
from billing.tariffs import add_tariff, is_used, version_in_force
from core.clock import today
from core.config import settings


class TariffForm(FormSchema):
    name = word(80)
    customer_class = choice(KINDS)


@page("/tariffs", roles=EVERYONE)
def tariffs(session: Session) -> ResponseReturnValue:
    """Every tariff with the version in force today."""
    day = today(settings().utility_zone)
    rows = session.scalars(select(Tariff).order_by(Tariff.name)).all()
    return render_template(
        "office/tariffs.html",
        rows=rows,
        now={tariff.id: version_in_force(session, tariff.id, day) for tariff in rows},
        in_use=_in_use(session, [tariff.id for tariff in rows]),
        kinds=KINDS,
    )


@page("/tariffs/new", roles=BILLING, methods=("GET", "POST"))
def new_tariff(session: Session) -> ResponseReturnValue:
    """A tariff by its name; its prices follow in a version."""
    form = filled(customer_class="domestic")
    if request.method == "POST":
        form = read(TariffForm(), request.form)
        if form.fine:
            made = add_tariff(session, form.values["name"], form.values["customer_class"])
            if made is not None:
                flash("Now say what it charges.", "note")
                return redirect(url_for("office.new_version", tariff_id=made.id), 303)
            form.refuse("name", "There is a tariff of this name already.")
    return render_template("office/tariff_new.html", form=form, kinds=KINDS), 200 if form.fine else 422


@page("/tariffs/<int:tariff_id>", roles=EVERYONE)
def tariff(session: Session, tariff_id: int) -> ResponseReturnValue:
    """One tariff: its versions, the one in force marked, and a calculator of it."""
    one = session.get(Tariff, tariff_id) or abort(404)
    day = today(settings().utility_zone)
    versions = session.scalars(
        select(TariffVersion).where(TariffVersion.tariff_id == one.id).order_by(TariffVersion.valid_from.desc())
    ).all()
    current = version_in_force(session, one.id, day)
    asked = {name: request.args.get(name, "") for name in ("usage", "since", "until", "meter_mm")}
    asked["usage"] = asked["usage"] or SAMPLE_USAGE
    begun = [
        version
        for version in saved_versions(session, one.id)
        if current is None or version.valid_from <= current.valid_from
    ]
    return render_template(
        "office/tariff.html",
        tariff=one,
        versions=versions,
        used={version.id for version in versions if is_used(session, version.id)},
        current=current,
        reckoned=reckon(session, begun if not asked["since"] else saved_versions(session, one.id), filled(**asked)),
        asked=asked,
        day_now=day,
        sheets={version.id: sheet_of(version.rules) for version in versions},
        models=MODELS,
        changes=CHANGES,
        kinds=KINDS,
    )


def _in_use(session: Session, tariffs: list[int]) -> set[int]:
    """Those that a connection has. Nothing is counted: there may be millions."""
    has = exists().where(Connection.tariff_id == Tariff.id)
    return set(session.scalars(select(Tariff.id).where(Tariff.id.in_(tariffs), has)))
