"""The parts of a tariff's documented JSON: blocks, schedules, charges, taxes."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from billing.rules import (
    ZERO,
    BoundProration,
    Bracket,
    Budget,
    FixedByUsage,
    FixedCharge,
    Percentage,
    Schedule,
    Sewer,
    Tier,
    UnitCharge,
)

POSITIVE = validate.Range(min=ZERO, min_inclusive=False)
NOT_NEGATIVE = validate.Range(min=ZERO)
NAME = validate.Regexp(r"\A\w[\w .,:;/%&+'()\"*#°²³-]{0,59}\Z")


class Number(fields.Decimal):
    """An exact, finite decimal; it is written as a string, so that no reader makes a float of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(as_string=True, allow_nan=False, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else f"{value:f}"


class Form(Schema):
    class Meta:
        unknown = RAISE


class TierForm(Form):
    above = Number(data_key="from", required=True, validate=NOT_NEGATIVE)
    to = Number(allow_none=True, load_default=None, validate=POSITIVE)
    rate = Number(load_default=None)
    flat = Number(allow_none=True, load_default=None)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Tier:
        if data["rate"] is None and data["flat"] is None:
            raise ValidationError("A block has a rate, or a flat amount alone.", "rate")
        return Tier(data["above"], data["to"], data["rate"] or ZERO, data["flat"] or ZERO)


def blocks(**options: Any) -> fields.List[Tier]:
    """A field of continuous blocks."""
    return fields.List(fields.Nested(TierForm), validate=[validate.Length(min=1), _continuous], **options)


def _continuous(tiers: list[Tier]) -> None:
    if tiers and tiers[0].above != 0:
        raise ValidationError("The first block begins at 0.")
    for tier, following in pairwise(tiers):
        if tier.to is None or tier.to != following.above:
            raise ValidationError("Each block begins where the one before it ends.")
    if any(tier.to is not None and tier.to <= tier.above for tier in tiers):
        raise ValidationError("A block ends above its beginning.")


def ascending(ends: list[Decimal | None]) -> None:
    """Raises ValidationError unless the ends rise, the last perhaps without one."""
    known = [end for end in ends[:-1] if end is not None]
    if len(known) != len(ends[:-1]) or known != sorted(set(known)):
        raise ValidationError("Only the last has no end, and each ends above the one before it.")
    if known and ends[-1] is not None and ends[-1] <= known[-1]:
        raise ValidationError("Each ends above the one before it.")


class ScheduleForm(Form):
    max_total = Number(allow_none=True, load_default=None, validate=POSITIVE)
    fixed = Number(load_default=ZERO)
    tiers = blocks(required=True)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Schedule:
        return Schedule(data["max_total"], data["fixed"], tuple(data["tiers"]))


class BoundProrationForm(Form):
    base_days = Number(required=True, validate=POSITIVE)
    window = fields.List(fields.Integer(), validate=validate.Length(equal=2), allow_none=True)
    round_factor = Number(allow_none=True, validate=POSITIVE)
    round_bound = Number(allow_none=True, validate=POSITIVE, data_key="bound_round")

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> BoundProration:
        window = data.pop("window", None)
        return BoundProration(window=(window[0], window[1]) if window else None, **data)


class FixedChargeForm(Form):
    name = fields.String(required=True, validate=NAME)
    amount = Number(required=True)
    per = fields.String(load_default="period", validate=validate.OneOf(("period", "month", "day")))
    applies_days = Number(allow_none=True, load_default=None, validate=NOT_NEGATIVE)
    full_days = Number(allow_none=True, load_default=None, validate=POSITIVE)
    by_size = fields.Dict(keys=fields.Integer(validate=validate.Range(1, 2000)), values=Number(), load_default=dict)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> FixedCharge:
        return FixedCharge(per_day=data.pop("per") == "day", **data)


class BracketForm(Form):
    to = Number(allow_none=True, load_default=None, validate=NOT_NEGATIVE)
    amount = Number(required=True)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Bracket:
        return Bracket(**data)


class FixedByUsageForm(Form):
    name = fields.String(load_default="service", validate=NAME)
    normalise_days = Number(allow_none=True, load_default=None, validate=POSITIVE)
    brackets = fields.List(fields.Nested(BracketForm), required=True, validate=validate.Length(min=1))

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> FixedByUsage:
        ascending([bracket.to for bracket in data["brackets"]])
        return FixedByUsage(tuple(data["brackets"]), data["normalise_days"], data["name"])


class UnitChargeForm(Form):
    name = fields.String(required=True, validate=NAME)
    rate = Number(allow_none=True, load_default=None)
    series = fields.String(allow_none=True, load_default=None, validate=NAME)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> UnitCharge:
        if (data["rate"] is None) == (data["series"] is None):
            raise ValidationError("Either a rate or the name of a series of dated rates.", "rate")
        return UnitCharge(data["name"], data["rate"] or ZERO, data["series"])


class BudgetForm(Form):
    default = Number(required=True, validate=POSITIVE)
    round = Number(allow_none=True, load_default=None, validate=POSITIVE)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Budget:
        return Budget(data["default"], data["round"])


class Base(fields.Field[Any]):
    """`"all"` charges, or names of lines."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...] | None:
        if value in ("all", ["all"]):
            return None
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise ValidationError('Either "all" or a list of names of charges.')
        return tuple(names)


class PercentageForm(Form):
    name = fields.String(required=True, validate=NAME)
    rate = Number(required=True)
    base = Base(load_default=None, allow_none=True)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Percentage:
        return Percentage(**data)


class SewerForm(Form):
    volume_factor = Number(load_default=Decimal(1), validate=NOT_NEGATIVE)
    tiers = blocks(required=True)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Sewer:
        return Sewer(tuple(data["tiers"]), data["volume_factor"])


class RoundingForm(Form):
    line = Number(allow_none=True, load_default=None, validate=POSITIVE)
    total = Number(allow_none=True, load_default=None, validate=POSITIVE)
