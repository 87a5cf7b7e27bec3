"""The documented JSON of a tariff version, read and checked, and written back in one canonical form."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from billing.rules import CHANGES, MODELS, ZERO, Package, TariffRules
from billing.tariff_parts import (
    NOT_NEGATIVE,
    POSITIVE,
    BoundProrationForm,
    BudgetForm,
    FixedByUsageForm,
    FixedChargeForm,
    Form,
    Number,
    PercentageForm,
    RoundingForm,
    ScheduleForm,
    SewerForm,
    UnitChargeForm,
    ascending,
    blocks,
)


class _Tariff(Form):
    model = fields.String(required=True, validate=validate.OneOf(MODELS))
    tiers = blocks()
    package_size = Number(validate=POSITIVE)
    package_price = Number()
    free_units = Number(validate=NOT_NEGATIVE)
    schedules = fields.List(fields.Nested(ScheduleForm), validate=validate.Length(min=1))
    bound_proration = fields.Nested(BoundProrationForm, allow_none=True)
    bound_round = Number(allow_none=True, validate=POSITIVE)
    budget = fields.Nested(BudgetForm, allow_none=True)
    on_change = fields.String(validate=validate.OneOf(CHANGES))
    seasonal = fields.Dict(keys=fields.String(), values=Number(validate=NOT_NEGATIVE))
    season_months = fields.Dict(
        keys=fields.String(), values=fields.List(fields.Integer(validate=validate.Range(1, 12)))
    )
    minimum_usage_charge = Number(allow_none=True, validate=NOT_NEGATIVE)
    minimum = Number(allow_none=True, validate=NOT_NEGATIVE)
    fixed_charges = fields.List(fields.Nested(FixedChargeForm))
    fixed_by_usage = fields.Nested(FixedByUsageForm, allow_none=True)
    per_unit_charges = fields.List(fields.Nested(UnitChargeForm))
    percent_charges = fields.List(fields.Nested(PercentageForm))
    sewer = fields.Nested(SewerForm, allow_none=True)
    taxes = fields.List(fields.Nested(PercentageForm))
    rounding = fields.Nested(RoundingForm, allow_none=True)

    @validates_schema
    def complete(self, data: dict[str, Any], **_: Any) -> None:
        model = data.get("model")
        if model in ("graduated", "volume", "band") and "tiers" not in data:
            raise ValidationError("This charging model needs its blocks.", "tiers")
        if model == "package" and not {"package_size", "package_price"} <= data.keys():
            raise ValidationError("A package has a size and a price.", "package_size")
        if model == "schedule_by_total":
            if "schedules" not in data:
                raise ValidationError("This charging model needs its schedules.", "schedules")
            try:
                ascending([schedule.max_total for schedule in data["schedules"]])
            except ValidationError as error:
                raise ValidationError(error.messages, "schedules") from None
        _bases_known(data)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> TariffRules:
        rounding = data.pop("rounding", None) or {}
        package, free_units = None, data.pop("free_units", ZERO)
        if data["model"] == "package":
            package, free_units = Package(data["package_size"], data["package_price"], free_units), ZERO
        for name in ("package_size", "package_price"):
            data.pop(name, None)
        # The quantum of a bound is written inside the proration or beside it.
        bound_round, proration = data.pop("bound_round", None), data.get("bound_proration")
        if bound_round is not None and proration is not None:
            data["bound_proration"] = replace(proration, round_bound=bound_round)
        if "season_months" in data:
            data["season_months"] = {season: tuple(months) for season, months in data["season_months"].items()}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return TariffRules(
            package=package,
            free_units=free_units,
            round_line=rounding.get("line"),
            round_total=rounding.get("total"),
            **values,
        )


GROUPS = {"usage", "fixed", "sewer", "levy"}


def _bases_known(data: Mapping[str, Any]) -> None:
    """A percentage of a charge that is not there would silently be nothing."""
    known = GROUPS | {charge.name for charge in data.get("fixed_charges", ())}
    known |= {charge.name for charge in data.get("per_unit_charges", ())}
    if data.get("fixed_by_usage"):
        known |= {data["fixed_by_usage"].name}
    for kind in ("percent_charges", "taxes"):
        for percentage in data.get(kind, ()):
            strange = set(percentage.base or ()) - known
            if strange:
                raise ValidationError(f"There is no charge named {', '.join(sorted(strange))}.", kind)
            known.add(percentage.name)


_TARIFF = _Tariff()


def read_tariff(raw: object) -> TariffRules:
    """The rules that the JSON of a tariff means. Raises marshmallow's ValidationError, by field."""
    if not isinstance(raw, Mapping):
        raise ValidationError("A tariff is an object.")
    loaded: TariffRules = _TARIFF.load(raw)
    return loaded


def canonical(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The same JSON with every decimal as a string, ready to be stored: nothing of it is ever read as a float."""
    return {name: _exact(value) for name, value in raw.items()}


def _exact(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal | float):
        return f"{Decimal(str(value)):f}"
    if isinstance(value, Mapping):
        return {name: _exact(item) for name, item in value.items()}
    return [_exact(item) for item in value]
