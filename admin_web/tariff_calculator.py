"""The calculator beside a tariff: a usage over days, line by line, with each version's part; by the real rating."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.forms import Form, FormSchema, Number, calendar_day, read, whole
from billing.levies import rates_in
from billing.models import TariffVersion
from billing.months import month_of
from billing.rating import Bill, rate_parts
from billing.segments import Plan, Slice, Span, Version, plan, service
from billing.tariff_form import read_tariff
from billing.tariffs import rules_of

SAMPLE_USAGE = "17"
LONGEST = 3 * 366
MONTH = 30
DAY = timedelta(days=1)


class CalculatorForm(FormSchema):
    usage = Number(most=10**7)
    since = calendar_day(required=False)
    until = calendar_day(required=False)
    meter_mm = whole(5, 2000, required=False)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a usage costs by the tariff on the page: the bill line by line with its parts, or why there is none."""

    bill: Bill | None = None
    parts: list[tuple[Slice, Decimal]] = field(default_factory=list)
    wrong: str = ""


def saved_versions(session: Session, tariff_id: int) -> list[Version]:
    """The tariff's versions as they are kept, in time."""
    query = select(TariffVersion).where(TariffVersion.tariff_id == tariff_id).order_by(TariffVersion.valid_from)
    return [Version(one.id, one.valid_from, one.valid_to, rules_of(one)) for one in session.scalars(query)]


def with_draft(saved: list[Version], tariff: Mapping[str, Any], valid_from: date | None) -> list[Version]:
    """The versions as they would be with a new one from a day on; alone where that day is not known.

    Raises marshmallow's ValidationError where `tariff` is none.
    """
    rules = read_tariff(tariff)
    if valid_from is None:
        return [Version(0, date.min, None, rules)]
    before = [one for one in saved if one.valid_from < valid_from]
    if before:
        before[-1] = replace(before[-1], valid_to=valid_from - DAY)
    return [*before, Version(0, valid_from, None, rules)]


def reckon(session: Session, versions: list[Version], form: Form) -> Reckoned:
    """The bill for the form's usage: over its days, or over a month of 30 days from the newest version's first."""
    asked = read(CalculatorForm(), form.raw)
    if not asked.fine:
        name, why = next(iter(asked.errors.items()))
        return Reckoned(wrong=f"{NAMES[name]}: {why}")
    span = _span(asked.values, versions)
    if isinstance(span, str):
        return Reckoned(wrong=span)
    planned = plan(versions, span, rates_in(session, month_of(span.until)))
    if planned is None:
        return Reckoned(wrong="No version is in force on these days.")
    return rated(planned, asked.values["usage"])


def rated(planned: Plan, usage: Decimal) -> Reckoned:
    """The usage by a plan, with its parts where there are several."""
    parts = planned.parts(usage)
    try:
        bill = rate_parts(parts)
    except ValueError as error:
        return Reckoned(wrong=f"{error}.".capitalize())
    shown = [(one, part.usage) for one, part in zip(planned.slices, parts, strict=True)]
    return Reckoned(bill, shown if len(shown) > 1 or planned.slices[0].period.seasons else [])


NAMES = {"usage": "The usage", "since": "The first day", "until": "The last day", "meter_mm": "The meter's size"}


def _span(values: Mapping[str, Any], versions: list[Version]) -> Span | str:
    first, last = values["since"], values["until"]
    if (first is None) != (last is None):
        return "Give the first and the last day, or neither."
    if first is None:
        begin = max((one.valid_from for one in versions), default=date.min)
        begin = max(begin, date(1, 1, 2))
        return Span(begin - DAY, begin + timedelta(days=MONTH - 1), meter_mm=values["meter_mm"])
    if not 0 <= (last - first).days < LONGEST or first.year < 2:
        return "The last day comes after the first, within three years."
    # Both are days of use and of service; a month's first to its last day is one billing period.
    cycles, owed = service(first, month_of(last), last)
    return Span(first - DAY, last, cycles, owed, meter_mm=values["meter_mm"])


def first_told(told: object) -> str:
    """The first thing that is wrong with a tariff, with the way to it: "tiers, 2, rate: Not a valid number."."""
    way: list[str] = []
    while isinstance(told, dict) and told:
        name, told = next(iter(told.items()))
        way.append(str(name + 1 if isinstance(name, int) else name))
    words = str(told[0] if isinstance(told, list) and told else told)
    return words if way in ([], ["_schema"]) else f"{', '.join(way)}: {words}"


def reckon_draft(
    session: Session, saved: list[Version], tariff: Mapping[str, Any], valid_from: date | None, form: Form
) -> Reckoned:
    """The bill by a tariff that is still being written, among the versions that are saved."""
    try:
        return reckon(session, with_draft(saved, tariff, valid_from), form)
    except ValidationError as error:
        return Reckoned(wrong=first_told(error.messages))
